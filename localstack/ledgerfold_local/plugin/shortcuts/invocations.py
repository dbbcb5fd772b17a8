"""Invokes functions for API Gateway and for event source mappings."""

from __future__ import annotations

import io
from typing import Any

from ledgerfold_local.plugin.shortcuts.providers import context_of, client_errors, provider_of, without_none


class FunctionClient:
    """Replaces a client of Lambda, with the same methods and parameters."""

    def __init__(self, account: str, region: str) -> None:
        self._account = account
        self._region = region

    def invoke(self, **request: Any) -> dict[str, Any]:
        context = context_of("lambda", "Invoke", self._account, self._region)
        payload = request["Payload"]
        with client_errors("Invoke"):
            answer = provider_of("lambda").invoke(
                context,
                function_name=request["FunctionName"],
                invocation_type=request["InvocationType"],
                payload=io.BytesIO(payload.encode() if isinstance(payload, str) else payload),
                qualifier=request.get("Qualifier"),
            )
        return {
            **without_none(answer),
            "Payload": io.BytesIO(answer.get("Payload") or b""),
            "ResponseMetadata": {"RequestId": context.request_id},
        }


def invoke_directly() -> None:
    """Invokes functions directly for requests to an API. For mappings, `mappings.py` does it."""
    from localstack.services.apigateway.next_gen.execute_api.integrations.aws import RestApiAwsProxyIntegration
    from localstack.utils.aws.arns import parse_arn

    through_client = RestApiAwsProxyIntegration.call_lambda

    def call_lambda(function_arn: str, event: bytes, source_arn: str, credentials: str | None = None) -> bytes:
        if credentials:
            return through_client(function_arn, event, source_arn, credentials)
        function = parse_arn(function_arn)
        client = FunctionClient(function["account"], function["region"])
        answer = client.invoke(FunctionName=function_arn, Payload=event, InvocationType="RequestResponse")
        return answer["Payload"].read()

    RestApiAwsProxyIntegration.call_lambda = staticmethod(call_lambda)
