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
from .console import Problem, note, run, step
from .paths import CACHE, LOCK_FILE, cache_lock, ensure, unpacking

SUPPORTED = [(3, 11), (3, 10)]
# Left in the environment at the very end; without it the environment is not used.
COMPLETE = ".complete"


def supported():
    return " or ".join(f"{major}.{minor}" for major, minor in SUPPORTED)


def find_interpreter():
    """The path of the first Python of a supported version, this one if it will do."""
    if sys.version_info[:2] in SUPPORTED:
        return sys.executable
    for name in [f"python{major}.{minor}" for major, minor in SUPPORTED] + ["/usr/bin/python3"]:
        path = shutil.which(name)
        if path and _version(path) in SUPPORTED:
            return path
    raise Problem(
        f"Python {platform.python_version()} does not serve: install Python {supported()}"
        " (`sudo apt-get install python3`) and call again."
    )


def _version(path):
    asked = subprocess.run(
        [path, "-c", "import sys; print(*sys.version_info[:2])"], capture_output=True, text=True
    )
    return tuple(int(part) for part in asked.stdout.split()) if not asked.returncode else None


class PythonEnv:
    def __init__(self, folder):
        self.folder = folder
        self.python = folder / "bin" / "python"

    def script(self, name):
        return self.folder / "bin" / name

    @property
    def site_packages(self):
        return next((self.folder / "lib").glob("python3.*/site-packages"))


def lock_key():
    return hashlib.sha256(LOCK_FILE.read_bytes()).hexdigest()[:12]


def get():
    interpreter = find_interpreter()
    version = ".".join(str(part) for part in _version(interpreter))
    origin = hashlib.sha256(os.path.realpath(interpreter).encode()).hexdigest()[:4]
    folder = CACHE / "python" / f"{version}-{lock_key()}-{origin}"
    if not (folder / COMPLETE).exists():
        with cache_lock("python", "making the Python environment"):
            if not (folder / COMPLETE).exists():
                _make(interpreter, folder)
    return PythonEnv(folder)


def _make(interpreter, folder):
    with step(f"Making the Python environment ({folder.name})"):
        # A virtual environment cannot be moved, so it is made in place and marked at the end.
        shutil.rmtree(folder, ignore_errors=True)
        ensure(folder.parent)
        run(
            [interpreter, "-m", "venv", "--without-pip", folder],
            "Python cannot make a virtual environment: reinstall the package python3"
            " (`sudo apt-get install --reinstall python3`).",
        )
        env = PythonEnv(folder)
        pip = _pip(interpreter)
        count = sum("==" in line for line in LOCK_FILE.read_text().splitlines())
        note(f"installing {count} packages, 150 MB")
        _install(env, pip)
        (folder / COMPLETE).touch()


def _install(env, pip):
    command = [env.python, *pip, "install", "--no-deps", "--only-binary", ":all:"]
    command += ["--disable-pip-version-check", "--no-input", "--no-warn-script-location", "-q"]
    command += ["-r", LOCK_FILE]
    environment = dict(os.environ, PIP_ROOT_USER_ACTION="ignore")
    environment.pop("PYTHONPATH", None)
    run(
        command,
        "The Python packages could not be fetched: check the network (the package index must be"
        " reachable) and call again.",
        env=environment,
    )


def _pip(interpreter):
    """Arguments for Python that run pip: the machine's own, or from Debian's wheel of it."""
    bundled = "import ensurepip, os; print(os.path.join(os.path.dirname(ensurepip.__file__), '_bundled'))"
    asked = subprocess.run([interpreter, "-c", bundled], capture_output=True, text=True)
    places = [Path(asked.stdout.strip())] if not asked.returncode else []
    places.append(Path("/usr/share/python-wheels"))
    places.append(CACHE / "pip" / "usr" / "share" / "python-wheels")
    wheel = _pip_wheel(places)
    if not wheel:
        # Debian keeps pip out of its Python; the wheel needs no root to be used
        with unpacking(CACHE / "pip") as folder:
            for path in apt.Archive().fetch(["python3-pip-whl"]):
                apt.unpack(path, folder)
        wheel = _pip_wheel(places)
    if not wheel:
        raise Problem("Python's package installer is missing: `sudo apt-get install python3-venv`.")
    return [f"{wheel}/pip"]


def _pip_wheel(places):
    for place in places:
        for wheel in sorted(place.glob("pip-*.whl")):
            if zipfile.is_zipfile(wheel):
                return wheel
    return None
