"""The log of a function: each line goes to a file immediately.

The file is for users and tests, and `logs` shows it. Several environments of a function write to one file, so each line
starts with the time and the first characters of the environment's id.
"""

from __future__ import annotations

import os
import threading
from datetime import datetime, timezone
from pathlib import Path

# CloudWatch Logs accepts 1 MB and 10,000 events per call, and LocalStack sends all lines of an invocation in one call.
MAX_LINES = 5_000
MAX_BYTES = 500_000


def now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class LogFile:
    """The file of one function, or none if there is no folder."""

    def __init__(self, folder: Path | None, function: str) -> None:
        self._lock = threading.Lock()  # Another thread may close the file.
        self._file: int | None = None
        self.path = folder / f"{function}.log" if folder else None
        if self.path:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # One write per line in append mode, so that lines of several environments do not mix.
            self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)

    def write(self, environment_id: str, line: str) -> None:
        with self._lock:
            if self._file is not None:
                os.write(self._file, f"{now()} {environment_id[:8]} {line}\n".encode(errors="replace"))

    def close(self) -> None:
        with self._lock:
            if self._file is not None:
                os.close(self._file)
                self._file = None


class FunctionLog:
    """The lines of one execution environment. It keeps them for CloudWatch Logs until the end of the invocation."""

    def __init__(self, folder: Path | None, function: str, environment_id: str) -> None:
        self._file = LogFile(folder, function)
        self._environment_id = environment_id
        self._lock = threading.Lock()  # The lines of the process and of Lambda come from different threads.
        self._lines: list[str] = []
        self._bytes = 0

    def write(self, line: str) -> None:
        with self._lock:
            self._file.write(self._environment_id, line)
            self._keep(line)

    def _keep(self, line: str) -> None:
        size = len(line) + 1
        if len(self._lines) < MAX_LINES and self._bytes + size <= MAX_BYTES:
            self._lines.append(line)
        elif self._bytes <= MAX_BYTES:
            self._lines.append(f"(more lines are in {self._file.path})")
            size = MAX_BYTES  # Prevents a second notice.
        self._bytes += size

    def take(self) -> str:
        """The lines since the last call. LocalStack passes them to CloudWatch Logs and to `LogType: Tail`."""
        with self._lock:
            lines, self._lines, self._bytes = self._lines, [], 0
        return "".join(f"{line}\n" for line in lines)

    def close(self) -> None:
        self._file.close()
