"""Quick create of HTTP APIs, which ministack ignores: an API that is made with a target has all that it needs.

"Quick create produces an API with an integration, a default catch-all route, and a default stage which is configured
to automatically deploy changes." https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis.html
"""

from __future__ import annotations

import json
from typing import Any

from harness.cloud.ministack_hooks import before_first_call

Record = dict[str, Any]
"""A request or ministack's record of a thing: JSON, in the wire's names."""

_MANAGED = "apiGatewayManaged"


def close() -> None:
    """Call it before API Gateway is used."""
    before_first_call("apigateway", _install)


def _install() -> None:
    from ministack.services import apigateway

    create, update = apigateway._create_api, apigateway._update_api  # noqa: SLF001

    def created(data: Record) -> Any:
        if data.get("target") and data.get("protocolType") == "WEBSOCKET":
            return apigateway._apigw_error("BadRequestException", "target is not supported for WEBSOCKET APIs", 400)  # noqa: SLF001
        status, headers, body = create(data)
        if status < 300 and data.get("target"):
            _make_parts(json.loads(body)["apiId"], data)
        return status, headers, body

    def updated(api: str, data: Record) -> Any:
        _change_parts(api, data)
        return update(api, data)

    apigateway._create_api, apigateway._update_api = created, updated  # noqa: SLF001


def _make_parts(api: str, data: Record) -> None:
    """Integration, route and stage, each marked as API Gateway's own."""
    from ministack.services import apigateway

    made = json.loads(apigateway._create_integration(api, _integration_of(data))[2])["integrationId"]  # noqa: SLF001
    apigateway._integrations[api][made][_MANAGED] = True  # noqa: SLF001
    asked = {"routeKey": data.get("routeKey") or "$default", "target": f"integrations/{made}"}
    route = json.loads(apigateway._create_route(api, asked)[2])["routeId"]  # noqa: SLF001
    apigateway._routes[api][route][_MANAGED] = True  # noqa: SLF001
    apigateway._create_stage(api, {"stageName": "$default", "autoDeploy": True})  # noqa: SLF001
    apigateway._stages[api]["$default"][_MANAGED] = True  # noqa: SLF001


def _change_parts(api: str, data: Record) -> None:
    """UpdateApi changes what quick create made, as long as it is there."""
    from ministack.services import apigateway

    for one in apigateway._integrations.get(api, {}).values():  # noqa: SLF001
        if one.get(_MANAGED) and data.get("target"):
            one.update(_integration_of(data))
    for one in apigateway._routes.get(api, {}).values():  # noqa: SLF001
        if one.get(_MANAGED) and data.get("routeKey"):
            one["routeKey"] = data["routeKey"]


def _integration_of(data: Record) -> Record:
    """What a target stands for: a function's ARN is invoked, a URL is passed on to."""
    target = str(data["target"])
    found = {"integrationUri": target}
    if data.get("credentialsArn"):
        found["credentialsArn"] = data["credentialsArn"]
    if target.startswith("arn:"):
        return {**found, "integrationType": "AWS_PROXY", "integrationMethod": "POST", "payloadFormatVersion": "2.0"}
    return {**found, "integrationType": "HTTP_PROXY", "integrationMethod": "ANY", "payloadFormatVersion": "1.0"}
