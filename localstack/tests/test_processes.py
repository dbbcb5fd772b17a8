"""Tests that all processes of a cloud are killed, and no other process."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

from ledgerfold_local import reaper
from ledgerfold_local.processes import ProcessId, end_session, members_of_session, wait_until
from support import TestCase, is_running

SLEEP = ["sleep", "60"]


class ProcessTest(TestCase):
    def spawn(self, *command: str, **options: object) -> subprocess.Popen:
        process = subprocess.Popen(command or SLEEP, start_new_session=True, **options)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def test_a_process_with_a_reused_number_is_left_alone(self) -> None:
        process = self.spawn()
        stranger = ProcessId(process.pid, "some other time")
        self.assertFalse(stranger.is_alive())
        stranger.signal(signal.SIGKILL)
        end_session(stranger)
        self.assertIsNone(process.poll())

    def test_a_process_is_recognised(self) -> None:
        process = self.spawn()
        identity = ProcessId.of(process.pid)
        self.assertTrue(identity.is_alive())
        process.kill()
        self.wait_for(lambda: not identity.is_alive())  # Also as a zombie, before anybody has waited for it.

    def test_a_session_ends_whole(self) -> None:
        shell = self.spawn("sh", "-c", "sleep 60 & sleep 60 & echo started; wait", stdout=subprocess.PIPE)
        shell.stdout.readline()
        members = [member.pid for member in members_of_session(shell.pid)]
        self.assertEqual(len(members), 3)
        end_session(ProcessId.of(shell.pid))
        self.assertEqual([pid for pid in members if is_running(pid)], [])
        shell.stdout.close()

    def test_a_session_ends_also_when_its_leader_is_gone_already(self) -> None:
        script = "sleep 60 & echo $!; read word"
        shell = self.spawn("sh", "-c", script, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        orphan = int(shell.stdout.readline())
        identity = ProcessId.of(shell.pid)
        shell.stdin.close()
        shell.wait()
        self.assertTrue(is_running(orphan))
        end_session(identity)
        self.assertFalse(is_running(orphan))
        shell.stdout.close()

    def test_waiting_has_an_end(self) -> None:
        began = time.monotonic()
        self.assertFalse(wait_until(lambda: False, 0.05, every=0.01))
        self.assertLess(time.monotonic() - began, 1)


OWNER = """
import subprocess, sys
from ledgerfold_local.reaper import Reaper
reaper = Reaper()
watched, forgotten = (subprocess.Popen(["sleep", "60"], start_new_session=True) for _ in range(2))
reaper.watch(watched.pid)
reaper.watch(forgotten.pid)
reaper.forget(forgotten.pid)
print(watched.pid, forgotten.pid, reaper._process.pid, flush=True)
sys.stdin.read()
"""


class ReaperTest(TestCase):
    def owner(self) -> tuple[subprocess.Popen, int, int, int]:
        root = str(Path(reaper.__file__).parent.parent)
        owner = subprocess.Popen(
            [sys.executable, "-c", OWNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"PYTHONPATH": root}
        )
        watched, forgotten, other_side = map(int, owner.stdout.readline().split())
        self.addCleanup(reaper.kill_group, forgotten)
        self.addCleanup(owner.stdin.close)
        self.addCleanup(owner.stdout.close)
        self.addCleanup(owner.wait)
        self.addCleanup(owner.kill)
        return owner, watched, forgotten, other_side

    def test_watched_processes_end_with_a_killed_owner(self) -> None:
        owner, watched, forgotten, other_side = self.owner()
        owner.kill()
        self.wait_for(lambda: not is_running(watched) and not is_running(other_side))
        self.assertTrue(is_running(forgotten))

    def test_a_reaper_that_was_killed_is_replaced(self) -> None:
        watcher = reaper.Reaper()
        processes = [subprocess.Popen(SLEEP, start_new_session=True) for _ in range(2)]
        for process in processes:
            self.addCleanup(process.wait)
            self.addCleanup(process.kill)
        watcher.watch(processes[0].pid)
        first = watcher._process
        first.kill()
        first.wait()
        watcher.watch(processes[1].pid)
        self.assertIsNot(watcher._process, first)
        watcher.close()
        for process in processes:
            self.assertEqual(process.wait(5), -signal.SIGKILL)
        first.stdin.close()
