"""The threads of LocalStack. A finished one is joined, so that it gives its stack back.

LocalStack keeps each thread for its shutdown and never joins it. Since Python 3.13, the stack of such a thread stays. It
has two maps of memory, and Linux gives a process 65,530 (`vm.max_map_count`), so after 32,000 threads LocalStack starts no
other and fails every request.
"""

from __future__ import annotations

import threading
from collections import deque

# How long a stack stays. Hundreds of threads may start in this time, which is far from the limit.
SECONDS = 5.0


class Started:
    """The threads that have started and were not joined here yet."""

    def __init__(self) -> None:
        self._threads: deque[threading.Thread] = deque()

    def __len__(self) -> int:
        return len(self._threads)

    def add(self, thread: threading.Thread) -> None:
        self._threads.append(thread)

    def join_finished(self) -> None:
        for _ in range(len(self._threads)):
            thread = self._threads.popleft()
            if thread.is_alive():
                self._threads.append(thread)
            else:
                thread.join()


def join_finished_threads() -> None:
    """Joins every thread that finishes from now on."""
    started = Started()
    start = threading.Thread.start

    def start_and_note(self: threading.Thread) -> None:
        start(self)
        started.add(self)

    def keep_joining() -> None:
        pause = threading.Event()
        while not pause.wait(SECONDS):
            started.join_finished()

    threading.Thread(target=keep_joining, name="join-finished", daemon=True).start()
    threading.Thread.start = start_and_note  # type: ignore[method-assign]
