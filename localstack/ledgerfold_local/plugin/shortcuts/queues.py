"""Uses queues directly, for rules and event source mappings."""

from __future__ import annotations

import functools
from typing import Any

from ledgerfold_local.plugin.shortcuts.providers import context_of, client_errors, provider_of, without_none

# How long a poll of an empty queue waits for a message. A new message wakes it, so waiting costs nothing. After it, the
# poller checks whether its mapping is still enabled.
IDLE_SECONDS = 1


class QueueClient:
    """Replaces a client of SQS, with the same methods and parameters."""

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
        """Without a batching window, receives the waiting messages, or the next one within IDLE_SECONDS. With a window,
        collects messages until the batch is full or the window ends."""
        return self._call(
            "ReceiveMessage",
            max_messages=request["sqs_override_max_message_count"],
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
            max_messages=request["sqs_override_max_message_count"],
            queue_url=request["QueueUrl"],
            entries=request["Entries"],
        )

    def get_queue_attributes(self, **request: Any) -> dict[str, Any]:
        return self._call(
            "GetQueueAttributes", queue_url=request["QueueUrl"], attribute_names=request["AttributeNames"]
        )

    def _call(self, operation: str, max_messages: int = 0, window: int = 0, **request: Any) -> dict[str, Any]:
        from botocore import xform_name

        context = context_with_limits(operation, self._account, self._region, max_messages, window)
        with client_errors(operation):
            return without_none(getattr(provider_of("sqs"), xform_name(operation))(context, **request) or {})


@functools.cache
def context_with_limits(operation: str, account: str, region: str, max_messages: int, window: int) -> Any:
    """A context with limits above those of the public API. Like LocalStack's own poller, it passes them in headers. SQS
    only reads a context, so calls with the same limits share one."""
    from localstack.services.sqs.constants import (
        HEADER_LOCALSTACK_SQS_OVERRIDE_MESSAGE_COUNT,
        HEADER_LOCALSTACK_SQS_OVERRIDE_WAIT_TIME_SECONDS,
    )

    headers = {}
    if max_messages:
        headers[HEADER_LOCALSTACK_SQS_OVERRIDE_MESSAGE_COUNT] = str(max_messages)
    if window:
        headers[HEADER_LOCALSTACK_SQS_OVERRIDE_WAIT_TIME_SECONDS] = str(window)
    return context_of("sqs", operation, account, region, headers)
