"""What the user sees: steps with their duration, and failures in one sentence."""

import errno
import os
import re
import subprocess
import sys
import time
from contextlib import contextmanager

_COLOUR = sys.stdout.isatty() and not os.environ.get("NO_COLOR")


class Problem(Exception):
    """A failure told in one sentence, remedy included; ends the run without a traceback."""


class Interrupted(Exception):
    """The user or the system asked the run to end."""


def _paint(code, text):
    return f"\033[{code}m{text}\033[0m" if _COLOUR else text


def say(text=""):
    print(text, flush=True)


def note(text):
    say("   " + text)


def warn(text):
    say(_paint("33", "!  " + text))


def failure(text):
    print(_paint("31", "ERROR: " + text), file=sys.stderr, flush=True)


def duration(seconds):
    """`0.4 s`, `12 s`, `3 min 05 s`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 119.5:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s"


@contextmanager
def step(text):
    """Say what begins and, when it went well, how long it took."""
    say(_paint("1", "=> ") + text + " ...")
    begin = time.monotonic()
    yield
    note(f"done in {duration(time.monotonic() - begin)}")


def megabytes(size):
    return f"{size / 1e6:.0f} MB"


class Progress:
    """How far something is: redrawn on a terminal, every tenth of the way elsewhere.

    :param unit: turns a number into text
    """

    def __init__(self, label, total, unit=megabytes):
        self.label, self.total, self.unit = label, total, unit
        self.live = sys.stdout.isatty()
        self.shown = -1

    def update(self, size):
        percent = min(100, size * 100 // self.total) if self.total else 0
        text = f"{self.label}: {percent} % ({self.unit(size)} of {self.unit(self.total)})"
        if self.live:
            if percent != self.shown:
                print(f"\r   {text}  ", end="", flush=True)
        elif percent // 10 != self.shown // 10:
            note(text)
        else:
            return
        self.shown = percent

    def close(self):
        if self.live and self.shown >= 0:
            print(flush=True)


def explain_os_error(error):
    """One sentence for an error of the operating system."""
    place = f" ({error.filename})" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            f"The disk is full{place}: free about 4 GB, or point XDG_CACHE_HOME to a larger disk,"
            " and call again."
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"No right to write{place}: give your user the right to it and call again."
    return f"{error.strerror or error}{place}: mend this and call again."


def command_name(command):
    return os.path.basename(str(command[0]))


def tail(text, lines=15):
    return "\n".join(text.strip().splitlines()[-lines:])


def run(command, problem, on_line=None, **options):
    """Run to the end and return the output; on failure keep it and raise Problem(problem).

    :param problem: the sentence for the user; where to read more is added
    :param on_line: called with each line of the output as it comes
    """
    try:
        child = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            **options,
        )
    except FileNotFoundError:
        raise Problem(f"The program {command_name(command)} is missing: install it.") from None
    output = ""
    with child:
        try:
            for line in child.stdout:
                output += line
                if on_line:
                    on_line(line)
        except BaseException:
            child.terminate()
            raise
    if child.returncode:
        if "No space left on device" in output:
            raise Problem(explain_os_error(OSError(errno.ENOSPC, "")))
        raise Problem(problem + _keep(output))
    return output


def _keep(output):
    """Write a failed program's output to a file; return the words that name it."""
    from .paths import LOGS

    path = LOGS / "failure.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(output)
    except OSError:
        return ""
    return f" ({LOGS.parent.name}/{LOGS.name}/{path.name} tells more.)"


@contextmanager
def counting(label, total, pattern):
    """Yield an `on_line` for `run` that shows how many lines matched the pattern."""
    progress = Progress(label, total, str)
    seen = set()

    def on_line(line):
        if match := re.match(pattern, line):
            seen.add(match[0])
            progress.update(min(len(seen), total))

    yield on_line
    progress.close()
