"""make test: a fresh database, the addons installed and updated on it, every test."""

import os
import subprocess

from . import addons, browser
from .console import Problem, say, step, warn
from .context import complaints, prepared
from .databases import Installed
from .paths import ADDON, PROJECT, TOOLS, local


def main(arguments):
    part = os.environ.get("T") or " ".join(arguments)
    return run_part(part) if part else run_all()


def pytest_command(context, *arguments):
    command = [context.python.python, "-m", "pytest", "-c", PROJECT / "pyproject.toml"]
    command += ["--rootdir", PROJECT, "-p", "no:cacheprovider", *arguments]
    return [str(part) for part in command]


def run_pytest(context, *arguments, database=None):
    if database:
        arguments = (
            f"--odoo-config={context.config()}",
            f"--odoo-database={database}",
            "--odoo-http",
            *arguments,
        )
    extra = os.environ.get("PYTEST_ARGS", "").split()
    done = subprocess.run(
        pytest_command(context, *arguments, *extra),
        env=context.environment(),
        cwd=local("run"),  # inside the addons `calendar` would hide Python's own
        stdin=subprocess.DEVNULL,
    )
    return done.returncode


def split_part(part):
    """T as (path, pytest's arguments): a path with or without ::names, else a -k expression."""
    path, _sep, names = part.partition("::")
    for base in (PROJECT, PROJECT / ADDON, PROJECT / ADDON / "tests"):
        if (base / path).exists():
            found = (base / path).resolve()
            return found, [f"{found}::{names}" if names else str(found)]
    if path.endswith(".py") or "/" in path:
        raise Problem(f"There is no {path}: give T a test file, a folder or a -k expression.")
    return None, ["-k", part]


def test_folders(modules):
    return [PROJECT / name / "tests" for name in modules if (PROJECT / name / "tests").is_dir()]


def run_part(part):
    path, arguments = split_part(part)
    if path and path.is_relative_to(TOOLS):
        with prepared() as context:
            return run_pytest(context, *arguments)
    if path and path.is_relative_to(PROJECT / "tests"):
        with prepared() as context:
            return run_pytest(context, *arguments)
    module = path.relative_to(PROJECT).parts[0] if path and path.is_relative_to(PROJECT) else ADDON
    modules = [ADDON, *addons.bridges()] if module in addons.bridges() else [ADDON]
    if not path:
        arguments += [str(folder) for folder in test_folders(modules)]
    with prepared() as context:
        browser.ensure(context)
        ready = Installed(context, "ready" if modules == [ADDON] else "ready_all", modules=modules)
        with ready.lock():
            ready.bring_up_to_date()
        with ready.lock(shared=True):
            return run_pytest(context, *arguments, database=ready.database)


def run_all():
    results = {}
    with prepared() as context:
        browser.ensure(context)
        results["tools"] = run_pytest(context, "-q", TOOLS / "tests") if (TOOLS / "tests").is_dir() else 0
        results[ADDON] = fresh_run(context, [ADDON])
        if addons.bridges():
            results["bridges"] = fresh_run(context, [ADDON, *addons.bridges()])
        outside = PROJECT / "tests"
        if outside.is_dir() and list(outside.glob("test_*.py")):
            say()
            results["black box"] = run_pytest(context, outside)
    say()
    for name, code in results.items():
        say(f"{name:24} {'passed' if not code else 'FAILED'}")
    return int(any(results.values()))


def fresh_run(context, modules):
    """Install, update and test `modules` on a database of their own; return an exit code."""
    fresh = Installed(context, f"test_{os.getpid()}", modules=modules)
    try:
        with step("Making a fresh database"):
            fresh.templates.clone(fresh.name, addons.depends(modules))
        logged = complaints(fresh.install())
        with step(f"Updating {', '.join(modules)}"):
            code, log = fresh._load("-u", f"update-{fresh.name}.log")
            logged += complaints(log)
        if code or logged:
            for line in logged:
                say(line)
            warn("Installing or updating the addons logged warnings or errors (above).")
        folders = test_folders(modules if modules == [ADDON] else modules[1:])
        tested = run_pytest(context, *folders, database=fresh.database) if folders else 0
        return code or int(bool(logged)) or tested
    finally:
        context.server.drop(fresh.name)
