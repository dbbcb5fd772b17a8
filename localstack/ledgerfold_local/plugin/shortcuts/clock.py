"""Shortens the minutes of scheduled rules, because users and tests wait for them.

In `rate(5 minutes)`, a minute has LEDGERFOLD_MINUTE seconds. Hours, days and crons use real time.
"""

from __future__ import annotations

import os
import re
import time
from typing import Any

# LocalStack converts rates to crons.
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
    """Whether a rule is due, by the number of minutes since its creation."""
    job.minutes = getattr(job, "minutes", 0) + 1
    return job.minutes % int(MINUTES.fullmatch(job.schedule)[1]) == 0


def once(job: Any, is_due: Any) -> bool:
    """Whether a cron is due. LocalStack says so during the whole minute before its time, so this runs it only once."""
    now = time.monotonic()
    if now - getattr(job, "ran_at", -60.0) < 60.0 or not is_due(job):
        return False
    job.ran_at = now
    return True
