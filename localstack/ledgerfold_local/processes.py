"""Processes told apart beyond doubt, and ended with all that belongs to them.

Standard library only: `down` has to work with any Python.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True)
class ProcessId:
    """A process, and no later one with its number: numbers are reused, a number with a start time is not."""

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> ProcessId | None:
        started = start_time(pid)
        return cls(pid, started) if started else None

    def is_alive(self) -> bool:
        return start_time(self.pid) == self.started

    def signal(self, number: signal.Signals) -> None:
        if self.is_alive():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(self.pid, number)


def start_time(pid: int) -> str | None:
    """When a process began, in the system's own terms; None if there is none, or only a zombie."""
    if PROC.joinpath("self/stat").exists():
        fields = stat_fields(pid)
        # Ticks since the system started, so the start of the system belongs to it.
        return f"{boot_id()}/{fields[19]}" if fields and fields[0] != "Z" else None
    # macOS. To the second, which is exact enough for a number to be given again.
    done = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True)
    state, _, started = done.stdout.strip().partition(" ")
    return started.strip() if started and not state.startswith("Z") else None


def stat_fields(pid: int) -> list[str] | None:
    """The fields after the name, which may itself hold spaces and parentheses: state, parent, group, session, ..."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def boot_id() -> str:
    return (PROC / "sys/kernel/random/boot_id").read_text().strip()


def all_pids() -> Iterable[int]:
    if PROC.joinpath("self/stat").exists():
        return [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()]
    done = subprocess.run(["ps", "-axo", "pid="], capture_output=True, text=True)
    return [int(pid) for pid in done.stdout.split()]


def members_of_session(session: int) -> list[ProcessId]:
    """Everything that descends from the leader of a session and has not left it. The leader may be gone: as long as
    anybody is in its session, its number is not given to another process."""
    found = []
    for pid in all_pids():
        try:
            if os.getsid(pid) != session:
                continue
        except (ProcessLookupError, PermissionError):
            continue
        process = ProcessId.of(pid)
        if process:
            found.append(process)
    return found


def wait_until(condition: Callable[[], bool], seconds: float, every: float = 0.05) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(every)
    return True


def end_session(leader: ProcessId) -> None:
    """Ends a process and its session at once: processes here keep no data, and a polite signal takes seconds.

    A reaper in the session ends processes that have left it, and then itself; the rest is killed a moment later.
    """
    if start_time(leader.pid) not in (leader.started, None):
        return  # The number belongs to somebody else, so nothing of the session is left.
    leader.signal(signal.SIGKILL)
    if not wait_until(lambda: not members_of_session(leader.pid), 1.0):
        for process in members_of_session(leader.pid):
            process.signal(signal.SIGKILL)
        wait_until(lambda: not members_of_session(leader.pid), 5.0)
