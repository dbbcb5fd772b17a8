"""Lets event source mappings poll queues and change streams, and invoke functions, without the gateway."""

from __future__ import annotations

from typing import Any

from ledgerfold_local.plugin.shortcuts.invocations import FunctionClient
from ledgerfold_local.plugin.shortcuts.queues import QueueClient


class ChangeStreamClient:
    """Polls DynamoDB Local directly, ten times a second.

    DynamoDB Local uses its own account and region in the ARNs of streams.
    """

    def __init__(self, account: str, region: str) -> None:
        from localstack.aws.connect import connect_externally_to
        from localstack.services.dynamodb.server import DynamodbServer

        self._client = connect_externally_to(
            endpoint_url=DynamodbServer.get().url,
            aws_access_key_id=account,
            aws_secret_access_key="test",
            region_name=region,
        ).dynamodbstreams
        self.exceptions = self._client.exceptions

    def describe_stream(self, **request: Any) -> dict[str, Any]:
        return self._client.describe_stream(**with_local_arn(request))

    def get_shard_iterator(self, **request: Any) -> dict[str, Any]:
        return self._client.get_shard_iterator(**with_local_arn(request))

    def get_records(self, **request: Any) -> dict[str, Any]:
        return self._client.get_records(**request)


def with_local_arn(request: dict[str, Any]) -> dict[str, Any]:
    from localstack.utils.aws.arns import parse_arn

    stream = parse_arn(request["StreamArn"])["resource"]
    return {**request, "StreamArn": f"arn:aws:dynamodb:ddblocal:000000000000:{stream}"}


# Full batches in a row before a poller checks whether its mapping is still enabled.
MAX_FULL_BATCHES = 10

CLIENTS = {"sqs": QueueClient, "lambda": FunctionClient, "dynamodb": ChangeStreamClient}


def poll_directly() -> None:
    from localstack.services.lambda_.event_source_mapping import esm_worker_factory as factory
    from localstack.utils.aws.arns import parse_arn

    client_through_gateway = factory.get_internal_client

    def get_internal_client(arn: str, **options: Any) -> Any:
        resource = parse_arn(arn)
        direct = CLIENTS.get(resource["service"])
        if direct is None:
            return client_through_gateway(arn=arn, **options)
        return direct(resource["account"], resource["region"])

    class QueuePoller(factory.SqsPoller):
        def _register_client_hooks(self) -> None:
            """Registers no hooks, because `QueueClient` converts the poller's own parameters to headers itself."""

        def poll_events(self) -> None:
            """Polls again without a pause after a full batch, because more messages are probably waiting."""
            for _ in range(MAX_FULL_BATCHES):
                self._is_full = False
                super().poll_events()
                if not self._is_full:
                    break

        def handle_messages(self, messages: list[dict]) -> None:
            self._is_full = len(messages) >= self.batch_size
            super().handle_messages(messages)

    factory.get_internal_client = get_internal_client
    factory.SqsPoller = QueuePoller
