"""StartReplay answers 500 as soon as an event lies in the window.

An event on the bus has its time as text, as consumers see it. The archive keeps it so, and replaying compares it with
the window's times, rounds it to the minute, publishes it again and reports the latest, all of which need a time.
"""

from __future__ import annotations

from datetime import datetime


def as_time(value: datetime | str) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


def keep_times_as_times() -> None:
    from localstack.services.events.archive import ArchiveService

    put_events = ArchiveService.put_events

    def put_events_with_times(self: ArchiveService, events: list) -> None:
        put_events(self, [{**event, "time": as_time(event["time"])} for event in events])

    ArchiveService.put_events = put_events_with_times
