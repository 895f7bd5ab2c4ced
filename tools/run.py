#!/usr/bin/env python3
"""What `make` calls: python3 tools/run.py VERB [arguments].

Needs nothing but Python's standard library; everything else is fetched.
"""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from sas import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main.main(sys.argv[1:]))
