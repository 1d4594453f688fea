"""API Gateway v2: HTTP and WebSocket APIs, stages, routes, integrations, authorizers."""

from __future__ import annotations

from typing import Any, ClassVar

from harness.deploy.providers.aws.aws_type import AwsType
from harness.deploy.providers.aws.tags import Tagging
from harness.deploy.providers.resource import Context, Properties

_TAGGING = Tagging(resource="ResourceArn", key="")


def endpoint_of(context: Context, api_id: str, reported: str) -> str:
    """Where clients reach an API.

    On an emulator `https://<api>.execute-api.…` leads nowhere and `*.localhost` may not resolve, so it is a path
    of the emulator's own endpoint.
    """
    if context.target.endpoint is None:
        return reported
    return f"{context.target.endpoint}/_aws/execute-api/{api_id}"


class Api(AwsType):
    """aws:apigatewayv2/api:Api; the id is the API's."""

    token: ClassVar = "aws:apigatewayv2/api:Api"
    service: ClassVar = "apigatewayv2"
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 128}
    defaults: ClassVar = {
        "apiKeySelectionExpression": "$request.header.x-api-key",
        "routeSelectionExpression": "$request.method $request.path",
        "disableExecuteApiEndpoint": False,
    }
    tagging: ClassVar = _TAGGING
    replace_on: ClassVar = frozenset({"protocolType"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it."""
        known = {key: value for key, value in inputs.items() if key != "tags"}
        return str(self.call(context, "CreateApi", known, Tags=self.tags(context, inputs))["ApiId"])

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """Endpoint and ARNs."""
        del inputs
        found = self.client(context).get_api(ApiId=resource_id)
        return {
            "name": found["Name"],
            "apiEndpoint": endpoint_of(context, resource_id, found.get("ApiEndpoint", "")),
            "arn": f"arn:aws:apigateway:{context.region}::/apis/{resource_id}",
            "executionArn": f"arn:aws:execute-api:{context.region}:{context.account_id}:{resource_id}",
        }

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Everything but the protocol."""
        del olds
        known = {key: value for key, value in news.items() if key not in {"tags", "protocolType"}}
        self.call(context, "UpdateApi", known, ApiId=resource_id)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it with all that belongs to it."""
        del state
        self.client(context).delete_api(ApiId=resource_id)


class _PartOfApi(AwsType):
    """Something inside an API. `noun` is AWS's word, `key` the member that holds its id."""

    service: ClassVar[str] = "apigatewayv2"
    replace_on: ClassVar[frozenset[str]] = frozenset({"apiId"})
    noun: ClassVar[str]
    key: ClassVar[str]

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it."""
        known = {key: value for key, value in inputs.items() if key != "tags"}
        return str(self.call(context, f"Create{self.noun}", known)[self.key])

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """There, or an error."""
        self.call(context, f"Get{self.noun}", {}, ApiId=inputs["apiId"], **{self.key: resource_id})
        return {}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Everything that may change."""
        del olds
        known = {key: value for key, value in news.items() if key not in {"tags", "apiId"}}
        fixed: dict[str, Any] = {"ApiId": news["apiId"], self.key: resource_id}
        self.call(context, f"Update{self.noun}", known, **fixed)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it."""
        self.call(context, f"Delete{self.noun}", {}, ApiId=state["apiId"], **{self.key: resource_id})


class Integration(_PartOfApi):
    """What answers a route."""

    token: ClassVar = "aws:apigatewayv2/integration:Integration"
    noun: ClassVar = "Integration"
    key: ClassVar = "IntegrationId"
    replace_on: ClassVar = frozenset({"apiId", "integrationType", "connectionType"})
    defaults: ClassVar = {"payloadFormatVersion": "1.0", "connectionType": "INTERNET"}
    renames: ClassVar = {"timeoutMilliseconds": "TimeoutInMillis"}


class Route(_PartOfApi):
    """Which requests go where."""

    token: ClassVar = "aws:apigatewayv2/route:Route"
    noun: ClassVar = "Route"
    key: ClassVar = "RouteId"
    defaults: ClassVar = {"apiKeyRequired": False, "authorizationType": "NONE"}


class Authorizer(_PartOfApi):
    """Who may pass."""

    token: ClassVar = "aws:apigatewayv2/authorizer:Authorizer"
    noun: ClassVar = "Authorizer"
    key: ClassVar = "AuthorizerId"
    named: ClassVar = "name"


class Stage(_PartOfApi):
    """aws:apigatewayv2/stage:Stage; the id is the name."""

    token: ClassVar = "aws:apigatewayv2/stage:Stage"
    noun: ClassVar = "Stage"
    key: ClassVar = "StageName"
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 128}
    tagging: ClassVar = _TAGGING
    replace_on: ClassVar = frozenset({"apiId", "name"})
    defaults: ClassVar = {"autoDeploy": False}
    renames: ClassVar = {"name": "StageName"}

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it."""
        known = {key: value for key, value in inputs.items() if key != "tags"}
        self.call(context, "CreateStage", known, Tags=self.tags(context, inputs))
        return str(inputs["name"])

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """URL and ARNs."""
        super().look(context, resource_id, inputs)
        api = str(inputs["apiId"])
        reported = f"https://{api}.execute-api.{context.region}.amazonaws.com"
        suffix = "" if resource_id == "$default" else f"/{resource_id}"
        execution = f"arn:aws:execute-api:{context.region}:{context.account_id}:{api}/{resource_id}"
        return {
            "invokeUrl": endpoint_of(context, api, reported) + suffix,
            "arn": f"arn:aws:apigateway:{context.region}::/apis/{api}/stages/{resource_id}",
            "executionArn": execution,
        }


RESOURCES = (Api(), Integration(), Route(), Authorizer(), Stage())
