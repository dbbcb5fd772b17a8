"""Shorter waits in CloudFormation, which creates one resource after the other and polls each until it is ready."""

from __future__ import annotations

import functools
from types import SimpleNamespace
from typing import Any

POLL_SECONDS = 0.02


def poll_often() -> None:
    """Polls every 20 ms, because a function is ready within tenths of a second. LocalStack's CloudFormation first polls
    without a pause, which blocks the thread that prepares the function, and then pauses for a second."""
    from localstack.services.cloudformation.resource_provider import ResourceProviderExecutor

    deploy_loop = ResourceProviderExecutor.deploy_loop
    ResourceProviderExecutor.deploy_loop = functools.partialmethod(deploy_loop, sleep_time=POLL_SECONDS)


def sign_addresses_with_one_client() -> None:
    """Reuses a client. CloudFormation polls with GetFunction, which creates an S3 client each time to sign a URL."""
    import boto3
    from localstack.services.lambda_.invocation import lambda_models

    @functools.lru_cache(maxsize=8)
    def client(service: str, **options: Any) -> Any:
        return boto3.client(service, **options)

    lambda_models.boto3 = SimpleNamespace(client=client)


def read_regions_once() -> None:
    """Caches the list of regions. Each service asks for it, and LocalStack reads all endpoints each time."""
    import boto3
    from localstack.utils.aws import aws_stack

    session = functools.cache(boto3.Session)
    aws_stack.boto3 = SimpleNamespace(Session=session, session=boto3.session)
