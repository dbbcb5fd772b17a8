"""Runs Python's garbage collector less often, because by default it scans all modules of LocalStack repeatedly."""

from __future__ import annotations

import gc

# The number of new objects before a collection. Python's default is 2,000.
GC_THRESHOLD = 100_000


def collect_rarely() -> None:
    """Excludes the loaded modules, which never become garbage, and raises the threshold."""
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD, 20, 100)
