"""One child process with its group: started, listened to, ended."""

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

# Another thread's fork may hold the fresh executable open for writing until its own exec, and the kernel then refuses
# to start it. That passes within milliseconds.
BUSY_SECONDS = 5.0


class Sandbox:
    """A running process. Its output goes to `on_line`, one line at a time; `on_exit` is called once, at its end."""

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
        self._id_lock = threading.Lock()  # While it is held and `_is_ours`, nobody else can have the process id.
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
        """Asks the kernel: the thread that waits for the end may not have run yet."""
        with self._id_lock:
            return self._is_ours and os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None

    def peak_memory(self) -> int | None:
        """The most memory that the process has held, in bytes, where the system tells (Linux)."""
        try:
            status = Path(f"/proc/{self.pid}/status").read_text()
        except OSError:
            return None
        peaks = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
        return int(peaks[0]) * 1024 if peaks else None

    def kill(self) -> None:
        """Ends the process and everything it has started in its group; returns when it is gone."""
        with self._id_lock:
            if self._is_ours:
                kill_group(self.pid)
        self._gone.wait(10)

    def _await_exit(self) -> None:
        os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)  # Seen, but not reaped: the id is still ours.
        with self._id_lock:
            kill_group(self.pid)
            self._reaper.forget(self.pid)
            self._is_ours = False
            code = self._process.wait()
        self.drain(whole=True)
        self._gone.set()
        self._on_exit(code)

    def _listen(self) -> None:
        """Passes lines on as they come. Ends when nobody can write any more, which is when the group is gone."""
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
        """Passes on the output so far, with `whole` also a last line without an end. False: no more comes.

        A function prints, then answers: a caller with the answer calls this and has every line from before it.
        """
        with self._output_lock:
            more = self._output >= 0 and self._read()
            if self._partial and (whole or not more):
                self._pass_on(self._partial)
                self._partial = b""
            return more

    def _read(self) -> bool:
        """Takes the content of the pipe. False at its end."""
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
