"""What checks, credit and the release of orders cost; the rows that the design promises."""

import time

from generator import SCALES
from section import Section

# What is sold, what a customer has many of: the goal without a check and with all.
CONFIRMATIONS = {
    ("consu", "Invoices"): (1.02, 1.08),
    ("service", "Invoices"): (1.1, 1.4),
    ("consu", "Orders"): (1.02, 1.4),
    ("service", "Orders"): (1.1, 1.4),
}
TITLES = {"consu": "goods", "service": "services"}
RACERS = (2, 4, 8, 16)


class ReleaseSection(Section):
    def _customers(self, kind):
        scale = SCALES[self.lab.scale]
        counts = scale.heavy_invoices if kind == "Invoices" else scale.heavy_orders
        return [(count, f"{kind} {count}") for count in counts]

    def _ratio(self, summary):
        return f"{summary['ratio']:.2f} ({self._cell(summary)})"

    def _contenders(self, *others):
        """The worker without the app, the public addon's unless left out, and others."""
        popular = [] if self.lab.alone else [self.lab.popular]
        return [self.lab.plain, *popular, *others]

    def _blank(self):
        """The public addon's cell when it is left out."""
        return ["-"] if self.lab.alone else []


class Orders(ReleaseSection):
    columns = (
        "confirm 10 lines",
        "plain Odoo",
        "public addon",
        "no check on",
        "all checks on",
        "goal: none / all on",
    )

    def measure(self):
        cases = [
            (product_type, kind, count, customer)
            for product_type, kind in CONFIRMATIONS
            for count, customer in self._customers(kind)
        ]
        self.lab.app.ask("switch", on="none")
        without = [self._run(case, self._contenders(self.lab.app)) for case in cases]
        self.lab.app.ask("switch", on="all")
        for case, (plain, *others) in zip(cases, without, strict=True):
            product_type, kind, count, _customer = case
            _plain, checked = self._run(case, [self.lab.plain, self.lab.app])
            goals = CONFIRMATIONS[product_type, kind]
            self._add(
                f"{TITLES[product_type]}, customer with {count:,} open {kind.lower()}",
                self._cell(plain),
                *self._blank(),
                *map(self._ratio, others),
                self._ratio(checked),
                " / ".join(map(str, goals)),
            )

    def _run(self, case, workers):
        product_type, _kind, _count, customer = case
        args = {"customer": customer, "product_type": product_type}
        # Services are confirmed in a tenth of the time: more turns against the noise.
        turns = self.lab.turns * (2 if product_type == "service" else 1)
        return self.lab.in_turns(
            *((worker, "confirm_lines", args) for worker in workers), turns=turns
        )


class Screens(ReleaseSection):
    columns = ("screen, credit on", "plain Odoo", "public addon", "app", "goal")

    def measure(self):
        self.lab.app.ask("switch", on="all")
        for count, customer in self._customers("Orders"):
            self._row(
                f"form of a quotation, customer with {count:,} open orders",
                "60 ms, flat",
                "quotation_form",
                customer=customer,
            )
        self._row("list of 80 quotations", "1.05", "quotation_list", limit=80)
        self._row("list of 20 quotations", "as many queries", "quotation_list", limit=20)

    def _row(self, title, goal, name, **args):
        plain, *others = self.lab.in_turns(
            *((worker, name, args) for worker in self._contenders(self.lab.app))
        )
        self._add(title, self._cell(plain), *self._blank(), *map(self._ratio, others), goal)


class Credit(ReleaseSection):
    columns = ("exposure", "one SQL statement", "plain Odoo", "public addon", "app", "goal")

    def measure(self):
        self.lab.app.ask("switch", on="all")
        for kind in ("Invoices", "Orders"):
            for count, customer in self._customers(kind):
                self._measure_one(f"{count:,} open {kind.lower()}", customer)
        self._measure_all()

    def _measure_one(self, what, customer):
        app, args = self.lab.app, {"customer": customer}
        sql, ours = self.lab.in_turns(
            (app, "exposure_sql", args), (app, "exposure", args), turns=3 * self.lab.turns
        )
        self._compare(ours, sql)
        self._add(
            f"one customer with {what}",
            self._cell(sql),
            "-",
            "-",
            self._ratio(ours),
            "2 × the SQL",
        )

    def _measure_all(self):
        """The others take up to a minute: once each."""
        app = self.lab.app
        sql, ours = self.lab.in_turns(
            (app, "over_limit_sql", {}), (app, "over_limit", {}), turns=min(3, self.lab.turns)
        )
        self._compare(ours, sql)
        others = [self._seconds(worker.measure("over_limit")) for worker in self._contenders()]
        customers = SCALES[self.lab.scale].customers
        self._add(
            f"all of {customers:,} customers who are over their limit",
            self._seconds(sql),
            *others,
            *self._blank(),
            f"{self._seconds(ours)} ({ours['result']:,} found)",
            "2 s",
        )

    def _seconds(self, summary):
        return f"{summary['seconds']:.2f} s"


class Installation(ReleaseSection):
    columns = ("install", "empty database", "this database", "goal")

    def measure(self):
        empty = self.lab.install_in_empty()
        _database = self.lab.app_database
        seconds = self.lab.seconds["install"]
        self._add("the app", f"{empty:.0f} s", f"{seconds:.0f} s", "60 s")
        if not self.lab.alone:
            _database = self.lab.popular_database
            self._add("the public addon", "-", f"{self.lab.seconds['popular']:.0f} s", "")


class Races(ReleaseSection):
    """50 orders of 300 of one customer; the limit is enough for 10."""

    columns = (
        "50 orders of 300, limit for 10",
        "plain Odoo",
        "public addon",
        "app",
        "app, after the job",
        "goal",
    )

    def measure(self):
        self.lab.app.ask("switch", on="credit")
        tables = [self._race(worker) for worker in self._contenders(self.lab.app)]
        names = [f"at once by {count} processes" for count in RACERS] + ["in one call"]
        for name, *cells in zip(names, *tables, strict=True):
            *others, (ours, after) = cells
            self._add(
                name, *(cell for cell, _after in others), *self._blank(), ours, after, "10 released"
            )

    def _race(self, worker):
        racers = self.lab.racers(worker)
        try:
            for racer in racers:  # until all have started
                racer.ask("wait")
            cells = [self._confirm_at_once(worker, racers[:count]) for count in RACERS]
            return [*cells, self._confirm_in_one_call(worker, racers[0])]
        finally:
            for racer in racers:
                racer.close()

    def _confirm_at_once(self, worker, racers):
        orders = worker.ask("prepare_race")["orders"]
        shares = [orders[number :: len(racers)] for number in range(len(racers))]
        return self._run(worker, racers, [[[order] for order in share] for share in shares], orders)

    def _confirm_in_one_call(self, worker, racer):
        orders = worker.ask("prepare_race")["orders"]
        return self._run(worker, [racer], [[orders]], orders)

    def _run(self, worker, racers, calls, orders):
        at = time.time() + 1
        for racer, batches in zip(racers, calls, strict=True):
            racer.tell("confirm_at", at=at, batches=batches)
        errors = sum((racer.answer()["errors"] for racer in racers), [])
        seconds = time.time() - at
        counts = worker.ask("count_released", orders=orders, work_off=False)
        after = worker.ask("count_released", orders=orders, work_off=True)
        trouble = f", {len(errors)} errors" if errors else ""
        for error in sorted(set(errors)):
            self.lab.say(f"!! {error}")
        return (
            f"{counts['released']} released, {counts['held']} held{trouble} ({seconds:.1f} s)",
            f"{after['released']} released, {after['held']} held",
        )
