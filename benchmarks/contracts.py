"""What contracts, their schedule and the workbench cost."""

from functools import cached_property

from section import Section


class Contracts(Section):
    columns = ("work", "one", "other", "ratio")

    def measure(self):
        self._measure_statistics()
        self._measure_screens()
        self._measure_growth()

    @cached_property
    def big(self):
        self._fill(self.lab.app)
        return self.lab.app

    @cached_property
    def small(self):
        self._fill(self.lab.small)
        return self.lab.small

    def _fill(self, worker):
        answer = worker.ask("fill", what="contracts")
        self.lab.say(f"contracts in {worker.database}: {answer['seconds']:.0f} s")

    def _measure_statistics(self):
        sql, ours = self.lab.in_turns(
            (self.big, "statistics_sql", {}), (self.big, "statistics_report", {})
        )
        self._compare(ours, sql)
        self._add_pair("A year's statistics by month and kind: SQL / app", sql, ours)
        self._add(
            "the same, memory at most",
            f"{sql['megabytes']:.0f} MB",
            f"{ours['megabytes']:.0f} MB",
            "",
        )

    def _measure_screens(self):
        sql, ours = self.lab.in_turns(
            (self.big, "late_milestones_sql", {}), (self.big, "late_milestones_list", {})
        )
        self._compare(ours, sql)
        title = f"List of 80 of {ours['result']:,} late milestones, with the count: SQL / app"
        self._add_pair(title, sql, ours)
        (counters,) = self.lab.in_turns((self.big, "workbench_counters", {}))
        self._add(
            f"Workbench: counters of {counters['result']} queues", "-", self._cell(counters), ""
        )

    def _measure_growth(self):
        for title, name in (
            ("Open a contract's form", "contract_form"),
            ("Confirm an order that opens a contract", "confirm_opens_contract"),
            ("Activate a contract of 100 milestones", "activate_100_milestones"),
        ):
            small, big = self.lab.in_turns((self.small, name, {}), (self.big, name, {}))
            self._add_pair(f"{title}: small database / this one", small, big)

    def _add_pair(self, title, one, other):
        self._add(title, self._cell(one), self._cell(other), f"{other['ratio']:.2f}")
