"""The virtual environment of each emulator."""

from __future__ import annotations

import os
from pathlib import Path

from ledgerfold_local.setup.packages import LOCKS, make_venv
from ledgerfold_local.setup.pieces import Facts, Piece, pins_of
from ledgerfold_local.setup.programs import say
from ledgerfold_local.setup.pythons import python_for

EMULATORS = ("localstack", "ministack")
MEGABYTES = {"localstack": 500, "ministack": 200}


def environment_of(emulator: str) -> Piece:
    """The piece with the emulator's virtual environment. Its fact `python` is the path of the interpreter."""
    return Piece(emulator, pins_of(LOCKS / f"{emulator}.lock"))


def set_up_emulator(emulator: str) -> str:
    """Installs the emulator if necessary, and returns its Python."""

    def install(folder: Path) -> Facts:
        python = python_for(emulator)
        say(
            f"installing {emulator} with {python} ({MEGABYTES[emulator]} MB; "
            "up to two minutes, depending on the network and the machine)"
        )
        return {"python": str(make_venv(python, folder / "venv", LOCKS / f"{emulator}.lock"))}

    # The environment depends on the Python that created it, which an update may have removed.
    return environment_of(emulator).ensure(install, works=lambda facts: os.access(facts["python"], os.X_OK))["python"]
