"""Lets functions ask DynamoDB Local itself. Passing on these requests is half of LocalStack's work otherwise.

Every AWS SDK honours the variable.
"""

from __future__ import annotations

from ledgerfold_local.switches import shortcuts_are_on


def table_variables() -> dict[str, str]:
    """Environment variables for a function. There are none if DynamoDB Local has a database for each access key:
    LocalStack makes the tables with a key of its own, so a function would not find them."""
    from localstack.services.dynamodb.server import DynamodbServer

    server = DynamodbServer.get()
    if not (shortcuts_are_on() and server.share_db):
        return {}
    return {"AWS_ENDPOINT_URL_DYNAMODB": f"http://127.0.0.1:{server.port}"}
