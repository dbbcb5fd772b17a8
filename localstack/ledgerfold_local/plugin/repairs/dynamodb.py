"""LocalStack uses the DynamoDB Local that the set-up has fetched, instead of downloading it at the first request.

LocalStack would also download a Java, and an agent that only raises the limit of 20 secondary indexes.
"""

from __future__ import annotations

import os
import tempfile
import threading


def use_bundled(home: str, java: str) -> None:
    from localstack.services.dynamodb.packages import DynamoDBLocalPackageInstaller, dynamodblocal_package
    from localstack.services.dynamodb.server import DynamodbServer

    from ledgerfold_local.dynamodb import java_options

    DynamoDBLocalPackageInstaller.install = lambda *_args, **_kwargs: None
    DynamoDBLocalPackageInstaller.get_installed_dir = lambda *_args: home
    DynamoDBLocalPackageInstaller.get_java_env_vars = lambda *_args: {"PATH": os.environ["PATH"]}
    dynamodblocal_package.get_installed_dir = lambda *_args, **_kwargs: home

    create_command = DynamodbServer._create_shell_command

    def create_command_without_agent(self: DynamodbServer) -> list[str]:
        _java, *rest = create_command(self)
        return [java, *java_options(tempfile.gettempdir()), *(part for part in rest if "-javaagent" not in part)]

    DynamodbServer._create_shell_command = create_command_without_agent


def start_early() -> None:
    """Starts Java together with LocalStack. Its start takes seconds, for which the first table would have to wait."""
    from localstack.services.dynamodb.server import DynamodbServer

    threading.Thread(target=DynamodbServer.get().start_dynamodb, name="dynamodb-start", daemon=True).start()
