"""Where the lines of a function go: at once to one file per function, and in the end to CloudWatch Logs.

The file is for people and tests: `make logs` shows it. A line in it starts with the time and the first characters of
the environment's id, as several environments of a function write to one file.
"""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime
from pathlib import Path

# CloudWatch Logs takes 1 MB and 10,000 events in one call, and LocalStack sends an invocation's lines in one.
MOST_LINES = 5_000
MOST_BYTES = 500_000


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class FunctionLog:
    """The lines of one execution environment."""

    def __init__(self, folder: Path | None, function: str, environment_id: str) -> None:
        self._label = environment_id[:8]
        self._lock = threading.Lock()  # The process's output and what Lambda says come from different threads.
        self._lines: list[str] = []
        self._bytes = 0
        self._file: int | None = None
        self._path = folder / f"{function}.log" if folder else None
        if self._path:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # One write per line to a file opened for appending: lines of several environments do not mix.
            self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)

    def write(self, line: str) -> None:
        with self._lock:
            if self._file is not None:
                os.write(self._file, f"{now()} {self._label} {line}\n".encode(errors="replace"))
            self._keep(line)

    def _keep(self, line: str) -> None:
        size = len(line) + 1
        if len(self._lines) < MOST_LINES and self._bytes + size <= MOST_BYTES:
            self._lines.append(line)
        elif self._bytes <= MOST_BYTES:
            self._lines.append(f"(more lines are in {self._path})")
            size = MOST_BYTES  # Once is enough.
        self._bytes += size

    def take(self) -> str:
        """The lines since the last call, as LocalStack hands them to CloudWatch Logs and to `LogType: Tail`."""
        with self._lock:
            lines, self._lines, self._bytes = self._lines, [], 0
        return "".join(f"{line}\n" for line in lines)

    def close(self) -> None:
        with self._lock:
            if self._file is not None:
                os.close(self._file)
                self._file = None
