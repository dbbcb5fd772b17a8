"""Ends processes whose owner has ended, even if the owner was killed.

Functions and DynamoDB Local must not outlive LocalStack, even if SIGKILL ends it. A small process, the reaper,
therefore reads from a pipe. The owner writes its process groups to the pipe. When the kernel closes the owner's end,
the reaper kills the remaining groups.

We do not use PR_SET_PDEATHSIG. It depends on the *thread* that started a process, and LocalStack starts functions on
short-lived threads. It also ignores grandchildren and does not exist on macOS.

`Reaper` is the owner's side. Run as a script, this file is the reaper.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable


def kill_group(group: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


class Reaper:
    """Registers process groups that must end with this process. Starts the reaper when the first group is added."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._groups: set[int] = set()
        self._process: subprocess.Popen[bytes] | None = None

    def watch(self, group: int) -> None:
        with self._lock:
            self._groups.add(group)
            self._tell(f"+{group}")

    def forget(self, group: int) -> None:
        """Removes a group. Call it before waiting for the leader, because after that the system may reuse the id."""
        with self._lock:
            self._groups.discard(group)
            self._tell(f"-{group}")

    def close(self) -> None:
        """Ends all watched processes."""
        with self._lock:
            if self._process:
                self._process.communicate()
                self._process = None

    def _tell(self, line: str) -> None:
        try:
            if self._process is None:
                raise BrokenPipeError
            self._send([line])
        except BrokenPipeError:  # The reaper has not started or was killed. A new one needs the whole list.
            self._start()
            self._send(f"+{group}" for group in self._groups)

    def _start(self) -> None:
        # -I and -S skip installed packages, so that it starts in 10 ms.
        command = [sys.executable, "-I", "-S", __file__]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env={}, bufsize=0)

    def _send(self, lines: Iterable[str]) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write("".join(f"{line}\n" for line in lines).encode())


def main() -> None:
    os.setpgid(0, 0)  # Ctrl-C reaches the owner's group, and the reaper must survive it.
    groups: set[int] = set()
    for line in sys.stdin:
        group = int(line[1:])
        if line[0] == "+":
            groups.add(group)
        else:
            groups.discard(group)
    for group in groups:
        kill_group(group)


if __name__ == "__main__":
    main()
