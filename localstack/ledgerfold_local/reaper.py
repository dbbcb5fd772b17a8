"""Ends processes whose owner is gone, however it went.

Functions and DynamoDB Local must not outlive LocalStack, also when it is killed with SIGKILL and can do nothing itself.
A small process therefore holds one end of a pipe. Through it the owner tells which process groups exist; when the
kernel closes the owner's end, the rest is killed. The alternative on Linux, PR_SET_PDEATHSIG, follows the
*thread* that started a process, and LocalStack starts functions on threads that end; it also knows nothing of
grandchildren, and nothing of macOS.

`Reaper` is the owner's side; run as a script, this file is the other.
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
    """Knows the process groups that must end with this process. Starts its other side when it is first needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._groups: set[int] = set()
        self._process: subprocess.Popen[bytes] | None = None

    def watch(self, group: int) -> None:
        with self._lock:
            self._groups.add(group)
            self._tell(f"+{group}")

    def forget(self, group: int) -> None:
        """To be called before the group's id can be given to somebody else, that is before its leader is reaped."""
        with self._lock:
            self._groups.discard(group)
            self._tell(f"-{group}")

    def close(self) -> None:
        """Ends all watched processes, as the end of this process would."""
        with self._lock:
            if self._process:
                self._process.communicate()
                self._process = None

    def _tell(self, line: str) -> None:
        try:
            if self._process is None:
                raise BrokenPipeError
            self._send([line])
        except BrokenPipeError:  # Not started yet, or killed by somebody: the new one needs the whole list.
            self._start()
            self._send(f"+{group}" for group in self._groups)

    def _start(self) -> None:
        # -I and -S: it needs no installed package, and starts in 10 ms without them.
        command = [sys.executable, "-I", "-S", __file__]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env={}, bufsize=0)

    def _send(self, lines: Iterable[str]) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write("".join(f"{line}\n" for line in lines).encode())


def main() -> None:
    os.setpgid(0, 0)  # A Ctrl-C in a terminal goes to the owner's group, and this must survive it.
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
