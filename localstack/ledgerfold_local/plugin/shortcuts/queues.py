"""Uses queues for rules and event source mappings."""

from __future__ import annotations

import functools
from typing import Any

from ledgerfold_local.plugin.shortcuts.providers import context_of, errors_of_clients, provider_of, without_nothing

# A poll of an empty queue waits this long for a message; then its mapping may have been switched off. Waiting costs
# nothing, because a new message wakes the poll.
IDLE_SECONDS = 1


class QueueClient:
    """In place of a client of SQS. Method and parameter names are the client's."""

    def __init__(self, account: str, region: str) -> None:
        self._account = account
        self._region = region

    def send_message(self, **request: Any) -> dict[str, Any]:
        return self._call(
            "SendMessage",
            queue_url=request["QueueUrl"],
            message_body=request["MessageBody"],
            message_group_id=request.get("MessageGroupId"),
        )

    def receive_message(self, **request: Any) -> dict[str, Any]:
        """Without a batching window, receives the messages that are there, or the first within IDLE_SECONDS. With a
        window, gathers messages until the batch is full or the window ends."""
        return self._call(
            "ReceiveMessage",
            most_messages=request["sqs_override_max_message_count"],
            window=request["sqs_override_wait_time_seconds"],
            queue_url=request["QueueUrl"],
            message_system_attribute_names=request["MessageSystemAttributeNames"],
            message_attribute_names=request["MessageAttributeNames"],
            max_number_of_messages=request["MaxNumberOfMessages"],
            wait_time_seconds=IDLE_SECONDS,
        )

    def delete_message_batch(self, **request: Any) -> dict[str, Any]:
        return self._call(
            "DeleteMessageBatch",
            most_messages=request["sqs_override_max_message_count"],
            queue_url=request["QueueUrl"],
            entries=request["Entries"],
        )

    def get_queue_attributes(self, **request: Any) -> dict[str, Any]:
        return self._call(
            "GetQueueAttributes", queue_url=request["QueueUrl"], attribute_names=request["AttributeNames"]
        )

    def _call(self, operation: str, most_messages: int = 0, window: int = 0, **request: Any) -> dict[str, Any]:
        from botocore import xform_name

        context = context_with_limits(operation, self._account, self._region, most_messages, window)
        with errors_of_clients(operation):
            return without_nothing(getattr(provider_of("sqs"), xform_name(operation))(context, **request) or {})


@functools.cache
def context_with_limits(operation: str, account: str, region: str, most_messages: int, window: int) -> Any:
    """LocalStack's own poller puts limits beyond those of the public API into headers; so does this. SQS only reads a
    context, so one serves all calls of a kind."""
    from localstack.services.sqs.constants import (
        HEADER_LOCALSTACK_SQS_OVERRIDE_MESSAGE_COUNT,
        HEADER_LOCALSTACK_SQS_OVERRIDE_WAIT_TIME_SECONDS,
    )

    headers = {}
    if most_messages:
        headers[HEADER_LOCALSTACK_SQS_OVERRIDE_MESSAGE_COUNT] = str(most_messages)
    if window:
        headers[HEADER_LOCALSTACK_SQS_OVERRIDE_WAIT_TIME_SECONDS] = str(window)
    return context_of("sqs", operation, account, region, headers)
