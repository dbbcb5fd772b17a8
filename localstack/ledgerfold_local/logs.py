"""`logs`: prints the output of all functions, ordered by time. Each function has a file."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from ledgerfold_local.errors import CliError
from ledgerfold_local.files import read_json
from ledgerfold_local.layout import Layout

FOLLOW_SECONDS = 0.3


class Line(NamedTuple):
    time: str
    function: str
    text: str


def show(layout: Layout, function: str | None, follow: bool) -> None:
    names = function_names(layout)
    if function:
        wanted = {label: name for label, name in names.items() if function in (label, label.rpartition("/")[2], name)}
        names = wanted or {function: function}
    if not layout.logs.is_dir():
        raise CliError("There are no logs, because no local cloud has run here.")
    source = Files(layout.logs, names, only=function is not None)
    print(f"# the emulator's own log: {layout.emulator_log}", file=sys.stderr)
    width = max(map(len, names), default=0)
    while True:
        for line in source.new_lines():
            print(line.time, line.function.ljust(width), line.text, flush=True)
        if not follow:
            return
        time.sleep(FOLLOW_SECONDS)


def function_names(layout: Layout) -> dict[str, str]:
    """The labels of functions, with the names that CloudFormation generated. A label is the name in stack.json. If
    there are several contexts, the label starts with the context, such as orders/relay."""
    contexts = (read_json(layout.stack) or {}).get("contexts", {})
    return {
        f"{context}/{short}" if len(contexts) > 1 else short: name
        for context, entry in contexts.items()
        for short, name in entry["functions"].items()
    }


class Files:
    def __init__(self, folder: Path, names: dict[str, str], only: bool) -> None:
        self._folder = folder
        self._short = {name: short for short, name in names.items()}
        self._only = only
        self._read: dict[Path, int] = {}

    def new_lines(self) -> list[Line]:
        """The lines since the last call."""
        return by_time(map(self._lines_of, self._files()))

    def _files(self) -> Iterable[Path]:
        return [path for path in sorted(self._folder.glob("*.log")) if not self._only or path.stem in self._short]

    def _lines_of(self, path: Path) -> list[Line]:
        with path.open("rb") as file:
            file.seek(self._read.get(path, 0))
            whole, end, _partial = file.read().rpartition(b"\n")
        self._read[path] = self._read.get(path, 0) + len(whole) + len(end)
        function = self._short.get(path.stem, path.stem)
        split = (line.partition(" ") for line in whole.decode(errors="replace").split("\n") if line)
        return [Line(when, function, text) for when, _, text in split]


def by_time(sources: Iterable[list[Line]]) -> list[Line]:
    """Sorts lines by time. Lines of one function with equal times keep their order."""
    return sorted((line for lines in sources for line in lines), key=lambda line: line.time)
