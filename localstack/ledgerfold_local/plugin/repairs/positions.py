"""A change stream's mapping that is disabled and enabled again starts from the beginning of the stream.

On AWS it continues at its position. Without this fix, the relay would publish every commit again, even those that an
operator has already handled.
"""

from __future__ import annotations

from typing import Any


def keep_positions() -> None:
    from localstack.services.lambda_.event_source_mapping import esm_worker_factory as factory

    factory.DynamoDBPoller = with_position(factory.DynamoDBPoller, {})


def with_position(poller: type, positions: dict[str, dict[str, str]]) -> type:
    """A poller that starts at its mapping's position, if there is one. `positions` contains the shard iterators by
    mapping and shard. Every change of a mapping creates a new poller."""

    class PollerWithPosition(poller):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            self.shards = dict(positions.get(self.esm_uuid, {}))

        def poll_events(self) -> None:
            super().poll_events()
            # The function has processed the records, or all retries have failed.
            positions[self.esm_uuid] = dict(self.shards)

    return PollerWithPosition
