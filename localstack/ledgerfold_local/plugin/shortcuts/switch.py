"""Whether LocalStack takes the short cuts."""

from __future__ import annotations

import os


def shortcuts_are_on() -> bool:
    """LEDGERFOLD_SHORTCUTS=off leaves LocalStack as it is, to find out whether a fault comes from here."""
    return os.environ.get("LEDGERFOLD_SHORTCUTS") != "off"
