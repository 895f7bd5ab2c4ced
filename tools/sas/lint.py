"""make lint: ruff, pylint-odoo and the project's own checks."""

import subprocess

from . import addons, python_env
from .console import say, step
from .paths import ADDON, PROJECT


def main(_arguments):
    env = python_env.get()
    modules = [ADDON, *addons.bridges()]
    results = {
        "ruff check": _run(env, "ruff", "check", "."),
        "ruff format": _run(env, "ruff", "format", "--check", "."),
        "pylint-odoo": _run(env, "pylint", *modules),
        "own checks": _own_checks(env),
    }
    say()
    for name, bad in results.items():
        say(f"{name:14} {'FAILED' if bad else 'passed'}")
    return int(any(results.values()))


def tidy(_arguments):
    """Let ruff mend and format what it can."""
    env = python_env.get()
    return _run(env, "ruff", "check", "--fix", ".") | _run(env, "ruff", "format", ".")


def _run(env, program, *arguments):
    with step(" ".join((program, *arguments))):
        return subprocess.run(
            [env.script(program), *arguments], cwd=PROJECT, check=False
        ).returncode


def _own_checks(env):
    with step("the project's own checks"):
        command = [env.python, "-m", "sas.checks", PROJECT]
        return subprocess.run(command, cwd=PROJECT / "tools", check=False).returncode
