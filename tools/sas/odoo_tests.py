"""make test-odoo: Odoo's own tests of the apps we extend, with the app installed.

BASELINE=1 runs them without the app and writes what fails into tools/known_failures.txt.
"""

import os
import re
import time

from . import addons, browser
from .console import Problem, duration, say, step
from .context import prepared
from .databases import Installed
from .demo import free_port
from .paths import ADDON, LOGS, TOOLS

SUITES = ("sale", "sale_management", "sale_stock")
KNOWN = TOOLS / "known_failures.txt"
RESULT = re.compile(
    r"odoo\.addons\.(\w+)\.tests\.\S+: (?:FAIL|ERROR): (?:Subtest )?"
    r"(\w+\.\w+|\w+ \([\w.]+\))"
)
COUNT = re.compile(r"(\d+) failed, (\d+) error\(s\) of (\d+) tests")


def parse(log):
    """The failed tests of a log of Odoo's runner, and how many tests ran."""
    found = {f"{module}: {name}" for module, name in RESULT.findall(log)}
    counts = COUNT.findall(log)
    return found, int(counts[-1][2]) if counts else 0


def known_failures():
    lines = KNOWN.read_text().splitlines() if KNOWN.exists() else []
    return {line for line in lines if line and not line.startswith("#")}


def main(_arguments):
    baseline = os.environ.get("BASELINE") not in (None, "", "0")
    suites = os.environ.get("T", "").replace(",", " ").split() or SUITES
    with prepared() as context:
        browser.ensure()
        database = Installed(context, f"odoo_tests_{os.getpid()}")
        try:
            with step("Making a fresh database"):
                database.templates.clone(database.name, addons.depends([ADDON]))
            if not baseline:
                database.install()
            tags = [f"/{suite}" for suite in suites]
            failures, count = _run(context, database.database, tags, "test-odoo.log")
            failures = _confirm(context, database.database, failures)
        finally:
            context.server.drop(database.name)
    return _write(failures, count) if baseline else _judge(failures)


def _run(context, database, tags, log_name):
    """Run the tests; return those that failed, and how many ran."""
    begin = time.monotonic()
    with step(f"Running Odoo's own tests {', '.join(tags)}"):
        _code, log = context.run_odoo(
            *("-d", database, "--test-tags", ",".join(tags)),
            *("--http-port", free_port(), "--stop-after-init"),
            log=log_name,
        )
    failures, count = parse(log)
    if not count:
        raise Problem(f"Odoo's tests did not run to their end: see {LOGS / log_name}.")
    say(f"{count} tests in {duration(time.monotonic() - begin)}, {len(failures)} failed")
    return failures, count


def _confirm(context, database, failures):
    """Those that fail again when run by themselves: a tour on a busy machine may be too slow."""
    if not failures:
        return failures
    tags = sorted(tag(name) for name in failures)
    again, _count = _run(context, database, tags, "test-odoo-again.log")
    return failures & again


def tag(name):
    """Odoo's test tag for one name of `parse`."""
    module, _sep, test = name.partition(": ")
    if test.endswith(")"):  # of a whole class
        test = test[:-1].rpartition(".")[2]
    return f"/{module}:{test}"


def _write(failures, count):
    head = (
        f"# Odoo's own tests that fail without the app ({count} tests; make test-odoo BASELINE=1)\n"
    )
    KNOWN.write_text(head + "".join(f"{name}\n" for name in sorted(failures)))
    say(f"written to {KNOWN}")


def _judge(failures):
    known = known_failures()
    for name in sorted(failures & known):
        say(f"known without the app: {name}")
    for name in sorted(failures - known):
        say(f"NEW FAILURE: {name}")
    return int(bool(failures - known))
