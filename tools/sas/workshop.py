"""Databases and Odoo processes for tests and benchmarks that work from outside.

    from sas.workshop import Workshop

    with Workshop.open() as shop:
        database = shop.make_database("race", installed=True)
        log = shop.odoo("-d", database, "-u", "sale_admin_support", "--stop-after-init")
        output = shop.shell(database, "print(env['sale.order'].search_count([]))")
        with shop.serve(database) as url:
            ...
        rows = shop.sql(database, "SELECT count(*) FROM sale_order")

Databases made here are dropped when the workshop closes.
"""

import os
import subprocess
from contextlib import contextmanager

from . import addons
from .console import tail
from .context import prepared, process
from .databases import Installed, Templates, sweep
from .demo import free_port, wait_until_ready
from .paths import ADDON, LOGS, digest, ensure, local


class Workshop:
    def __init__(self, context):
        self.context, self.server = context, context.server
        self.templates = Templates(context)
        self._made = []
        self._log_number = 0

    @classmethod
    @contextmanager
    def open(cls):
        """Yield a workshop with everything fetched and the database server running."""
        with prepared() as context:
            context.config()
            sweep(context.server)
            shop = cls(context)
            try:
                yield shop
            finally:
                shop.drop_all()

    @property
    def environment(self):
        """What a child process needs to reach Odoo and the server."""
        return self.context.environment()

    def make_database(self, name, demo=False, installed=False, depends=None):
        """Make a fresh database from a template; return its name on the server.

        :param name: short, unique among those of this workshop
        :param demo: with Odoo's demo data (and the addon's, if installed)
        :param installed: with the addon
        :param depends: Odoo's modules in it, by default what the addon needs
        """
        short = self._short(name)
        self._made.append(short)
        if installed:
            # a kept database with the addon as its files are now
            source = Installed(self.context, "pristine_demo" if demo else "pristine", demo=demo)
            with source.in_use(afresh=True):
                self.server.drop(short)
                self.server.clone(source.name, short)
        else:
            self.templates.clone(short, depends or addons.depends([ADDON]), demo)
        return self.server.name(short)

    def _short(self, name):
        return f"x{os.getpid()}_{name}"

    def drop_database(self, name):
        self.server.drop(self._short(name))
        self._made.remove(self._short(name))

    def drop_all(self):
        while self._made:
            self.server.drop(self._made.pop())

    def sql(self, database, query):
        """Rows of a query as lists of strings."""
        return self.server.sql(query, database)

    def odoo(self, *arguments, fails=False, stdin=None):
        """Run Odoo to its end and return its log; AssertionError if its exit code is not 0.

        :param fails: it is expected to fail instead
        """
        self._log_number += 1
        log = f"outside-{self._log_number}.log"
        quiet = () if "--http-port" in arguments else ("--no-http",)
        code, text = self.context.run_odoo(*arguments, *quiet, log=log, stdin=stdin)
        if bool(code) != fails:
            raise AssertionError(f"Odoo ended with {code}, see .local/logs/{log}\n{tail(text, 40)}")
        return text

    def shell(self, database, code, fails=False):
        """Run Python code in Odoo's shell (`env`; commit yourself) and return what it prints.

        An exception in the code is an AssertionError here.
        """
        mark = digest(code)
        source = f"try:\n    exec(compile({code!r}, 'shell', 'exec'))\n    print('{mark}')\n"
        source += "except BaseException:\n    import traceback\n    traceback.print_exc()\n\n"
        text = self.odoo("shell", "-d", database, "--log-level=warn", stdin=source)
        if (mark in text) == fails:
            raise AssertionError(f"Code in the shell {'passed' if fails else 'failed'}:\n{text}")
        return text.replace(mark, "").strip()

    @contextmanager
    def serve(self, database, *arguments):
        """Run an Odoo server on the database; yield its address."""
        port = free_port()
        log = ensure(LOGS) / f"serve-{database}.log"
        command = self.context.odoo_command(
            *("-d", database, "--http-port", port, "--db-filter", f"^{database}$", *arguments)
        )
        with (
            open(log, "w") as output,
            process(
                command,
                env=self.environment,
                cwd=local("run"),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            ) as child,
        ):
            wait_until_ready(child, port, log)
            yield f"http://127.0.0.1:{port}"
