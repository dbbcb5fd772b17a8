"""LocalStack drops a template's gateway responses on import, and would use only their status.

When a function crashes, clients on AWS get the status, headers and body of DEFAULT_5XX in the template. Without this
fix they get 502 and `{"message": "Internal server error"}` here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

EXTENSION = "x-amazon-apigateway-gateway-responses"
HEADER = "gatewayresponse.header."


def import_responses() -> None:
    from localstack.services.apigateway.legacy import provider
    from localstack.services.apigateway.models import apigateway_stores
    from localstack.services.apigateway.next_gen.execute_api.gateway_response import build_gateway_response

    import_specification = provider.import_api_from_openapi_spec

    def import_with_responses(rest_api: Any, context: Any, open_api_spec: Mapping[str, Any], **options: Any) -> Any:
        imported = import_specification(rest_api, context=context, open_api_spec=open_api_spec, **options)
        container = apigateway_stores[context.account_id][context.region].rest_apis[rest_api.id]
        for kind, response in open_api_spec.get(EXTENSION, {}).items():
            status = response.get("statusCode")
            container.gateway_responses[kind] = build_gateway_response(
                kind,
                status_code=int(status) if status else None,
                response_parameters=response.get("responseParameters"),
                response_templates=response.get("responseTemplates"),
                default_response=False,
            )
        return imported

    provider.import_api_from_openapi_spec = import_with_responses


def apply_responses() -> None:
    from localstack.services.apigateway.next_gen.execute_api.gateway_response import get_gateway_response_or_default
    from localstack.services.apigateway.next_gen.execute_api.handlers.gateway_exception import GatewayExceptionHandler

    create_response = GatewayExceptionHandler.create_exception_response

    def create_configured_response(self: Any, exception: Any, context: Any) -> Any:
        response = create_response(self, exception, context)
        configured = get_gateway_response_or_default(exception.type, context.deployment.rest_api.gateway_responses)
        for name, value in (configured.get("responseParameters") or {}).items():
            if name.startswith(HEADER):
                response.headers[name.removeprefix(HEADER)] = value.strip("'")
        template = (configured.get("responseTemplates") or {}).get("application/json", "")
        if template and "$context.error.messageString" not in template:  # The gateway's default template contains it.
            response.set_data(render(template, context.context_variables))
        return response

    GatewayExceptionHandler.create_exception_response = create_configured_response


def render(template: str, variables: Mapping[str, Any]) -> str:
    """Replaces variables. Gateway responses support no expressions."""

    def value(match: re.Match[str]) -> str:
        found: Any = variables
        for name in match[1].split("."):
            found = found.get(name) if isinstance(found, Mapping) else None
        return "" if found is None else str(found)

    return re.sub(r"\$context\.(\w+(?:\.\w+)*)", value, template)
