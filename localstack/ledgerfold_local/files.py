"""Reads JSON files, and writes them atomically."""

from __future__ import annotations

import json
from pathlib import Path


def write_json(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f"{path.name}.half")
    half.write_text(json.dumps(content, indent=2) + "\n")
    half.replace(path)


def read_json(path: Path) -> dict | None:
    """The content of the file, or None if it is missing or malformed."""
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None
