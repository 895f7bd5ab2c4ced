"""Everything a verb works with: Odoo, Python environment, database server."""

import os
import re
import signal
import subprocess
import time
from contextlib import contextmanager
from itertools import takewhile

from . import odoo_source, paths, postgres, python_env
from .console import Problem, tail
from .paths import LOGS, PROJECT, ensure, local

LOG_LINE = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} \d+ (\w+) (\S+) ([^:]+): (.*)")
# How the description page's errors are told, outside Odoo's log.
DOCUTILS_LINE = re.compile(r"^<string>:\d+: \((WARNING|ERROR|SEVERE)")


class Context:
    def __init__(self, odoo, python, server):
        self.odoo = odoo
        self.python = python
        self.server = server

    def addons_path(self):
        return [*self.odoo.addons, PROJECT]

    def config(self):
        """Odoo's configuration file of this clone, written afresh."""
        path = paths.LOCAL / "odoo.conf"
        lines = [
            "[options]",
            "addons_path = " + ",".join(str(folder) for folder in self.addons_path()),
            f"data_dir = {local('data')}",
            "admin_passwd = admin",
            "list_db = False",
            "without_demo = True",
            "db_maxconn = 32",
            "max_cron_threads = 0",
            f"screenshots = {local('screenshots')}",
            "http_interface = 127.0.0.1",
        ]
        paths.write_atomically(path, "\n".join(lines) + "\n")
        return path

    def environment(self):
        """The environment of Odoo's processes."""
        env = self.server.environment()
        for name in ("ODOO_RC", "OPENERP_SERVER", "PYTHONHOME"):
            env.pop(name, None)
        env.update(
            PYTHONPATH=f"{self.odoo.python_path}{os.pathsep}{paths.TOOLS}",
            PYTHONDONTWRITEBYTECODE="1",
            PYTHONUNBUFFERED="1",
            PATH=f"{self.python.folder / 'bin'}{os.pathsep}{env['PATH']}",
            VIRTUAL_ENV=str(self.python.folder),
            LC_ALL="C.UTF-8",
            ODOO_CONFIG=str(paths.LOCAL / "odoo.conf"),
        )
        return env

    def odoo_command(self, *arguments):
        """Odoo's command line; leading words are sub-commands and come first."""
        arguments = [str(argument) for argument in arguments]
        words = list(takewhile(lambda argument: not argument.startswith("-"), arguments))
        options = ["-c", str(self.config()), *arguments[len(words) :]]
        return [str(self.python.python), "-m", "odoo", *words, *options]

    def run_odoo(self, *arguments, log, stdin=None):
        """Run Odoo to its end with its log in `.local/logs`; return (exit code, log text)."""
        path = ensure(LOGS) / log
        with open(path, "w") as output:
            source = (
                {"stdin": subprocess.DEVNULL} if stdin is None else {"input": stdin, "text": True}
            )
            done = subprocess.run(
                self.odoo_command(*arguments),
                env=self.environment(),
                cwd=local("run"),
                stdout=output,
                stderr=subprocess.STDOUT,
                **source,
            )
        return done.returncode, path.read_text(errors="replace")


def complaints(log):
    """Lines of Odoo's log at warning level or above."""
    return [line for line in log.splitlines() if _complains(line)]


def _complains(line):
    match = LOG_LINE.match(line)
    if match:
        return match[1] in ("WARNING", "ERROR", "CRITICAL")
    return bool(DOCUTILS_LINE.match(line))


@contextmanager
def prepared():
    """Yield a Context with everything fetched and the database server running."""
    paths.check_writable()
    python = python_env.get()
    odoo = odoo_source.get()
    with postgres.running(python) as server:
        yield Context(odoo, python, server)


@contextmanager
def process(command, **options):
    """A child process that is ended, with its own children, when the block is left.

    It does not see the terminal's Ctrl-C, and ends by itself should this process be killed.
    """
    command = ["setpriv", "--pdeathsig", "TERM", *command]
    child = subprocess.Popen(command, start_new_session=True, **options)
    try:
        yield child
    finally:
        end(child)


def end(child, patience=10):
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(child.pid, sign)
        except ProcessLookupError:
            break
        limit = time.monotonic() + patience
        while child.poll() is None and time.monotonic() < limit:
            time.sleep(0.05)
        if child.poll() is not None and sign != signal.SIGINT:
            break
        if child.poll() is not None:
            continue  # the group may hold a browser that outlives its parent
    child.wait()


def failed(what, log_name, log):
    errors = [line for line in log.splitlines() if " ERROR " in line or " CRITICAL " in line]
    print(tail(log, 25))
    hint = f" ({errors[-1][:200]})" if errors else ""
    return Problem(f"{what} failed{hint}: see .local/logs/{log_name}.")
