"""Replays have two defects: StartReplay answers 500 if an event is in the window, and a replay reaches every rule.

Events on the bus and in the archive contain their time as text. A replay compares it with the window, rounds it to the
minute and reports the latest, and each of these steps needs a time object.

LocalStack stores the FilterArns of a replay but ignores them, so the replay reaches all consumers of the bus.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any


def as_time(value: datetime | str) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


def convert_event_times() -> None:
    from localstack.services.events.archive import ArchiveService

    put_events = ArchiveService.put_events

    def put_events_with_times(self: ArchiveService, events: list) -> None:
        put_events(self, [{**event, "time": as_time(event["time"])} for event in events])

    ArchiveService.put_events = put_events_with_times


def deliver_to_named_rules_only() -> None:
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
