"""A table of docs/performance.md."""


class Section:
    columns = ()

    def __init__(self, lab):
        self.lab = lab
        self.rows = []

    def measure(self):
        raise NotImplementedError

    def _add(self, *row):
        self.rows.append(row)
        self.lab.say(" | ".join(row))

    def _cell(self, summary):
        """Time and queries of one way."""
        milliseconds = 1000 * summary["seconds"]
        time = f"{milliseconds:.1f}" if milliseconds < 10 else f"{milliseconds:,.0f}"
        return f"{time} ms, {summary['queries']} queries"

    def _compare(self, ours, sql):
        if ours["result"] != sql["result"]:
            self.lab.say(f"!! The figures differ: {ours['result']} / {sql['result']}")
