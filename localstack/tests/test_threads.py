"""Tests that finished threads are joined."""

from __future__ import annotations

import threading
import unittest

from ledgerfold_local.plugin.threads import Started


class ThreadsTest(unittest.TestCase):
    def test_finished_threads_are_joined_and_others_stay(self) -> None:
        started, end = Started(), threading.Event()
        self.addCleanup(end.set)
        running = threading.Thread(target=end.wait, daemon=True)
        finished = [threading.Thread(target=int) for _ in range(10)]
        for thread in [running, *finished]:
            thread.start()
            started.add(thread)
        for thread in finished:
            thread.join()
        started.join_finished()
        self.assertEqual(len(started), 1)
        end.set()
        running.join()
        started.join_finished()
        self.assertEqual(len(started), 0)


if __name__ == "__main__":
    unittest.main()
