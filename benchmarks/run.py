"""Measure the app beside hand-written SQL, Odoo without it and a public addon.

    make bench                                       the small scale, a few minutes
    make bench ARGS="--scale full --write"           the figures of docs/performance.md
    make bench ARGS="--only orders races --keep"     some of them; the data stays for the next run

Both ways of a comparison run in turns in the same session, after a first run that does not count;
medians are compared.
"""

import argparse
import os
import platform
import re
import sys
import time
from datetime import date
from pathlib import Path

from sas.workshop import Workshop

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
DOCUMENT = HERE.parent / "docs" / "performance.md"

from contracts import Contracts  # noqa: E402
from generator import LINES, SCALES  # noqa: E402
from laboratory import Laboratory  # noqa: E402
from release import Credit, Installation, Orders, Races, Screens  # noqa: E402

# In the order in which they are measured: orders first, while no check is switched on.
SECTIONS = {
    "orders": Orders,
    "screens": Screens,
    "credit": Credit,
    "races": Races,
    "installation": Installation,
    "contracts": Contracts,
}


def describe(lab):
    """One sentence on when and where a section was measured."""
    scale = SCALES[lab.scale]
    database = lab.app.database
    version = lab.shop.sql(database, "SHOW server_version")[0][0]
    buffers = lab.shop.sql(database, "SHOW shared_buffers")[0][0]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{date.today().isoformat()}: {scale.customers:,} customers, {scale.orders:,} orders of"
        f" {LINES} lines, {scale.open_items:,} open items; medians of {lab.turns} turns;"
        f" {os.cpu_count()} cores ({platform.machine()}), {memory:.0f} GB, Python"
        f" {platform.python_version()}, PostgreSQL {version} (shared_buffers {buffers})."
    )


def as_table(section):
    rows = [section.columns, ["---"] * len(section.columns), *section.rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def write(name, text):
    """Put the text between the section's marks in the document; all else is written by hand."""
    begin, end = f"<!-- measured: {name} -->", f"<!-- end: {name} -->"
    document = DOCUMENT.read_text()
    if begin not in document:
        raise SystemExit(f"{DOCUMENT.name} has no place for “{name}”: add {begin} and {end}.")
    pattern = f"{re.escape(begin)}.*?{re.escape(end)}"
    block = f"{begin}\n{text}\n{end}"
    DOCUMENT.write_text(re.sub(pattern, lambda _match: block, document, flags=re.DOTALL))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--scale", choices=SCALES, default="small")
    parser.add_argument("--turns", type=int, default=5, help="counted runs of each measurement")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS))
    parser.add_argument("--alone", action="store_true", help="without the public addon")
    parser.add_argument("--keep", action="store_true", help="keep the data for the next run")
    parser.add_argument("--write", action="store_true", help="write docs/performance.md")
    options = parser.parse_args()
    with (
        Workshop.open() as shop,
        Laboratory(shop, options.scale, options.turns, options.alone, options.keep) as lab,
    ):
        for name in (name for name in SECTIONS if name in options.only):
            start = time.perf_counter()
            lab.say(f"== {name}")
            section = SECTIONS[name](lab)
            section.measure()
            lab.say(f"   ({time.perf_counter() - start:.0f} s)")
            if options.write:
                write(name, f"{describe(lab)}\n\n{as_table(section)}")


if __name__ == "__main__":
    main()
