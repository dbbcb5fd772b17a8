"""Identifies processes reliably, and ends them with all their children.

Uses only the standard library, because `down` must work with any Python.
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
    """Identifies a process by its number and its start time, because the system reuses numbers."""

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
    """The start time of a process in the system's format, or None if it does not exist or is a zombie."""
    if PROC.joinpath("self/stat").exists():
        fields = stat_fields(pid)
        # The field counts ticks since the boot, so we add the id of the boot.
        return f"{boot_id()}/{fields[19]}" if fields and fields[0] != "Z" else None
    # macOS. Its precision is a second, which is enough, because a number is not reused that soon.
    done = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True)
    state, _, started = done.stdout.strip().partition(" ")
    return started.strip() if started and not state.startswith("Z") else None


def stat_fields(pid: int) -> list[str] | None:
    """The fields after the name: state, parent, group, session, ... The name may contain spaces and parentheses."""
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
    """All processes in a session. The leader may have ended: the system does not reuse its number while the session has
    members."""
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
    """Kills a process and its session. A graceful stop would take seconds, and these processes keep no data.

    A reaper in the session first ends the processes that have left the session. A second later the rest is killed.
    """
    if start_time(leader.pid) not in (leader.started, None):
        return  # Another process has this number, so the session has ended.
    leader.signal(signal.SIGKILL)
    if not wait_until(lambda: not members_of_session(leader.pid), 1.0):
        for process in members_of_session(leader.pid):
            process.signal(signal.SIGKILL)
        wait_until(lambda: not members_of_session(leader.pid), 5.0)
