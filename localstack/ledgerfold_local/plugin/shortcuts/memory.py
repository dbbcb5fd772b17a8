"""Python's garbage collector: by default it searches everything that LocalStack has loaded, again and again."""

from __future__ import annotations

import gc

# New objects before a collection. Python's default is 2,000.
YOUNG = 100_000


def collect_seldom() -> None:
    """Leaves out the modules that are loaded by now: they never become garbage."""
    gc.freeze()
    gc.set_threshold(YOUNG, 20, 100)
