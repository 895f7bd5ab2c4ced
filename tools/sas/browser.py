"""The browser for tours, the converter for PDF and the fonts they need."""

import shutil
from pathlib import Path

from . import apt
from .console import Problem, warn

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FONTS = {
    "fonts-noto-cjk": "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "fonts-noto-core": "/usr/share/fonts/truetype/noto/NotoSans-Regular.ttf",
}


def find():
    """The path of the browser on this machine, or None."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


def missing():
    """Debian packages that are not on this machine."""
    packages = [] if find() else ["chromium"]
    if not shutil.which("wkhtmltopdf"):
        packages.append("wkhtmltopdf")
    return packages + [name for name, path in FONTS.items() if not Path(path).exists()]


def ensure(needed=True):
    """Install what is missing; without the right to it, only the browser is worth a failure."""
    packages = missing()
    if not packages:
        return
    try:
        apt.install(packages, "the browser, PDF and fonts")
    except Problem as problem:
        if needed and not find():
            raise
        warn(str(problem))
