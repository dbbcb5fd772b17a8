"""A function's lines on their way to CloudWatch Logs: one call for a second of them instead of one per invocation."""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

GATHER_SECONDS = 1.0
# Of one PutLogEvents. CloudWatch counts 26 bytes for each event beside its message.
MOST_EVENTS = 10_000
MOST_BYTES = 1_048_576
BYTES_OF_EVENT = 26

LOG = logging.getLogger(__name__)


class Stamped(NamedTuple):
    """An invocation's lines with the time of its end, in milliseconds since 1970: they are written a little later."""

    at: int
    item: Any


def write_in_batches() -> None:
    from localstack.aws.connect import connect_to
    from localstack.services.lambda_.invocation import logs
    from localstack.utils.aws.arns import extract_account_id_from_arn

    add_logs = logs.LogHandler.add_logs

    def add_stamped(self: logs.LogHandler, item: Any) -> None:
        add_logs(self, Stamped(int(time.time() * 1000), item))

    def run_log_loop(self: logs.LogHandler, *_arguments: Any, **_options: Any) -> None:
        account = extract_account_id_from_arn(self.role_arn)
        client = connect_to(aws_access_key_id=account, region_name=self.region).logs
        stopped = False
        while not stopped:
            waiting = [self.log_queue.get()]
            self._shutdown_event.wait(GATHER_SECONDS)
            while not self.log_queue.empty():
                waiting.append(self.log_queue.get())
            stopped = logs.QUEUE_SHUTDOWN in waiting
            write(client, [stamped for stamped in waiting if stamped is not logs.QUEUE_SHUTDOWN])

    logs.LogHandler.add_logs = add_stamped
    logs.LogHandler.run_log_loop = run_log_loop


def write(client: Any, waiting: Iterable[Stamped]) -> None:
    """Of a function's execution environments each has a stream of its own."""

    def stream_of(stamped: Stamped) -> tuple[str, str]:
        return stamped.item.log_group, stamped.item.log_stream

    for (group, stream), items in itertools.groupby(sorted(waiting, key=stream_of), key=stream_of):
        for events in calls(event for stamped in items for event in log_events(stamped)):
            try:
                put(client, group, stream, events)
            except Exception as error:  # The lines are lost here, and still in the function's file.
                LOG.warning("Lines for log group %s could not be written: %s", group, error)


def log_events(stamped: Stamped) -> Iterator[dict[str, Any]]:
    """CloudWatch takes no empty lines."""
    for line in stamped.item.logs.split("\n"):
        if line:
            yield {"timestamp": stamped.at, "message": f"{line}\n"}


def calls(events: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """The events in portions that one call may have."""
    portion: list[dict[str, Any]] = []
    size = 0
    for event in events:
        bytes_of_event = len(event["message"].encode()) + BYTES_OF_EVENT
        if portion and (len(portion) == MOST_EVENTS or size + bytes_of_event > MOST_BYTES):
            yield portion
            portion = []
            size = 0
        portion.append(event)
        size += bytes_of_event
    if portion:
        yield portion


def put(client: Any, group: str, stream: str, events: list[dict[str, Any]]) -> None:
    """Makes the stream, and the group, where they are missing: Lambda makes both with a function's first lines."""
    request = {"logGroupName": group, "logStreamName": stream, "logEvents": events}
    try:
        client.put_log_events(**request)
    except client.exceptions.ResourceNotFoundException:
        try:
            client.create_log_group(logGroupName=group)
        except client.exceptions.ResourceAlreadyExistsException:
            pass  # Only the stream is missing.
        client.create_log_stream(logGroupName=group, logStreamName=stream)
        client.put_log_events(**request)
