"""CloudFormation's waits: it makes one resource after the other, and asks for each until it is ready."""

from __future__ import annotations

import functools
from types import SimpleNamespace
from typing import Any

LOOK_SECONDS = 0.02


def look_often() -> None:
    """A function is ready within tenths of a second. By itself, CloudFormation asks without a pause, and so keeps the
    interpreter from the thread that prepares the function; then it pauses for a second."""
    from localstack.services.cloudformation.resource_provider import ResourceProviderExecutor

    deploy_loop = ResourceProviderExecutor.deploy_loop
    ResourceProviderExecutor.deploy_loop = functools.partialmethod(deploy_loop, sleep_time=LOOK_SECONDS)


def sign_addresses_with_one_client() -> None:
    """CloudFormation asks with GetFunction, which signs an address of the code and makes a client of S3 each time."""
    import boto3
    from localstack.services.lambda_.invocation import lambda_models

    @functools.lru_cache(maxsize=8)
    def client(service: str, **options: Any) -> Any:
        return boto3.client(service, **options)

    lambda_models.boto3 = SimpleNamespace(client=client)


def read_regions_once() -> None:
    """Every service asks for the list of regions, and LocalStack reads the addresses of all services for each answer."""
    import boto3
    from localstack.utils.aws import aws_stack

    session = functools.cache(boto3.Session)
    aws_stack.boto3 = SimpleNamespace(Session=session, session=boto3.session)
