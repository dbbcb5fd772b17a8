"""Finds a Python for an emulator, or downloads one."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from ledgerfold_local.setup.packages import LOCKS, make_venv
from ledgerfold_local.setup.pieces import Facts, Piece, pins_of
from ledgerfold_local.setup.programs import SetupError, answer, run, say

Version = tuple[int, int]
# The first version is included, the second excluded. LocalStack 4.14 uses syntax of 3.13, and its requirements conflict
# with each other on 3.14.
PYTHONS: dict[str, tuple[Version, Version]] = {"localstack": ((3, 13), (3, 14)), "ministack": ((3, 10), (4, 0))}


def candidates(lowest: Version, highest: Version) -> Iterator[str]:
    """Programs that may be a Python of the wanted versions: this one, then the path's and pyenv's, newest first."""
    yield sys.executable
    newest = highest[1] - 1 if highest[0] == lowest[0] else 14
    for minor in range(newest, lowest[1] - 1, -1):
        yield f"python{lowest[0]}.{minor}"
    yield "python3"
    roots = [Path(os.environ["PYENV_ROOT"])] if os.environ.get("PYENV_ROOT") else []
    roots.append(Path.home() / ".pyenv")
    for root in roots:
        found = root.glob("versions/*/bin/python")
        yield from map(str, sorted(found, key=lambda python: version_key(python.parts[-3]), reverse=True))


def version_key(name: str) -> tuple[int, ...]:
    """Sorts folder names such as 3.9.18 and 3.13.0 as versions. Other names come last."""
    return tuple(map(int, re.findall(r"\d+", name))) if name[:1].isdigit() else ()


def version_of(python: str) -> Version | None:
    """The version of a Python, or None if it cannot create virtual environments, as on some Debian systems."""
    said = answer([python, "-c", "import sys, venv, ensurepip; print(*sys.version_info[:2])"])
    match = re.fullmatch(r"(\d+) (\d+)", said or "")
    return (int(match[1]), int(match[2])) if match else None


def find_python(lowest: Version, highest: Version) -> str | None:
    tried = set()
    for python in candidates(lowest, highest):
        if python not in tried:
            tried.add(python)
            version = version_of(python)
            if version and lowest <= version < highest:
                return python
    return None


def python_from_uv(version: Version) -> str | None:
    """Lets `uv` from PyPI download a Python. Returns None if the download fails, for example behind a firewall."""
    wanted = f"{version[0]}.{version[1]}"

    def fetch(folder: Path) -> Facts:
        say(f"Python {wanted} is not installed; fetching uv to download it (60 MB)")
        return {"uv": str(make_venv(sys.executable, folder / "venv", LOCKS / "uv.lock").parent / "uv")}

    try:
        piece = Piece("uv", pins_of(LOCKS / "uv.lock"))
        uv = piece.ensure(fetch)["uv"]
        folder = str(piece.folder / "pythons")
        say(f"downloading Python {wanted}")
        run("Getting Python from uv", [uv, "python", "install", "--no-bin", "--install-dir", folder, wanted])
    except SetupError as error:
        say(str(error))
        return None
    pythons = sorted(Path(folder).glob(f"*{wanted}*/bin/python3"))
    return str(pythons[-1]) if pythons else None


def python_for(emulator: str) -> str:
    lowest, highest = PYTHONS[emulator]
    python = find_python(lowest, highest) or python_from_uv(lowest)
    if python:
        return python
    if emulator == "localstack":
        raise SetupError(
            "LocalStack 4.14 needs Python 3.13, which is neither on the path nor in pyenv and could not be downloaded: "
            "install it, or use EMULATOR=ministack, which needs Python 3.10 or newer."
        )
    raise SetupError("MiniStack needs Python 3.10 or newer, which is neither on the path nor in pyenv: install it.")
