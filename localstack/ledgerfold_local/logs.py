"""`logs`: prints the output of all functions, ordered by time.

With LocalStack, the plugin writes one file per function. MiniStack keeps lines only in CloudWatch Logs.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from ledgerfold_local.cloud import Record
from ledgerfold_local.files import read_json
from ledgerfold_local.layout import Layout
from ledgerfold_local.errors import CliError

FOLLOW_SECONDS = 0.3


class Line(NamedTuple):
    time: str
    function: str
    text: str


class Source(Protocol):
    def new_lines(self) -> list[Line]:
        """The lines since the last call."""


def show(layout: Layout, function: str | None, follow: bool) -> None:
    names = function_names(layout)
    if function:
        names = {short: name for short, name in names.items() if function in (short, name)} or {function: function}
    source = source_for(layout, names, only=function is not None)
    print(f"# the emulator's own log: {layout.emulator_log}", file=sys.stderr)
    width = max(map(len, names), default=0)
    while True:
        for line in source.new_lines():
            print(line.time, line.function.ljust(width), line.text, flush=True)
        if not follow:
            return
        time.sleep(FOLLOW_SECONDS)


def function_names(layout: Layout) -> dict[str, str]:
    """The short names in stack.json, with the names that CloudFormation generated."""
    contexts = (read_json(layout.stack) or {}).get("contexts", {})
    return {short: name for context in contexts.values() for short, name in context["functions"].items()}


def source_for(layout: Layout, names: dict[str, str], only: bool) -> Source:
    record = Record.read(layout)
    if record and record.emulator == "ministack":
        if not record.process.is_alive():
            raise CliError("MiniStack has stopped, and the logs of its functions are lost.")
        return CloudWatch(record.port, names)
    if not layout.logs.is_dir():
        raise CliError("There are no logs, because no local cloud has run here.")
    return Files(layout.logs, names, only)


class Files:
    def __init__(self, folder: Path, names: dict[str, str], only: bool) -> None:
        self._folder = folder
        self._short = {name: short for short, name in names.items()}
        self._only = only
        self._read: dict[Path, int] = {}

    def new_lines(self) -> list[Line]:
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


class CloudWatch:
    def __init__(self, port: int, names: dict[str, str]) -> None:
        from ledgerfold_local.aws import Aws

        self._logs = Aws(port).client("logs")
        self._groups = {short: self._group_of(Aws(port).client("lambda"), name) for short, name in names.items()}
        self._seen: set[str] = set()

    @staticmethod
    def _group_of(functions: Any, name: str) -> str:
        try:
            configuration = functions.get_function_configuration(FunctionName=name)
        except functions.exceptions.ResourceNotFoundException:
            raise CliError(f"The function {name} does not exist.") from None
        return configuration.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{name}"

    def new_lines(self) -> list[Line]:
        return by_time(self._lines_of(short, group) for short, group in self._groups.items())

    def _lines_of(self, short: str, group: str) -> list[Line]:
        try:
            pages = self._logs.get_paginator("filter_log_events").paginate(logGroupName=group)
            events = [event for page in pages for event in page["events"]]
        except self._logs.exceptions.ResourceNotFoundException:
            return []  # The function has not printed anything yet.
        fresh = [event for event in events if identity(event) not in self._seen]
        self._seen.update(identity(event) for event in fresh)
        return [Line(iso(event["timestamp"]), short, event["message"].rstrip("\n")) for event in fresh]


def by_time(sources: Iterable[list[Line]]) -> list[Line]:
    """Sorts lines by time. Lines of one function with equal times keep their order."""
    return sorted((line for lines in sources for line in lines), key=lambda line: line.time)


def identity(event: dict[str, Any]) -> str:
    """A key for a line. MiniStack has no event ids, so the key contains the stream, the time and the text."""
    return event.get("eventId") or f"{event['logStreamName']} {event['timestamp']} {event['message']}"


def iso(milliseconds: int) -> str:
    moment = datetime.fromtimestamp(milliseconds / 1000, timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
