"""A mapping of a change stream that is switched off and on again starts from the beginning of the stream.

On AWS it continues. Here the relay would publish every commit again, also those that an operator has dealt with.
"""

from __future__ import annotations

from typing import Any


def keep_positions() -> None:
    from localstack.services.lambda_.event_source_mapping import esm_worker_factory as factory

    factory.DynamoDBPoller = with_position(factory.DynamoDBPoller, {})


def with_position(poller: type, positions: dict[str, dict[str, str]]) -> type:
    """A poller that begins at its mapping's position, if there is one. `positions` holds the shard iterators by mapping
    and shard. Every change of a mapping makes a new poller."""

    class PollerWithPosition(poller):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            self.shards = dict(positions.get(self.esm_uuid, {}))

        def poll_events(self) -> None:
            super().poll_events()
            # The function has taken the records, or has failed as often as it may.
            positions[self.esm_uuid] = dict(self.shards)

    return PollerWithPosition
