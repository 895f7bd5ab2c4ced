#!/usr/bin/env python3
"""What `make` calls: python3 tools/run.py VERB [arguments].

Needs nothing but Python's standard library; everything else is fetched.
"""

import sys

if sys.version_info < (3, 10):  # noqa: UP036
    sys.exit(
        "ERROR: Python {}.{} does not serve: install Python 3.11 and call"
        " `make PYTHON=python3.11`.".format(*sys.version_info)
    )

from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from sas import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main.main(sys.argv[1:]))
