"""make demo: the app on its demo data, in the foreground until Ctrl-C."""

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request

from . import browser
from .console import Interrupted, Problem, note, say, step, tail
from .context import prepared, process
from .databases import Installed
from .paths import LOGS, TOOLS, Busy, ensure, local

DEFAULT_PORT = 8069


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port():
    """A port nobody listens on, chosen by the system."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def choose_port(given):
    """The given port, else the first free one from the default on."""
    if given:
        if not given.isdigit() or not 1024 <= int(given) <= 65535:
            raise Problem(f"PORT={given} is no port: give a number from 1024 to 65535.")
        if not is_free(int(given)):
            raise Problem(
                f"Port {given} is taken: give another one, `make demo PORT={int(given) + 1}`."
            )
        return int(given)
    for port in range(DEFAULT_PORT, DEFAULT_PORT + 50):
        if is_free(port):
            if port != DEFAULT_PORT:
                note(f"port {DEFAULT_PORT} is taken, using {port}")
            return port
    raise Problem("No port is free: end a server or give one, `make demo PORT=9000`.")


def main(_arguments):
    begin = time.monotonic()
    port = choose_port(os.environ.get("PORT"))
    with prepared() as context:
        browser.ensure(needed=False)
        demo = Installed(context, "demo", demo=True)
        busy = "A demo of this clone is running with older files: end it, then call again."
        with demo.in_use(busy, keep=True):
            return serve(context, demo, port, begin)


def reset(_arguments):
    with prepared() as context:
        demo = Installed(context, "demo", demo=True)
        try:
            with demo.lock(wait=False):
                with step("Removing the demo database"):
                    demo.forget()
                    context.server.drop("demo")
                demo.bring_up_to_date()
        except Busy:
            raise Problem("The demo is running: end it (Ctrl-C), then call again.") from None
    say("`make demo` starts it.")


def serve(context, demo, port, begin):
    log = ensure(LOGS) / "demo.log"
    command = context.odoo_command(
        *("-d", demo.database, "--http-port", port, "--max-cron-threads", "1"),
        *("--db-filter", f"^{demo.database}$"),
    )
    try:
        with (
            open(log, "w") as output,
            process(
                command,
                env=context.environment(),
                cwd=local("run"),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            ) as child,
        ):
            with step("Starting Odoo"):
                wait_until_ready(child, port, log)
            welcome(port, log, time.monotonic() - begin)
            child.wait()
            raise Problem(f"Odoo ended by itself: see {log}.")
    except (KeyboardInterrupt, Interrupted):
        say("\nStopped.")
        return 0


def wait_until_ready(child, port, log, patience=180):
    limit = time.monotonic() + patience
    while time.monotonic() < limit:
        if child.poll() is not None:
            say(tail(log.read_text(errors="replace")))
            raise Problem(f"Odoo does not start: see {log}.")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/web/login", timeout=60):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise Problem(f"Odoo does not answer: see {log}.")


def welcome(port, log, seconds):
    say()
    say(f"Ready after {seconds:.0f} s:  http://localhost:{port}")
    say("Login: admin   Password: admin")
    say()
    hints = TOOLS / "demo_hints.txt"
    if hints.exists():
        for line in hints.read_text().splitlines():
            if not line.startswith("#"):
                say(line)
    say(f"\nLog: {log}.  Ctrl-C stops everything.")
