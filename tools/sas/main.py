"""The verbs of `make`."""

import importlib
import os
import signal
import sys

from .console import Interrupted, Problem, explain_os_error, failure

VERBS = {
    "env": "verbs:environment",
    "test": "testing:main",
    "demo": "demo:main",
    "demo-reset": "demo:reset",
    "shell": "verbs:shell",
    "psql": "verbs:psql",
    "odoo": "verbs:odoo",
    "python": "verbs:python",
    "update": "verbs:update",
    "lint": "lint:main",
    "format": "lint:tidy",
    "test-odoo": "odoo_tests:main",
    "i18n": "i18n:main",
    "bench": "verbs:bench",
    "lock": "verbs:lock",
    "clean": "verbs:clean",
    "help": "verbs:help_text",
}


def main(arguments):
    verb = arguments[0] if arguments else "help"
    if verb not in VERBS:
        failure(f"There is no `{verb}`: `make help` lists what there is.")
        return 2
    module, function = VERBS[verb].split(":")
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell in the background ignores it
    try:
        work = getattr(importlib.import_module(f".{module}", __package__), function)
        return work(arguments[1:]) or 0
    except Problem as problem:
        failure(str(problem))
    except (KeyboardInterrupt, Interrupted):
        failure("Stopped; the next call goes on where this one ended.")
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        failure(explain_os_error(error))
    return 1


def _interrupt(_number, _frame):
    raise Interrupted
