"""Calls the provider of a service inside LocalStack, without a client, a request or the gateway."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError


@functools.cache
def provider_of(service: str) -> Any:
    """The object that implements a service. Starts the service if necessary."""
    from localstack.services.plugins import SERVICE_PLUGINS

    return SERVICE_PLUGINS.require(service)._provider


def context_of(
    service: str, operation: str, account: str, region: str, headers: Mapping[str, str] | None = None
) -> Any:
    """The context that a provider's methods expect, with an account, an operation and a new request id."""
    from localstack.aws.api import RequestContext
    from localstack.aws.spec import load_service
    from localstack.http import Request

    context = RequestContext(Request(headers=dict(headers or {})))
    context.service = load_service(service)
    context.operation = context.service.operation_model(operation)
    context.account_id = account
    context.region = region
    return context


def without_none(answer: Any) -> Any:
    """Removes values of None from an answer, because answers of a client do not contain them."""
    if isinstance(answer, list):
        return [without_none(item) for item in answer]
    if isinstance(answer, Mapping):
        return {name: without_none(value) for name, value in answer.items() if value is not None}
    return answer


@contextmanager
def client_errors(operation: str) -> Iterator[None]:
    """Converts a provider's errors to ClientError, because callers read the code from it."""
    from localstack.aws.api import ServiceException

    try:
        yield
    except ServiceException as error:
        answer = {
            "Error": {"Code": error.code, "Message": error.message},
            "ResponseMetadata": {"HTTPStatusCode": error.status_code},
        }
        raise ClientError(answer, operation) from error
