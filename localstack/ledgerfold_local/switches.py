"""Switches the short cuts off, to find out whether one of them causes a fault."""

from __future__ import annotations

import os


def shortcuts_are_on() -> bool:
    """LEDGERFOLD_SHORTCUTS=off leaves LocalStack as it is."""
    return os.environ.get("LEDGERFOLD_SHORTCUTS") != "off"
