"""The exception for expected failures. The command line shows its message without a traceback."""

from __future__ import annotations


class CliError(Exception):
    """A sentence for the user that explains the failure and, if possible, what to do."""
