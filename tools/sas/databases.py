"""Database templates, made once per set of dependencies, and the databases cloned from them."""

import os
import re
from contextlib import contextmanager

from . import addons
from .console import Problem, note, say, step
from .context import complaints, failed
from .paths import (
    ADDON,
    CACHE,
    LOCAL,
    Busy,
    cache_lock,
    digest,
    locked,
    unpacking,
    write_atomically,
)

# Counts up when the making of templates below changes.
RECIPE = 1

PREPARE = """
env['ir.config_parameter'].set_param('ir_attachment.location', 'db')
env['ir.attachment'].force_storage()
company = env.ref('base.main_company')
if not company.chart_template:
    env['account.chart.template'].try_loading('generic_coa', company=company, install_demo={demo})
env['ir.config_parameter'].set_param('web.base.url', 'http://localhost:8069')
env.cr.commit()
print('PREPARED')
"""

# Databases of one run are named by its process.
OF_A_RUN = re.compile(r"(?:test_|odoo_tests_|x)(\d+)(?:_\w+)?$")


def sweep(server):
    """Drop what a run left behind that was killed."""
    for name in server.databases():
        match = OF_A_RUN.match(name.removeprefix(server.prefix))
        if match and name.startswith(server.prefix) and not os.path.exists(f"/proc/{match[1]}"):
            server.drop(name.removeprefix(server.prefix))


class Templates:
    def __init__(self, context):
        self.context = context
        self.server = context.server

    def languages(self):
        return sorted(re.findall(r"[A-Za-z_@]+", os.environ.get("LANGS", "")))

    def key(self, depends, demo):
        from .python_env import lock_key

        parts = [RECIPE, self.context.odoo.version, lock_key(), self.server.major]
        return digest(*parts, *depends, *self.languages(), "demo" if demo else "")

    def get(self, depends, demo=False):
        """The short name of the template holding `depends`, made or restored when missing."""
        name = f"template_{self.key(depends, demo)}"
        if self.server.exists(name):
            return name
        with locked(LOCAL / "template.lock", "making a database template"):
            if not self.server.exists(name):
                self._obtain(name, depends, demo)
        return name

    def _obtain(self, name, depends, demo):
        kept = CACHE / "templates" / f"{name}-pg{self.server.major}"
        if not kept.exists():
            with cache_lock(name, "making the same database template"):
                if not kept.exists():
                    self._build(name, depends, demo, kept)
                    return
        self._restore(name, kept, demo)

    def _restore(self, name, kept, demo):
        with step(f"Restoring the database template{' with demo data' if demo else ''}"):
            work = f"{name}_new"
            self.server.drop(work)
            self.server.sql(f'CREATE DATABASE "{self.server.name(work)}" TEMPLATE template0')
            self.server.run(
                "pg_restore",
                *("--no-owner", "--no-acl", "-j", "2", "-d", self.server.name(work), kept / "dump"),
                problem=f"The kept template is damaged: remove {kept} and call again.",
            )
            self.server.sql("ANALYZE", self.server.name(work))
            self.server.rename(work, name)

    def _build(self, name, depends, demo, kept):
        kind = "with" if demo else "without"
        with step(f"Making the database template {kind} demo data ({', '.join(depends)}; 1-2 min)"):
            work = f"{name}_new"
            self.server.drop(work)
            self.server.sql(
                f"CREATE DATABASE \"{self.server.name(work)}\" TEMPLATE template0 ENCODING 'UTF8'"
            )
            arguments = ["-d", self.server.name(work), "-i", ",".join(depends), "--stop-after-init"]
            arguments += ["--with-demo"] if demo else ["--without-demo"]
            if self.languages():
                arguments.append("--load-language=" + ",".join(self.languages()))
            code, log = self.context.run_odoo(*arguments, "--no-http", log="template.log")
            if code:
                raise failed("Installing Odoo's modules", "template.log", log)
            code, log = self.context.run_odoo(
                *("shell", "-d", self.server.name(work), "--no-http"),
                log="template-prepare.log",
                stdin=PREPARE.format(demo=demo),
            )
            if code or "PREPARED" not in log:
                raise failed("Preparing the template", "template-prepare.log", log)
            with unpacking(kept) as folder:
                self.server.run(
                    "pg_dump",
                    *(
                        "-Fd",
                        "-j",
                        "2",
                        "--compress=1",
                        "-f",
                        folder / "dump",
                        self.server.name(work),
                    ),
                    problem="The template could not be kept: see whether the disk is full.",
                )
            self.server.rename(work, name)

    def clone(self, database, depends, demo=False):
        """Make `database` afresh from the template."""
        template = self.get(depends, demo)
        self.server.drop(database)
        self.server.clone(template, database)


class Installed:
    """A kept database with the project's addons, updated when their files changed."""

    def __init__(self, context, name, demo=False, modules=(ADDON,)):
        self.context, self.server = context, context.server
        self.name, self.demo, self.modules = name, demo, list(modules)
        self.templates = Templates(context)
        self.state = LOCAL / "databases" / name

    @property
    def database(self):
        return self.server.name(self.name)

    def lock(self, shared=False, wait=True):
        """Shared by those who use the database, exclusive for who changes it."""
        path = LOCAL / "databases" / f"{self.name}.lock"
        return locked(path, f"the database {self.name}", shared, wait)

    @contextmanager
    def in_use(self, busy=None, **options):
        """Hold the database, brought up to date.

        :param busy: if it needs an update while others use it: a sentence to fail with; "" takes
            it as it is; None waits for the others
        :param options: of `bring_up_to_date`
        """
        if not self.is_up_to_date():
            try:
                with self.lock(wait=busy is None):
                    self.bring_up_to_date(**options)
            except Busy:
                if busy:
                    raise Problem(busy) from None
                note(f"the database {self.name} is in use: taken as it is, without newer files")
        with self.lock(shared=True):
            yield self

    def is_up_to_date(self):
        return self._found() == self._wanted()

    def _wanted(self):
        template = self.templates.key(addons.depends(self.modules), self.demo)
        return template, addons.fingerprint(self.modules)

    def _found(self):
        try:
            template, files = self.state.read_text().split()
        except (FileNotFoundError, ValueError):
            return None, None
        return (template, files) if self.server.exists(self.name) else (None, None)

    def forget(self):
        self.state.unlink(missing_ok=True)

    def bring_up_to_date(self, keep=False, afresh=False):
        """Install the addons, or update them if their files changed.

        :param keep: never begin afresh for a changed template, the database holds somebody's work
        :param afresh: never update, install again
        """
        wanted, found = self._wanted(), self._found()
        if found == wanted:
            return
        if found[0] and not afresh and (keep or found[0] == wanted[0]):
            try:
                self.update()
            except Problem:
                if keep:
                    raise
                note("the update failed, installing afresh")
            else:
                write_atomically(self.state, " ".join(wanted))
                return
        self.forget()
        with step(f"Making the database {self.name}"):
            self.templates.clone(self.name, addons.depends(self.modules), self.demo)
        self.install()
        write_atomically(self.state, " ".join(wanted))

    def install(self):
        """Install the addons and return Odoo's log; what it complains of is shown."""
        return self._load("-i", "install", "Installing")

    def update(self, modules=None):
        """Update the addons, or some of them, and return Odoo's log; complaints are shown."""
        return self._load("-u", "update", "Updating", modules)

    def _load(self, option, verb, title, modules=None):
        modules = modules or self.modules
        names = ", ".join(modules)
        log_name = f"{verb}-{self.name}.log"
        with step(f"{title} {names}"):
            code, log = self.context.run_odoo(
                *("-d", self.database, option, ",".join(modules)),
                *(
                    "--with-demo" if self.demo else "--without-demo",
                    "--stop-after-init",
                    "--no-http",
                ),
                log=log_name,
            )
            for line in complaints(log):
                say(line)
            if code:
                raise failed(f"{title} {names}", log_name, log)
        return log
