"""Event source mappings: they poll a queue or a change stream and invoke a function with the messages."""

from __future__ import annotations

from typing import Any

from ledgerfold_local.plugin.shortcuts.invocations import FunctionClient
from ledgerfold_local.plugin.shortcuts.queues import QueueClient


class ChangeStreamClient:
    """Asks DynamoDB Local itself for changes, ten times a second.

    DynamoDB Local has an account and a region of its own in the names of streams.
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
        return self._client.describe_stream(**known_there(request))

    def get_shard_iterator(self, **request: Any) -> dict[str, Any]:
        return self._client.get_shard_iterator(**known_there(request))

    def get_records(self, **request: Any) -> dict[str, Any]:
        return self._client.get_records(**request)


def known_there(request: dict[str, Any]) -> dict[str, Any]:
    from localstack.utils.aws.arns import parse_arn

    stream = parse_arn(request["StreamArn"])["resource"]
    return {**request, "StreamArn": f"arn:aws:dynamodb:ddblocal:000000000000:{stream}"}


# Full batches in a row before a poller looks whether its mapping is still wanted.
MOST_FULL_BATCHES = 10

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
            """No hooks: `QueueClient` itself turns the poller's own parameters into headers."""

        def poll_events(self) -> None:
            """After a full batch more messages are waiting, so the next batch needs no pause to gather."""
            for _ in range(MOST_FULL_BATCHES):
                self._is_full = False
                super().poll_events()
                if not self._is_full:
                    break

        def handle_messages(self, messages: list[dict]) -> None:
            self._is_full = len(messages) >= self.batch_size
            super().handle_messages(messages)

    factory.get_internal_client = get_internal_client
    factory.SqsPoller = QueuePoller
