"""The Python environment: pinned packages in the user's cache, shared by every clone."""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from . import apt
from .console import Problem, counting, run, step
from .paths import CACHE, LOCK_FILE, cache_lock, ensure, unpacking

SUPPORTED = [(3, 11), (3, 10)]
# Left in the environment at the very end; without it the environment is not used.
COMPLETE = ".complete"


def text(version):
    return ".".join(str(part) for part in version)


def find_interpreter():
    """The path of the first Python of a supported version, this one if it will do."""
    if sys.version_info[:2] in SUPPORTED:
        return sys.executable
    for name in [f"python{major}.{minor}" for major, minor in SUPPORTED] + ["/usr/bin/python3"]:
        path = shutil.which(name)
        if path and _version(path) in SUPPORTED:
            return path
    raise Problem(
        f"Python {platform.python_version()} does not serve: install Python"
        f" {' or '.join(map(text, SUPPORTED))} and call again."
    )


def _version(path):
    asked = subprocess.run(
        [path, "-c", "import sys; print(*sys.version_info[:2])"],
        capture_output=True,
        text=True,
        check=False,
    )
    return tuple(int(part) for part in asked.stdout.split()) if not asked.returncode else None


class PythonEnv:
    def __init__(self, folder):
        self.folder = folder
        self.python = folder / "bin" / "python"

    def is_complete(self):
        """Whether it was made to its end and the Python it was made with is still there."""
        return (self.folder / COMPLETE).exists() and self.python.exists()

    def script(self, name):
        return self.folder / "bin" / name

    @property
    def site_packages(self):
        return next((self.folder / "lib").glob("python3.*/site-packages"))


def lock_key():
    return hashlib.sha256(LOCK_FILE.read_bytes()).hexdigest()[:12]


def _wanted():
    interpreter = find_interpreter()
    return interpreter, PythonEnv(CACHE / "python" / f"{text(_version(interpreter))}-{lock_key()}")


def existing():
    """The environment if it is there already, else None."""
    _interpreter, env = _wanted()
    return env if env.is_complete() else None


def get():
    """The environment, made when it is missing."""
    interpreter, env = _wanted()
    if not env.is_complete():
        with cache_lock("python", "making the Python environment"):
            if not env.is_complete():
                _make(interpreter, env)
    return env


def _make(interpreter, env):
    folder = env.folder
    with step(f"Making the Python environment ({folder.name})"):
        # A virtual environment cannot be moved, so it is made in place and marked at the end.
        shutil.rmtree(folder, ignore_errors=True)
        ensure(folder.parent)
        run(
            [interpreter, "-m", "venv", "--without-pip", folder],
            "Python cannot make a virtual environment: reinstall the package python3"
            " (`sudo apt-get install --reinstall python3`).",
        )
        count = sum("==" in line for line in LOCK_FILE.read_text().splitlines())
        with counting("packages", count, r"(Collecting|Processing|Ignoring) \S+") as on_line:
            install_into(
                env,
                ["--no-deps", "--require-hashes", "--only-binary", ":all:", "-r", LOCK_FILE],
                "The Python packages could not be fetched: check the network (the package index"
                " must be reachable) and call again.",
                on_line,
            )
        (folder / COMPLETE).touch()


def install_into(env, arguments, problem, on_line=None):
    """Run pip with the environment's Python, which has no pip of its own."""
    command = [env.python, f"{_pip(env.python)}/pip", "install", "--no-input"]
    command += ["--disable-pip-version-check", "--no-warn-script-location"]
    command += ["--progress-bar", "off", "--retries", "2", *arguments]
    environment = dict(os.environ, PIP_ROOT_USER_ACTION="ignore")
    environment.pop("PYTHONPATH", None)
    run(command, problem, on_line, env=environment)


def _pip(interpreter):
    """A wheel of pip: the machine's own, else Debian's, which needs no root to be used."""
    bundled = "import ensurepip; print(ensurepip.__path__[0])"
    asked = subprocess.run(
        [interpreter, "-c", bundled], capture_output=True, text=True, check=False
    )
    places = [Path(asked.stdout.strip()) / "_bundled"] if not asked.returncode else []
    kept = CACHE / "pip"
    wheels = Path("usr/share/python-wheels")
    wheel = _pip_wheel([*places, "/" / wheels, kept / wheels])
    if not wheel:
        with unpacking(kept) as folder:
            for path in apt.Archive().fetch(["python3-pip-whl"]):
                apt.unpack(path, folder)
        wheel = _pip_wheel([kept / wheels])
    if not wheel:
        raise Problem("Python's package installer is missing: `sudo apt-get install python3-venv`.")
    return wheel


def _pip_wheel(places):
    wheels = (wheel for place in places for wheel in sorted(Path(place).glob("pip-*.whl")))
    return next((wheel for wheel in wheels if zipfile.is_zipfile(wheel)), None)
