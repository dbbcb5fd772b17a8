"""Python's garbage collector, which looks through all that LocalStack has loaded again and again while it loads more."""

from __future__ import annotations

import gc

# Objects made before the youngest are looked through. Python's own number, 2,000, is for programs without gigabytes.
YOUNG = 100_000


def collect_seldom() -> None:
    """Sets aside what is loaded by now, which never becomes garbage."""
    gc.freeze()
    gc.set_threshold(YOUNG, 20, 100)
