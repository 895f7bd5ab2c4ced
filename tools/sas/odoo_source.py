"""Odoo 19 itself: the tree named by ODOO_HOME, else Debian's package unpacked in the cache."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from . import apt
from .console import Problem, note, step, warn
from .paths import CACHE, cache_lock, unpacking

SUITE = "sid"
VERSION = "19.0.0+dfsg-1"
# The package links to files of these; a page without jquery is an error 500.
LINKED = [
    "libjs-jquery",
    "libjs-jquery-form",
    "libjs-underscore",
    "fonts-roboto-unhinted",
    "fonts-montserrat",
]
# The newer font of the unstable suite lacks the files that are linked to.
LINKED_STABLE = ["fonts-font-awesome"]
# Cut out of the package; the browser logs an error without it, and an error fails every tour.
CUT_OUT = ["odoo/addons/mail/static/lib/selfie_segmentation/selfie_segmentation.js"]
# Left beside the package by its build: a second, incomplete copy of the addons and the like.
STRAY = ["addons", "doc", "setup"]
PACKAGES = Path("usr/lib/python3/dist-packages")


class Odoo:
    """An Odoo tree: `python_path` is what Python needs, `addons` are the folders of addons."""

    def __init__(self, python_path, version):
        self.python_path = python_path
        self.version = version
        folders = (python_path / "addons", python_path / "odoo" / "addons")
        self.addons = [folder for folder in folders if (folder / "sale").is_dir()]


def read_series(tree):
    """Return `19.0` from a tree's release file, None if there is no such file."""
    release = tree / "odoo" / "release.py"
    if not release.is_file():
        return None
    match = re.search(r"version_info\s*=\s*\(\s*(\d+)\s*,\s*(\d+)", release.read_text())
    return f"{match[1]}.{match[2]}" if match else None


def get():
    home = os.environ.get("ODOO_HOME")
    return _from_home(Path(home).expanduser().resolve()) if home else _from_debian()


def _from_home(home):
    for tree in (home, home / PACKAGES):
        if read_series(tree) == "19.0":
            odoo = Odoo(tree, f"19.0@{tree}@{_commit(tree)}")
            if odoo.addons:
                return odoo
            raise Problem(f"ODOO_HOME ({home}) has no addons folder with `sale`: take a full tree.")
    raise Problem(f"ODOO_HOME ({home}) is not an Odoo 19.0 source tree: correct or unset it.")


def _commit(tree):
    """The commit a git tree is at; empty for other trees."""
    asked = subprocess.run(
        ["git", "-C", tree, "rev-parse", "HEAD"], capture_output=True, text=True, check=False
    )
    return asked.stdout.strip()


def _from_debian():
    existing = _unpacked()
    if existing:
        return existing
    with cache_lock("odoo", "fetching Odoo"):
        return _unpacked() or _fetch()


def _unpacked():
    """The tree of the pinned version, else the newest other one."""
    trees = sorted((CACHE / "odoo").glob("19.0*"), key=lambda tree: tree.stat().st_mtime)
    pinned = [tree for tree in trees if tree.name == VERSION]
    return Odoo((pinned or trees)[-1] / PACKAGES, (pinned or trees)[-1].name) if trees else None


def choose_version(versions):
    """The pinned version if it is there, else the newest of series 19.0, else None."""
    if VERSION in versions:
        return VERSION
    return next((version for version in versions if version.startswith("19.0")), None)


def _fetch():
    unstable, stable = apt.Archive(SUITE), apt.Archive()
    with step("Fetching Odoo 19 (Debian's package, about 125 MB)"):
        version = choose_version(unstable.versions("odoo-19"))
        if not version:
            raise Problem(
                "Debian no longer has odoo-19 in version 19.0: set ODOO_HOME to an Odoo 19 source"
                " tree."
            )
        if version != VERSION:
            warn(f"Odoo {VERSION} is gone from Debian, taking {version} instead.")
        files = unstable.fetch([f"odoo-19={version}", *LINKED]) + stable.fetch(LINKED_STABLE)
    with step("Unpacking Odoo (1.2 GB)"):
        target = CACHE / "odoo" / version
        with unpacking(target) as folder:
            for path in files:
                apt.unpack(path, folder)
            for name in CUT_OUT:
                hole = folder / PACKAGES / name
                if not hole.exists():
                    hole.parent.mkdir(parents=True, exist_ok=True)
                    hole.touch()
            if read_series(folder / PACKAGES) != "19.0":
                raise Problem(
                    "Debian's package holds no Odoo 19.0: set ODOO_HOME to a source tree."
                )
            for name in STRAY:
                shutil.rmtree(folder / PACKAGES / name, ignore_errors=True)
    unstable.forget()
    stable.forget()
    note(f"Odoo {version} is in {target}")
    return Odoo(target / PACKAGES, version)
