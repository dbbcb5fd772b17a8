"""Finds programs that are older than the sources of the project. `up` deploys them, but says so."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

# Cargo and other tools mark folders of generated files with this file.
GENERATED = "CACHEDIR.TAG"
SKIPPED = ("target", "node_modules")
MANIFESTS = ("Cargo.toml", "Cargo.lock")
UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def sources(project: Path) -> Iterator[Path]:
    """The files from which Cargo builds programs, except generated ones and those in hidden folders."""
    for folder, folders, files in os.walk(project):
        if GENERATED in files:
            folders.clear()
            continue
        folders[:] = [name for name in folders if not name.startswith(".") and name not in SKIPPED]
        yield from (Path(folder) / name for name in files if name.endswith(".rs") or name in MANIFESTS)


def stale(programs: Iterable[Path], project: Path) -> list[str]:
    """A sentence for each program that is older than the newest source."""
    newest = max(((path.stat().st_mtime, path) for path in sources(project)), default=None)
    if newest is None:
        return []
    changed, source = newest
    now = time.time()
    return [
        f"warning: {program.parent.name} was built {ago(now - built)}, but {source.relative_to(project)} changed "
        f"{ago(now - changed)}: build it, or let `up` do it with --build"
        for program in sorted(programs)
        if (built := program.stat().st_mtime) < changed
    ]


def ago(seconds: float) -> str:
    unit, size = next(((unit, size) for unit, size in UNITS if seconds >= size), ("second", 1))
    count = max(int(seconds / size), 0)
    return f"{count} {unit}{'s' * (count != 1)} ago"
