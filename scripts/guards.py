#!/usr/bin/env python3
"""Checks that every test that docs/invariants.md and docs/decisions name as a guard exists.

A guard is written `module::test`, and `…` may replace the modules in between or a part of the name.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent

GUARD = re.compile(r"`(?:[\w…]+::)+([a-z][a-z0-9_…]*)`")
FOLDERS = ["events", "functions", "infra", "ledgerfold", "localstack"]
FUNCTION = re.compile(r"\b(?:fn|def|mod) (\w+)")


def functions() -> set[str]:
    """The names of all functions and modules of the repository."""
    files = (file for folder in FOLDERS for file in (ROOT / folder).rglob("*") if file.suffix in (".rs", ".py"))
    return {name for file in files for name in FUNCTION.findall(file.read_text())}


def documents() -> list[Path]:
    """The table of invariants, which must exist, and the decisions."""
    return [ROOT / "docs/invariants.md", *sorted((ROOT / "docs/decisions").glob("*.md"))]


def exists(guard: str, known: set[str]) -> bool:
    if "…" not in guard:
        return guard in known
    first, _, last = guard.partition("…")
    return any(name.startswith(first) and name.endswith(last) for name in known)


def main() -> int:
    known = functions()
    missing = [
        f"{document.relative_to(ROOT)}:{number}: no test is named {guard}"
        for document in documents()
        for number, line in enumerate(document.read_text().splitlines(), 1)
        for guard in GUARD.findall(line)
        if not exists(guard, known)
    ]
    print("\n".join(missing), file=sys.stderr, end="\n" if missing else "")
    return int(bool(missing))


if __name__ == "__main__":
    sys.exit(main())
