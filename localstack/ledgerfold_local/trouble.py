"""The one exception that the command line shows: a sentence for the person at the terminal, without a traceback."""

from __future__ import annotations


class Trouble(Exception):  # noqa: N818 (it is what the person has, not what the program did wrong)
    pass
