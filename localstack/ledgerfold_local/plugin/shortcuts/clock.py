"""The clock of scheduled rules, for which a person or a test is waiting here.

In `rate(5 minutes)`, a minute has LEDGERFOLD_MINUTE seconds. Hours, days and crons keep to the clock on the wall.
"""

from __future__ import annotations

import os
import re
import time
from typing import Any

# LocalStack makes crons of rates.
MINUTES = re.compile(r"\*/(\d+) \* \* \* \*")


def shorten_minutes() -> None:
    from localstack.services.events.scheduler import Job, JobScheduler

    seconds = float(os.environ.get("LEDGERFOLD_MINUTE", "60"))
    is_due = Job.should_run_now

    def loop(self: JobScheduler, *_arguments: Any) -> None:
        while not self._stop_event.wait(seconds):
            for job in list(self.jobs):
                job.run()

    def should_run_now(self: Job) -> bool:
        return ticks(self) if MINUTES.fullmatch(self.schedule) else once(self, is_due)

    JobScheduler.loop = loop
    Job.should_run_now = should_run_now


def ticks(job: Any) -> bool:
    """Counts the minutes since the rule was made."""
    job.minutes = getattr(job, "minutes", 0) + 1
    return job.minutes % int(MINUTES.fullmatch(job.schedule)[1]) == 0


def once(job: Any, is_due: Any) -> bool:
    """LocalStack says "due" during the whole minute before a cron's time. The job runs once in it."""
    now = time.monotonic()
    if now - getattr(job, "ran_at", -60.0) < 60.0 or not is_due(job):
        return False
    job.ran_at = now
    return True
