"""Where things lie: the project, its git-ignored folder, the user's cache."""

import fcntl
import hashlib
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

from .console import Problem, note

ADDON = "sale_admin_support"
PROJECT = Path(__file__).resolve().parents[2]
TOOLS = PROJECT / "tools"
LOCAL = PROJECT / ".local"
LOGS = LOCAL / "logs"
LOCK_FILE = TOOLS / "requirements.lock"


def _cache():
    base = os.environ.get("XDG_CACHE_HOME") or ""
    if not os.path.isabs(base):  # the XDG specification: a relative path is to be ignored
        base = os.path.expanduser("~/.cache")
    return Path(base) / ADDON


CACHE = _cache()


def digest(*parts):
    """Short, stable name of what something depends on."""
    return hashlib.sha256("\0".join(str(part) for part in parts).encode()).hexdigest()[:12]


def clone_key():
    """Distinguishes this clone from the others of the same user."""
    return digest(PROJECT)[:8]


def ensure(folder):
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def local(*names):
    """A folder below `.local`, made when missing."""
    return ensure(LOCAL.joinpath(*names))


class Busy(Exception):
    """Another run holds the lock."""


@contextmanager
def locked(path, what=None, shared=False, wait=True):
    """Hold the lock file `path`; the system frees it when the process dies.

    :param what: told to the user when another run holds the lock
    :param wait: else raise Busy then
    """
    ensure(path.parent)
    with open(path, "a") as handle:
        mode = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(handle, mode | fcntl.LOCK_NB)
        except BlockingIOError:
            if not wait:
                raise Busy from None
            if what:
                note(f"another run is busy with {what}, waiting until it ends")
            fcntl.flock(handle, mode)
        yield handle


def cache_lock(name, what):
    return locked(CACHE / "locks" / name, what)


@contextmanager
def unpacking(target):
    """Yield a temporary folder beside `target` that becomes `target` in one step at the end.

    A run that ends half-way leaves nothing under the target's name.
    """
    ensure(target.parent)
    for left in target.parent.glob(f".{target.name}.*"):
        shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    folder.chmod(0o755)
    try:
        yield folder
        if target.exists():
            shutil.rmtree(target)
        folder.rename(target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write_atomically(path, text):
    ensure(path.parent)
    new = path.with_name(f".{path.name}.{os.getpid()}")
    new.write_text(text)
    new.replace(path)


def check_writable():
    for folder in (CACHE, LOCAL):
        ensure(folder)
        if not os.access(folder, os.W_OK):
            raise Problem(f"No right to write to {folder}: give your user the right to it.")
