"""What is measured: each function prepares in `env` and returns the work whose time is taken, or
two: what is read before, with an empty cache, and that work.

The work returns figures by which two ways of the same work are compared, or nothing.
"""

from .contracts import *  # noqa: F403
from .release import *  # noqa: F403
