"""Lets functions call DynamoDB Local directly. To forward these requests would be half of LocalStack's work.

Every AWS SDK uses the variable.
"""

from __future__ import annotations

from ledgerfold_local.switches import shortcuts_are_on


def table_variables() -> dict[str, str]:
    """Environment variables for a function. If DynamoDB Local has a database for each access key, there are none: a
    function would not find the tables then, because LocalStack creates them with its own key."""
    from localstack.services.dynamodb.server import DynamodbServer

    server = DynamodbServer.get()
    if not (shortcuts_are_on() and server.share_db):
        return {}
    return {"AWS_ENDPOINT_URL_DYNAMODB": f"http://127.0.0.1:{server.port}"}
