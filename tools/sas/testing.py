"""make test: a fresh database, the addons installed and updated on it, every test."""

import os
import shlex
import subprocess
from contextlib import contextmanager
from xml.etree import ElementTree

from . import addons, browser
from .console import Problem, duration, say, step
from .context import complaints, prepared, process
from .databases import Installed, Templates, sweep
from .paths import ADDON, LOGS, PROJECT, TOOLS, ensure, local

OUTSIDE = PROJECT / "tests"


def main(arguments):
    part = os.environ.get("T") or " ".join(arguments)
    return run_part(part) if part else run_all()


def run_pytest(context, *arguments, database=None):
    """Run pytest, its output to the terminal; return its exit code.

    :param database: the full name of the database for Odoo's own kind of tests, None for others
    """
    command, options = pytest_call(context, *arguments, database=database)
    return subprocess.run(command, **options, check=False).returncode


def pytest_call(context, *arguments, database=None):
    """The command of `run_pytest`, and the options to run it with."""
    if database:
        options = [
            f"--odoo-config={context.config()}",
            f"--odoo-database={database}",
            "--odoo-http",
            *_parallel(),
        ]
    else:
        options = ["-p", "no:odoo"]
    command = [context.python.python, "-m", "pytest", "-c", PROJECT / "pyproject.toml"]
    command += ["--rootdir", PROJECT, "-p", "no:cacheprovider", *options, *arguments]
    command += shlex.split(os.environ.get("PYTEST_ARGS", ""))
    # not inside the addons, where `calendar` would hide Python's own
    return [str(part) for part in command], {
        "env": context.environment(),
        "cwd": local("run"),
        "stdin": subprocess.DEVNULL,
    }


def _parallel():
    jobs = os.environ.get("JOBS") or "1"
    if not jobs.isdigit():
        raise Problem(f"JOBS={jobs} is no number: give how many processes shall test.")
    return ["-n", jobs, "--dist", "loadscope"] if int(jobs) > 1 else []


def split_part(part):
    """T as (path, pytest's arguments): a path with or without ::names, else a -k expression."""
    path, _sep, names = part.partition("::")
    for base in (PROJECT, PROJECT / ADDON, PROJECT / ADDON / "tests"):
        if (base / path).exists():
            found = (base / path).resolve()
            if not found.is_relative_to(PROJECT):
                raise Problem(f"{part} is not in {PROJECT}: give T a part of this project.")
            return found, [f"{found}::{names}" if names else str(found)]
    if path.endswith(".py") or "/" in path:
        raise Problem(f"There is no {path}: give T a test file, a folder or a -k expression.")
    return None, ["-k", part]


def test_folders(modules):
    return [PROJECT / name / "tests" for name in modules if (PROJECT / name / "tests").is_dir()]


def run_part(part):
    path, arguments = split_part(part)
    if path and any(path.is_relative_to(folder) for folder in (TOOLS, OUTSIDE)):
        with prepared() as context:
            return run_pytest(context, *arguments)
    bridge = path and path.relative_to(PROJECT).parts[0] in addons.bridges()
    modules = [ADDON, *addons.bridges()] if bridge else [ADDON]
    if not path:
        arguments += test_folders(modules)
    with prepared() as context:
        browser.ensure()
        ready = Installed(context, "ready_all" if bridge else "ready", modules=modules)
        with ready.in_use():
            return run_pytest(context, *arguments, database=ready.database)


def run_all():
    parts = []
    with prepared() as context:
        browser.ensure()
        sweep(context.server)
        Templates(context).get(addons.depends([ADDON]))
        with outside(context) as finish:
            parts.append(run_tools(context))
            parts.append(run_fresh(context, ADDON, [ADDON]))
            if addons.bridges():
                parts.append(run_fresh(context, "bridges", [ADDON, *addons.bridges()]))
            parts += finish()
    say("\n" + "=" * 100)
    for part in parts:
        part.tell()
    return int(any(part.problems for part in parts))


class Part:
    """One part of `make test`: its tests' results, and what else went wrong."""

    def __init__(self, name):
        self.name = name
        self.report = local("run") / f"{name.replace(' ', '-')}.xml"
        self.report.unlink(missing_ok=True)
        self.results = None
        self.problems = []

    def run(self, context, *paths, database=None):
        self.judge(run_pytest(context, f"--junitxml={self.report}", *paths, database=database))

    def judge(self, code):
        """Take in pytest's exit code and report."""
        if self.report.exists():
            self.results = parse_report(self.report.read_text())
        if code:
            self.problems += self.results.failed if self.results else ["pytest ended early"]
            self.problems = self.problems or ["pytest found no test"]

    def tell(self):
        say(f"{self.name:20} {'FAILED' if self.problems else 'passed'}   {self.results or ''}")
        for problem in self.problems:
            say(f"     {problem}")


def run_tools(context):
    say("\n== tools")
    part = Part("tools")
    part.run(context, TOOLS / "tests")
    return part


@contextmanager
def outside(context):
    """Run the tests from outside beside the others, which leave a processor idle.

    Yields what waits for them, shows their output and returns their parts.
    """
    if not list(OUTSIDE.glob("test_*.py")):
        yield list
        return
    part = Part("from outside")
    log = ensure(LOGS) / "from-outside.log"
    command, options = pytest_call(context, f"--junitxml={part.report}", OUTSIDE)

    def finish():
        say("\n== from outside (ran beside the others)")
        part.judge(child.wait())
        say(log.read_text(errors="replace").rstrip())
        return [part]

    with (
        open(log, "w") as output,
        process(command, **options, stdout=output, stderr=subprocess.STDOUT) as child,
    ):
        yield finish


def run_fresh(context, name, modules):
    """Install, update and test modules, the app first, on a database of their own."""
    say(f"\n== {name}")
    part = Part(name)
    fresh = Installed(context, f"test_{os.getpid()}", modules=modules)
    tested = modules[1:] or modules
    try:
        with step("Making a fresh database"):
            fresh.templates.clone(fresh.name, addons.depends(modules))
        if complaints(fresh.install()) + complaints(fresh.update(tested)):
            part.problems.append("installing or updating logged warnings or errors (see above)")
        if folders := test_folders(tested):
            part.run(context, *folders, database=fresh.database)
    finally:
        context.server.drop(fresh.name)
    return part


class Results:
    """What a report of pytest tells."""

    def __init__(self, count, skipped, seconds, failed):
        self.count, self.skipped, self.seconds, self.failed = count, skipped, seconds, failed

    def __str__(self):
        numbers = f"{self.count} tests, {len(self.failed)} failed, {self.skipped} skipped"
        return f"{numbers}, in {duration(self.seconds)}"


def parse_report(report):
    """Results from pytest's report (JUnit's XML)."""
    cases = list(ElementTree.fromstring(report).iter("testcase"))
    failed = [
        f"{case.get('classname') or ''}.{case.get('name')}".lstrip(".")
        for case in cases
        if case.find("failure") is not None or case.find("error") is not None
    ]
    skipped = sum(case.find("skipped") is not None for case in cases)
    seconds = sum(float(case.get("time") or 0) for case in cases)
    return Results(len(cases) - skipped, skipped, seconds, sorted(set(failed)))
