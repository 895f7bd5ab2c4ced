"""Measure the app beside hand-written SQL and beside Odoo without it, and write the figures down.

    make bench                          the small scale, a few minutes
    make bench ARGS="--scale full"      the figures of docs/performance.md

Both ways of a comparison run in turns in the same session, after a first run that does not count;
the medians are compared.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path

from sas.workshop import Workshop

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
DOCUMENT = HERE.parent / "docs" / "performance.md"
ADDON = "sale_admin_support"


class Worker:
    """A process that works on one database, see worker.py."""

    def __init__(self, shop, database):
        self.database = database
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "worker.py"), database],
            env=shop.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    def ask(self, do, **args):
        self.process.stdin.write(json.dumps({"do": do, "args": args}) + "\n")
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            raise SystemExit(f"{self.database}, {do} {args}: {answer['error']}")
        return answer

    def measure(self, name):
        return self.ask("measure", name=name)

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=30)


@contextmanager
def worker(shop, database):
    made = Worker(shop, database)
    try:
        yield made
    finally:
        made.close()


def in_turns(turns, *contenders):
    """Run (worker, measure) pairs in turns and return the medians of each.

    :return: a dict of seconds, queries, megabytes and result for each contender
    """
    runs = [[] for _contender in contenders]
    for turn in range(turns + 1):
        for (who, name), answers in zip(contenders, runs, strict=True):
            answer = who.measure(name)
            if turn:
                answers.append(answer)
    return [
        {
            "seconds": statistics.median(answer["seconds"] for answer in answers),
            "queries": statistics.median_low(answer["queries"] for answer in answers),
            "megabytes": max(answer["megabytes"] for answer in answers),
            "result": answers[-1]["result"],
        }
        for answers in runs
    ]


class Bench:
    def __init__(self, shop, scale, turns):
        self.shop, self.scale, self.turns = shop, scale, turns
        self.rows = []
        self.sizes = {}

    def run(self):
        with ExitStack() as stack:
            plain = self._make_plain("plain", self.scale)
            big = self._copy(plain, "app")
            small = self._make_plain("small", "tiny")
            empty = self.shop.make_database("bench_empty")
            self._measure_install(empty, big)
            self.shop.odoo("-d", small, "-i", ADDON, "--stop-after-init")
            self.big = stack.enter_context(worker(self.shop, big))
            self.small = stack.enter_context(worker(self.shop, small))
            self.plain = stack.enter_context(worker(self.shop, plain))
            for who in (self.small, self.big):
                self._tell(f"contracts in {who.database}", who.ask("fill", what="contracts"))
            self._measure_statistics()
            self._measure_screens()
            self._measure_growth()
            self._measure_confirmation()

    # === DATABASES === #
    def _make_plain(self, name, scale):
        database = self.shop.make_database(f"bench_{name}")
        with worker(self.shop, database) as who:
            answer = who.ask("fill", what="sales", scale=scale)
        self.sizes[name] = answer["size"]
        self._tell(f"{scale} data in {database}", answer)
        return database

    def _copy(self, database, name):
        """A copy of a database made here, dropped with the others."""
        short = f"x_bench_{name}"
        self.shop.server.drop(short)
        self.shop.server.clone(database.removeprefix(self._prefix(database)), short)
        self.shop._made.append(short)
        return self.shop.server.name(short)

    def _prefix(self, database):
        return database[: database.index("x_bench_")]

    # === MEASUREMENTS === #
    def _measure_install(self, empty, big):
        seconds = {}
        for database in (empty, big):
            start = time.perf_counter()
            self.shop.odoo("-d", database, "-i", ADDON, "--stop-after-init")
            seconds[database] = time.perf_counter() - start
        self._add(
            "Install the app: empty database / this one",
            f"{seconds[empty]:.0f} s",
            f"{seconds[big]:.0f} s",
            f"{seconds[big] - seconds[empty]:+.0f} s",
        )

    def _measure_statistics(self):
        ours, sql = in_turns(
            self.turns, (self.big, "statistics_report"), (self.big, "statistics_sql")
        )
        if ours["result"] != sql["result"]:
            self._say(f"Statistics differ: {ours['result']} / {sql['result']}")
        self._add_seconds("A year's statistics by month and kind: SQL / app", sql, ours)
        self._add(
            "the same, memory at most", f"{sql['megabytes']:.0f} MB", f"{ours['megabytes']:.0f} MB"
        )

    def _measure_screens(self):
        ours, sql = in_turns(
            self.turns, (self.big, "late_milestones_list"), (self.big, "late_milestones_sql")
        )
        if ours["result"] != sql["result"]:
            self._say(f"Late milestones differ: {ours['result']} / {sql['result']}")
        self._add_seconds(
            f"List of 80 of {ours['result']:,} late milestones, with the count: SQL / app",
            sql,
            ours,
        )
        (counters,) = in_turns(self.turns, (self.big, "workbench_counters"))
        self._add(
            f"Workbench: counters of {counters['result']} queues",
            "-",
            f"{1000 * counters['seconds']:.0f} ms",
            f"{counters['queries']} queries",
        )

    def _measure_growth(self):
        for title, name in (
            ("Open a contract's form", "contract_form"),
            ("Confirm an order that opens a contract", "confirm_opens_contract"),
            ("Activate a contract of 100 milestones", "activate_100_milestones"),
        ):
            small, big = in_turns(self.turns, (self.small, name), (self.big, name))
            self._add_seconds(f"{title}: small database / this one", small, big)

    def _measure_confirmation(self):
        for title, name in (
            ("Confirm 10 lines of goods", "confirm_goods"),
            ("Confirm 10 lines of services", "confirm_services"),
        ):
            plain, ours = in_turns(self.turns, (self.plain, name), (self.big, name))
            self._add_seconds(f"{title}: Odoo without / with the app", plain, ours)

    # === TELLING === #
    def _add_seconds(self, title, one, other):
        self._add(
            title,
            f"{1000 * one['seconds']:.0f} ms, {one['queries']} queries",
            f"{1000 * other['seconds']:.0f} ms, {other['queries']} queries",
            f"{other['seconds'] / one['seconds']:.2f}",
        )

    def _add(self, *row):
        self.rows.append(row)
        self._say(" | ".join(row))

    def _tell(self, what, answer):
        self._say(f"{what}: {answer['seconds']:.0f} s, {answer['size'] / 2**20:.0f} MB")

    def _say(self, text):
        print(f"   {text}", flush=True)


def describe_machine(shop, database):
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    version = shop.sql(database, "SHOW server_version")[0][0]
    buffers = shop.sql(database, "SHOW shared_buffers")[0][0]
    return (
        f"{os.cpu_count()} cores ({platform.machine()}), {memory:.0f} GB, Python "
        f"{platform.python_version()}, PostgreSQL {version} (shared_buffers {buffers})"
    )


def write_document(bench, machine):
    from generator import LINES, SCALES

    scale = SCALES[bench.scale]
    template = (HERE / "performance.md.in").read_text()
    DOCUMENT.parent.mkdir(exist_ok=True)
    DOCUMENT.write_text(
        template.format(
            day=date.today().isoformat(),
            machine=machine,
            scale=bench.scale,
            customers=f"{scale.customers:,}",
            orders=f"{scale.orders:,}",
            lines=LINES,
            open_items=f"{scale.open_items:,}",
            milestones=f"{scale.customers * 5:,}",
            turns=bench.turns,
            table="\n".join(
                "| " + " | ".join([*row, *[""] * (4 - len(row))]) + " |" for row in bench.rows
            ),
        )
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--scale", choices=("tiny", "small", "full"), default="small")
    parser.add_argument("--turns", type=int, default=5, help="counted runs of each measurement")
    parser.add_argument("--write", action="store_true", help="write docs/performance.md")
    options = parser.parse_args()
    with Workshop.open() as shop:
        bench = Bench(shop, options.scale, options.turns)
        bench.run()
        if options.write:
            write_document(bench, describe_machine(shop, bench.big.database))


if __name__ == "__main__":
    main()
