"""Calls a service's provider from inside LocalStack, without a client, a request or the gateway."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError


@functools.cache
def provider_of(service: str) -> Any:
    """The object that implements a service. Starts the service first, as a first request would."""
    from localstack.services.plugins import SERVICE_PLUGINS

    return SERVICE_PLUGINS.require(service)._provider


def context_of(
    service: str, operation: str, account: str, region: str, headers: Mapping[str, str] | None = None
) -> Any:
    """The request that a provider's method expects: with a caller, an operation and a new id."""
    from localstack.aws.api import RequestContext
    from localstack.aws.spec import load_service
    from localstack.http import Request

    context = RequestContext(Request(headers=dict(headers or {})))
    context.service = load_service(service)
    context.operation = context.service.operation_model(operation)
    context.account_id = account
    context.region = region
    return context


def without_nothing(answer: Any) -> Any:
    """An answer as a client reads it: a value of None is missing there."""
    if isinstance(answer, list):
        return [without_nothing(item) for item in answer]
    if isinstance(answer, Mapping):
        return {name: without_nothing(value) for name, value in answer.items() if value is not None}
    return answer


@contextmanager
def errors_of_clients(operation: str) -> Iterator[None]:
    """Raises a provider's error as a client would: callers look for the code in a ClientError."""
    from localstack.aws.api import ServiceException

    try:
        yield
    except ServiceException as error:
        answer = {
            "Error": {"Code": error.code, "Message": error.message},
            "ResponseMetadata": {"HTTPStatusCode": error.status_code},
        }
        raise ClientError(answer, operation) from error
