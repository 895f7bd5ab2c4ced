"""The databases of the measurements, and processes that work in them."""

import json
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack, closing
from functools import cached_property
from pathlib import Path

from sas import paths, python_env
from sas.databases import Templates

HERE = Path(__file__).parent
ADDON = "sale_admin_support"
# The public addon beside which we are measured: it is fetched when it is needed, into a folder of
# its own that git ignores.
POPULAR = "sale_financial_risk"
POPULAR_PACKAGES = ("odoo-addon-sale-financial-risk", "odoo-addon-account-financial-risk")


class Worker:
    """A process that works on one database, see worker.py."""

    def __init__(self, shop, database, *options):
        self.database = database
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "worker.py"), database, *options],
            env=shop.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    def ask(self, do, **args):
        self.tell(do, **args)
        return self.answer()

    def tell(self, do, **args):
        self.process.stdin.write(json.dumps({"do": do, "args": args}) + "\n")

    def answer(self):
        line = self.process.stdout.readline()
        answer = json.loads(line) if line else {"error": "the process ended"}
        if "error" in answer:
            raise SystemExit(f"{self.database}: {answer['error']}")
        return answer

    def measure(self, name, **args):
        return self.ask("measure", name=name, **args)

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=60)


class Laboratory:
    """Odoo's years of sales three times: without the app, with the public addon, with the app.

    :param alone: without the public addon
    :param keep: leave what does not depend on the app's files for the next run
    """

    def __init__(self, shop, scale, turns, alone=False, keep=False):
        self.shop, self.scale, self.turns = shop, scale, turns
        self.alone, self.keep = alone, keep
        self.seconds = {}
        self._stack = ExitStack()
        self._memory = paths.local("bench") / "kept.json"

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self._stack.close()
        if not self.keep:
            for short in self._kept():
                self.shop.server.drop(short)
                self._forget(short)

    # === DATABASES === #
    @cached_property
    def plain_database(self):
        return self._copy(self._years(self.scale), "plain")

    @cached_property
    def app_database(self):
        database = self._copy(self._years(self.scale), "app")
        self.seconds["install"] = self._install(database, ADDON)
        self._vacuum(database)
        return database

    @cached_property
    def popular_database(self):
        return self._copy(self._years_with_popular(), "popular")

    @cached_property
    def small_database(self):
        database = self._copy(self._years("tiny"), "small")
        self._install(database, ADDON)
        return database

    def install_in_empty(self):
        return self._install(self.shop.make_database("bench_empty"), ADDON)

    def _years(self, scale):
        """The short name of the database of `scale` with Odoo alone."""
        templates = Templates(self.shop.context)
        generator = (HERE / "generator.py").read_text()
        state = paths.digest(templates.key(["sale_management", "sale_stock"], False), generator)
        short = f"bench_{scale}"
        if self._remembered(short).get("state") != state or not self.shop.server.exists(short):
            self._forget(f"{short}_popular")
            self.shop.server.drop(f"{short}_popular")
            made = self.shop.make_database(f"years_{scale}")
            with self.worker(made) as worker:
                answer = worker.ask("fill", what="sales", scale=scale)
            self.shop.server.drop(short)
            self.shop.server.rename(made.removeprefix(self.shop.server.prefix), short)
            self._remember(short, state=state, size=answer["size"])
            self.say(f"{scale} data: {answer['seconds']:.0f} s, {answer['size'] / 2**20:.0f} MB")
        return short

    def _years_with_popular(self):
        short = f"{self._years(self.scale)}_popular"
        if not self._remembered(short) or not self.shop.server.exists(short):
            self.shop.server.drop(short)
            self.shop.server.clone(self._years(self.scale), short)
            database = self.shop.server.name(short)
            seconds = self._install(database, POPULAR, *self._popular_options)
            self._vacuum(database)
            self._remember(short, seconds=seconds)
        self.seconds["popular"] = self._remembered(short)["seconds"]
        return short

    @cached_property
    def _popular_options(self):
        folder = paths.LOCAL / "bench" / "popular"
        if not folder.exists():
            python_env.install_into(
                self.shop.context.python,
                ["--no-deps", "--target", str(folder), *POPULAR_PACKAGES],
                "The public addon could not be fetched: check the network, or leave it out"
                " (--alone).",
            )
        path = [*self.shop.context.addons_path(), folder / "odoo" / "addons"]
        return (f"--addons-path={','.join(map(str, path))}",)

    def _install(self, database, addon, *options):
        start = time.perf_counter()
        self.shop.odoo("-d", database, "-i", addon, "--stop-after-init", *options)
        return time.perf_counter() - start

    def _vacuum(self, database):
        self.shop.sql(database, "VACUUM ANALYZE")

    def _copy(self, short, name):
        """Return the full name of a copy that is dropped with the workshop's databases."""
        target = self.shop._short(f"bench_{name}")
        self.shop._made.append(target)
        self.shop.server.drop(target)
        self.shop.server.clone(short, target)
        return self.shop.server.name(target)

    # === WHAT IS KEPT BETWEEN RUNS === #
    def _kept(self):
        return json.loads(self._memory.read_text()) if self._memory.exists() else {}

    def _remembered(self, short):
        return self._kept().get(short, {})

    def _remember(self, short, **what):
        self._memory.write_text(json.dumps({**self._kept(), short: what}))

    def _forget(self, short):
        kept = self._kept()
        kept.pop(short, None)
        self._memory.write_text(json.dumps(kept))

    # === PROCESSES === #
    def worker(self, database, *options):
        return closing(Worker(self.shop, database, *options))

    @cached_property
    def plain(self):
        return self._stack.enter_context(self.worker(self.plain_database))

    @cached_property
    def popular(self):
        return self._stack.enter_context(self.worker(self.popular_database, *self._popular_options))

    @cached_property
    def app(self):
        return self._stack.enter_context(self.worker(self.app_database))

    @cached_property
    def small(self):
        return self._stack.enter_context(self.worker(self.small_database))

    def racers(self, who):
        """More processes on the database of a worker."""
        options = () if self.alone or who is not self.popular else self._popular_options
        return [Worker(self.shop, who.database, *options) for _number in range(16)]

    def in_turns(self, *contenders, turns=None):
        """Run (worker, measure, arguments) in turns after a first run that does not count.

        :return: a dict of the medians of seconds and queries, of the most memory taken (MB), of
            the result and of the ratio to the first contender (median over the turns) for each
        """
        runs = [[] for _contender in contenders]
        for turn in range((turns or self.turns) + 1):
            for (who, name, args), answers in zip(contenders, runs, strict=True):
                answer = who.measure(name, **args)
                if turn:
                    answers.append(answer)
        return [self._summary(answers, runs[0]) for answers in runs]

    def _summary(self, answers, first):
        pairs = zip(answers, first, strict=True)
        return {
            "seconds": statistics.median(answer["seconds"] for answer in answers),
            "queries": statistics.median_low(answer["queries"] for answer in answers),
            "megabytes": max(answer["megabytes"] for answer in answers),
            "ratio": statistics.median(mine["seconds"] / other["seconds"] for mine, other in pairs),
            "result": answers[-1]["result"],
        }

    def say(self, text):
        print(f"   {text}", flush=True)
