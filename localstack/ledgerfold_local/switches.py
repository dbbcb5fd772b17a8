"""A switch that turns the short cuts off, to find out whether one of them causes a fault."""

from __future__ import annotations

import os


def shortcuts_are_on() -> bool:
    """Whether short cuts are on. LEDGERFOLD_SHORTCUTS=off leaves LocalStack unchanged."""
    return os.environ.get("LEDGERFOLD_SHORTCUTS") != "off"
