"""Tables as functions use them: DynamoDB Local answers a function itself, without LocalStack's gateway in between.

Half of LocalStack's work was to pass on these requests. Every AWS SDK honours the variable.
"""

from __future__ import annotations

from ledgerfold_local.plugin.shortcuts.switch import shortcuts_are_on


def table_variables() -> dict[str, str]:
    """Environment variables for a function. None where DynamoDB Local has a database for each access key: there a
    function would find no tables, because LocalStack makes them with a key of its own."""
    from localstack.services.dynamodb.server import DynamodbServer

    server = DynamodbServer.get()
    if not (shortcuts_are_on() and server.share_db):
        return {}
    return {"AWS_ENDPOINT_URL_DYNAMODB": f"http://127.0.0.1:{server.port}"}
