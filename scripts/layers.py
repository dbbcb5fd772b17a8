#!/usr/bin/env python3
"""Checks that the modules of core depend on each other in one direction only.

vocabulary <- ports <- handlers, and among the handlers only the arrows of `ALLOWED`. The check prints each arrow that
runs backward, with its file and line.
"""

import re
import sys
from pathlib import Path

CORE = Path(__file__).parent.parent / "ledgerfold/core/src"

# The arrows between handlers: each one may use these others.
ALLOWED = {
    "chain": set(),
    "generations": set(),
    "keyring": set(),
    "waiting": set(),
    "relay": {"waiting"},
    "command": {"waiting"},
    "project": {"generations", "waiting"},
    "query": {"generations", "project"},
    "process": {"command", "project", "waiting"},
    "reconcile": {"project", "waiting"},
    "rebuild": {"generations", "project", "reconcile", "waiting"},
    "claims": {"command", "rebuild", "waiting"},
    "erasure": {"command"},
    "context": {"claims", "command", "erasure", "generations", "process", "project", "query"},
}
LAYERS = {"vocabulary": set(), "ports": {"vocabulary"}}

PATH = re.compile(r"\bcrate::(\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}|\w+)")
NESTED = re.compile(r"\{(?:[^{}]|\{[^{}]*\})*\}")


def modules(path: str) -> list[str]:
    """The first names of a path behind `crate::`."""
    if not path.startswith("{"):
        return [path]
    return re.findall(r"(?:^|,)\s*(\w+)", NESTED.sub("", path[1:-1]))


def layer(file: Path) -> str:
    """The layer of a file: vocabulary, ports, or the name of a handler."""
    parts = file.relative_to(CORE).with_suffix("").parts
    return parts[1] if parts[0] == "handlers" and len(parts) > 1 else parts[0]


def backward(file: Path) -> list[str]:
    """The arrows of a file that run backward."""
    here = layer(file)
    if here in ("lib", "handlers", "mod"):
        return []
    text = re.sub(r"//[^\n]*", "", file.read_text())
    arrows = []
    for match in PATH.finditer(text):
        for name in modules(match[1]):
            known = LAYERS.keys() | ALLOWED.keys()
            allowed = LAYERS.get(here) if here in LAYERS else LAYERS.keys() | ALLOWED[here]
            if name in known and name != here and name not in allowed:
                line = text[: match.start()].count("\n") + 1
                arrows.append(f"{file.relative_to(CORE.parent.parent.parent)}:{line}: {here} uses {name}")
    return arrows


def main() -> int:
    files = sorted(CORE.rglob("*.rs"))
    unknown = {layer(file) for file in files} - LAYERS.keys() - ALLOWED.keys() - {"lib", "mod"}
    arrows = [f"{name} is in no layer: add it to {Path(__file__).name}" for name in sorted(unknown)]
    arrows += [arrow for file in files for arrow in backward(file)]
    print("\n".join(arrows), file=sys.stderr, end="\n" if arrows else "")
    return int(bool(arrows))


if __name__ == "__main__":
    sys.exit(main())
