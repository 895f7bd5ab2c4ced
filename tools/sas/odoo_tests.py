"""make test-odoo: Odoo's own tests of the apps we extend, with the app installed.

They run under pytest, where every test sees all installed apps; in Odoo's own runner, tests of
`sale` run before the apps above it are loaded.
BASELINE=1 runs them without the app and writes what fails into tools/known_failures.txt.
"""

import os

from . import addons, browser
from .console import Problem, say, step
from .context import prepared
from .databases import Installed
from .paths import ADDON, TOOLS, local
from .testing import parse_report, run_pytest

SUITES = ("sale", "sale_management", "sale_stock")
KNOWN = TOOLS / "known_failures.txt"


def name(path):
    """`sale: test_order.TestOrder.test_one` for a test's path with all its packages."""
    module, tests, test = path.partition(".tests.")
    return f"{module.rpartition('.')[2]}: {test}" if tests else path


def known_failures():
    lines = KNOWN.read_text().splitlines() if KNOWN.exists() else []
    return {line for line in lines if line and not line.startswith("#")}


def main(_arguments):
    baseline = os.environ.get("BASELINE") not in (None, "", "0")
    suites = os.environ.get("T", "").replace(",", " ").split() or SUITES
    with prepared() as context:
        browser.ensure()
        database = Installed(context, f"odoo_tests_{os.getpid()}")
        folders = [_folder(context, suite) for suite in suites]
        try:
            with step("Making a fresh database"):
                database.templates.clone(database.name, addons.depends([ADDON]))
            if not baseline:
                database.install()
            failures = _run(context, database.database, folders)
            if failures:
                # a tour may be too slow on a busy machine: what counts fails again by itself
                say("\nonce more what failed, by itself:")
                failures &= _run(context, database.database, _files(folders, failures))
        finally:
            context.server.drop(database.name)
    return _write(failures) if baseline else _judge(failures)


def _folder(context, suite):
    """The tests of `sale` or of `sale/tests/test_sale_order.py`, as a path."""
    for addons_folder in context.odoo.addons:
        path = addons_folder / suite
        if path.exists():
            return path / "tests" if path.is_dir() and "tests" not in path.parts else path
    raise Problem(f"Odoo has no {suite}: give T the name of a module.")


def _run(context, database, paths):
    """Run the tests; return those that failed."""
    report = local("run") / "test-odoo.xml"
    report.unlink(missing_ok=True)
    # so that tests are named by their path below the addons
    options = [f"--rootdir={context.odoo.addons[0]}", f"--junitxml={report}", "--tb=line"]
    run_pytest(context, *options, *paths, database=database)
    if not report.exists():
        raise Problem("Odoo's tests did not run to their end: see above.")
    results = parse_report(report.read_text())
    say(str(results))
    return {name(path) for path in results.failed}


def _files(folders, failures):
    """pytest's ids of the failed tests."""
    parts = []
    for failure in sorted(failures):
        module, _sep, test = failure.partition(": ")
        file, _dot, names = test.partition(".")
        folder = next(path for path in folders if module in path.parts)
        folder = folder if folder.is_dir() else folder.parent
        parts.append(f"{folder / file}.py::{names.replace('.', '::')}")
    return parts


def _write(failures):
    head = "# Odoo's own tests that fail without the app: make test-odoo BASELINE=1\n"
    KNOWN.write_text(head + "".join(f"{failure}\n" for failure in sorted(failures)))
    say(f"written to {KNOWN}")


def _judge(failures):
    known = known_failures()
    for failure in sorted(failures & known):
        say(f"known without the app: {failure}")
    for failure in sorted(failures - known):
        say(f"NEW FAILURE: {failure}")
    return int(bool(failures - known))
