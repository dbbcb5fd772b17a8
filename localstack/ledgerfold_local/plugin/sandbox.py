"""Starts a child process in its own process group, reads its output, and ends the group."""

from __future__ import annotations

import errno
import os
import select
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from ledgerfold_local.reaper import Reaper, kill_group

# The fork of another thread may still have the new executable open for writing until its own exec. The kernel then
# refuses to start it, so we retry. This takes milliseconds.
BUSY_SECONDS = 5.0


class Sandbox:
    """A running process. It calls `on_line` for each line of output, and `on_exit` once at the end."""

    def __init__(
        self,
        command: list[str],
        folder: Path,
        variables: Mapping[str, str],
        reaper: Reaper,
        on_line: Callable[[str], None],
        on_exit: Callable[[int], None],
    ) -> None:
        self._on_line = on_line
        self._on_exit = on_exit
        self._reaper = reaper
        self._output, theirs = os.pipe()
        os.set_blocking(self._output, False)
        self._output_lock = threading.Lock()
        self._partial = b""
        self._id_lock = threading.Lock()  # Under this lock, `_is_ours` means that the process id is not reused.
        self._is_ours = True
        self._gone = threading.Event()
        try:
            self._process = self._spawn(command, folder, variables, theirs)
        except OSError:
            os.close(self._output)
            raise
        finally:
            os.close(theirs)
        self.pid = self._process.pid
        reaper.watch(self.pid)
        for work in (self._listen, self._await_exit):
            threading.Thread(target=work, name=f"{work.__name__}-{self.pid}", daemon=True).start()

    @staticmethod
    def _spawn(command: list[str], folder: Path, variables: Mapping[str, str], output: int) -> subprocess.Popen[bytes]:
        deadline = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                return subprocess.Popen(
                    command,
                    cwd=folder,
                    env=dict(variables),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    process_group=0,
                )
            except OSError as error:
                if error.errno != errno.ETXTBSY or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

    def is_alive(self) -> bool:
        """Asks the kernel, because the thread that waits for the exit may not have run yet."""
        with self._id_lock:
            return self._is_ours and os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None

    def peak_memory(self) -> int | None:
        """The peak memory of the process in bytes. None on systems other than Linux."""
        try:
            status = Path(f"/proc/{self.pid}/status").read_text()
        except OSError:
            return None
        peaks = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
        return int(peaks[0]) * 1024 if peaks else None

    def kill(self) -> None:
        """Kills the process and its group, and waits for its exit."""
        with self._id_lock:
            if self._is_ours:
                kill_group(self.pid)
        self._gone.wait(10)

    def _await_exit(self) -> None:
        os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)  # WNOWAIT keeps the zombie, so the id is still ours.
        with self._id_lock:
            kill_group(self.pid)
            self._reaper.forget(self.pid)
            self._is_ours = False
            code = self._process.wait()
        self.drain(whole=True)
        self._gone.set()
        self._on_exit(code)

    def _listen(self) -> None:
        """Passes on lines as they arrive, until all processes of the group have ended."""
        poll = select.poll()
        poll.register(self._output, select.POLLIN)
        more = True
        while more:
            poll.poll()
            more = self.drain()
        with self._output_lock:
            os.close(self._output)
            self._output = -1

    def drain(self, whole: bool = False) -> bool:
        """Passes on the output so far, with `whole` also an incomplete last line. Returns False at the end of output.

        A function prints its lines before it answers. After an answer, this passes on all lines from before it.
        """
        with self._output_lock:
            more = self._output >= 0 and self._read()
            if self._partial and (whole or not more):
                self._pass_on(self._partial)
                self._partial = b""
            return more

    def _read(self) -> bool:
        """Reads the available output. Returns False at the end of the pipe."""
        try:
            while chunk := os.read(self._output, 65536):
                *lines, self._partial = (self._partial + chunk).split(b"\n")
                for line in lines:
                    self._pass_on(line)
        except BlockingIOError:
            return True
        return False

    def _pass_on(self, line: bytes) -> None:
        self._on_line(line.rstrip(b"\r").decode(errors="replace"))
