"""The small verbs."""

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

from . import browser, paths, postgres, python_env
from .addons import depends
from .console import Problem, note, run, say, step
from .context import prepared
from .databases import Installed, Templates
from .paths import ADDON, LOCAL, LOCK_FILE, PROJECT, TOOLS, local


def environment(_arguments):
    with prepared() as context:
        browser.ensure(needed=False)
        templates = Templates(context)
        for demo in (False, True):
            templates.get(depends([ADDON]), demo)
        say(f"Odoo {context.odoo.version}, Python {context.python.folder.name}: ready.")


def _in_context(command, context, cwd=None):
    try:
        return subprocess.run(command, env=context.environment(), cwd=cwd, check=False).returncode
    except KeyboardInterrupt:
        return 130


def shell(arguments):
    """Odoo's shell on the demo database, or on the one named by DB."""
    with prepared() as context:
        name = os.environ.get("DB") or "demo"
        with _kept(context, name) as database:
            command = context.odoo_command("shell", "-d", database, "--no-http", *arguments)
            return _in_context(command, context, local("run"))


@contextmanager
def _kept(context, name):
    """Yield the full name of a kept database; `demo` and `ready` are brought up to date before."""
    if name in ("demo", "ready"):
        demo = name == "demo"
        with Installed(context, name, demo=demo).in_use(busy="", keep=demo) as kept:
            yield kept.database
    elif context.server.exists(name):
        context.config()
        yield context.server.name(name)
    else:
        raise Problem(f"There is no database {name}: give DB=demo or DB=ready.")


def psql(arguments):
    """psql on the demo database, or on the one named by DB."""
    with prepared() as context:
        name = context.server.name(os.environ.get("DB") or "demo")
        return _in_context(context.server.command("psql", "-d", name, *arguments), context)


def odoo(arguments):
    with prepared() as context:
        return _in_context(context.odoo_command(*arguments), context, local("run"))


def python(arguments):
    with prepared() as context:
        context.config()
        return _in_context([str(context.python.python), *arguments], context)


def update(_arguments):
    """Bring the database named by DB (ready, demo) up to date with the addon's files."""
    name = os.environ.get("DB") or "ready"
    busy = "The demo is running: end it, and it updates itself at its next start."
    with prepared() as context:
        database = Installed(context, name, demo=name == "demo")
        with database.in_use(busy if database.demo else None, keep=database.demo):
            say(f"The database {name} is up to date.")


def bench(arguments):
    script = PROJECT / "benchmarks" / "run.py"
    if not script.exists():
        raise Problem("There are no benchmarks in this clone: benchmarks/run.py is missing.")
    with prepared() as context:
        context.config()
        return _in_context([str(context.python.python), str(script), *arguments], context)


def clean(_arguments):
    """Stop this clone's server and remove its databases and logs; the cache stays."""
    env = python_env.existing()
    with step("Removing this clone's databases and logs"):
        if env:
            _remove_databases(env)
        shutil.rmtree(LOCAL, ignore_errors=True)
    note(f"what was fetched stays in {paths.CACHE} (remove that folder to fetch it again)")


def _remove_databases(env):
    if not postgres.Embedded(env).stop_unused():
        raise Problem("A run of this clone uses its databases: end it, then call again.")
    server = postgres.shared_server(env)
    for name in server.databases() if server else ():
        if name.startswith(server.prefix):
            server.drop(name.removeprefix(server.prefix))


def help_text(_arguments):
    say((TOOLS / "help.txt").read_text().rstrip())


def lock(_arguments):
    """Make requirements.lock afresh from requirements.in: newest versions, with hashes."""
    env = python_env.get()
    with step("Resolving the newest versions"), tempfile.TemporaryDirectory() as folder:
        offline = "The package index could not be asked: check the network and call again."
        python_env.install_into(env, ["--target", folder, "uv"], offline)
        command = [Path(folder) / "bin" / "uv", "pip", "compile", "-q", "--universal", "--upgrade"]
        command += ["--python-version", python_env.text(min(python_env.SUPPORTED))]
        command += ["--only-binary", ":all:"]
        # needed by the command line of num2words only, and not to be had as a wheel
        command += ["--no-binary", "docopt", "--no-emit-package", "docopt"]
        command += ["--generate-hashes", "--no-header", "--no-annotate"]
        run([*command, "-o", LOCK_FILE, TOOLS / "requirements.in"], offline)
    note("call `make test` before you commit it")
