"""Two defects of replays: StartReplay answers 500 as soon as an event lies in the window, and reaches every rule.

An event on the bus has its time as text, as consumers see it. The archive keeps it so, and replaying compares it with
the window's times, rounds it to the minute, publishes it again and reports the latest, all of which need a time.

A replay's FilterArns are kept with it and never looked at, so that it goes to all consumers of the bus.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any


def as_time(value: datetime | str) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


def keep_times_as_times() -> None:
    from localstack.services.events.archive import ArchiveService

    put_events = ArchiveService.put_events

    def put_events_with_times(self: ArchiveService, events: list) -> None:
        put_events(self, [{**event, "time": as_time(event["time"])} for event in events])

    ArchiveService.put_events = put_events_with_times


def reach_only_rules_that_are_named() -> None:
    from localstack.services.events.provider import EventsProvider

    process_rules = EventsProvider._process_rules

    def process_rules_of_replay(
        self: EventsProvider, rule: Any, region: str, account_id: str, event_formatted: Mapping, trace_header: Any
    ) -> None:
        replay = self.get_store(region, account_id).replays.get(event_formatted.get("replay-name"))
        named = replay.destination.get("FilterArns") if replay else None
        if not named or rule.arn in named:
            process_rules(self, rule, region, account_id, event_formatted, trace_header)

    EventsProvider._process_rules = process_rules_of_replay
