"""make test: a fresh database, the addons installed and updated on it, every test."""

import os
import shlex
import subprocess

from . import addons, browser
from .console import Problem, say, step
from .context import complaints, prepared
from .databases import Installed, sweep
from .paths import ADDON, PROJECT, TOOLS, local

OUTSIDE = PROJECT / "tests"


def main(arguments):
    part = os.environ.get("T") or " ".join(arguments)
    return run_part(part) if part else run_all()


def run_pytest(context, *arguments, database=None):
    """Run pytest, its output to the terminal; return its exit code.

    :param database: the full name of the database for Odoo's own kind of tests, None for others
    """
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
    done = subprocess.run(
        command,
        env=context.environment(),
        cwd=local("run"),  # inside the addons `calendar` would hide Python's own
        stdin=subprocess.DEVNULL,
        check=False,
    )
    return done.returncode


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
    results = {}
    with prepared() as context:
        browser.ensure()
        sweep(context.server)
        say("\n== tools")
        results["tools"] = passed(run_pytest(context, TOOLS / "tests"))
        say(f"\n== {ADDON}")
        results[ADDON] = fresh_run(context, [ADDON])
        if addons.bridges():
            say("\n== bridges")
            results["bridges"] = fresh_run(context, [ADDON, *addons.bridges()])
        if list(OUTSIDE.glob("test_*.py")):
            say("\n== from outside")
            results["from outside"] = passed(run_pytest(context, OUTSIDE))
    say()
    for name, verdict in results.items():
        say(f"{name:20} {verdict or 'passed'}")
    return int(any(results.values()))


def passed(code):
    return "FAILED" if code else ""


def fresh_run(context, modules):
    """Install, update and test `modules` on a database of their own; return what failed, or ''."""
    fresh = Installed(context, f"test_{os.getpid()}", modules=modules)
    try:
        with step("Making a fresh database"):
            fresh.templates.clone(fresh.name, addons.depends(modules))
        logged = complaints(fresh.install()) + complaints(fresh.update())
        folders = test_folders(modules if modules == [ADDON] else modules[1:])
        code = run_pytest(context, *folders, database=fresh.database) if folders else 0
        failures = [passed(code)] if code else []
        if logged:
            failures.append("installing or updating logged warnings or errors (above)")
        return "; ".join(failures)
    finally:
        context.server.drop(fresh.name)
