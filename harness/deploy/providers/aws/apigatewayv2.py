"""API Gateway v2: HTTP and WebSocket APIs, and all that belongs to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.aws_type import roots
from harness.deploy.providers.aws.declared import Declared
from harness.deploy.providers.aws.endpoints import endpoint_of
from harness.deploy.providers.aws.tags import Tagging
from harness.deploy.providers.resource import CheckError, Context, Invoke, Properties

_TAGGING = Tagging(resource="ResourceArn", key="")
_ARN = "arn:aws:apigateway:{region}::"
_EXECUTION = "arn:aws:execute-api:{region}:{account}:"


class Api(Declared, noun="Api"):
    """aws:apigatewayv2/api:Api; the id is the API's. `target` and `routeKey` are its quick creation."""

    token: ClassVar = "aws:apigatewayv2/api:Api"
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 128}
    defaults: ClassVar = {
        "apiKeySelectionExpression": "$request.header.x-api-key",
        "routeSelectionExpression": "$request.method $request.path",
        "disableExecuteApiEndpoint": False,
    }
    tagging: ClassVar = _TAGGING
    replace_on: ClassVar = frozenset({"protocolType"})
    key: ClassVar = {"ApiId": "id"}
    id_from: ClassVar = "ApiId"
    computed: ClassVar = {"arn": _ARN + "/apis/{id}", "executionArn": _EXECUTION + "{id}"}

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it, or let its body do so."""
        api = super().make(context, inputs)
        self._body(context, api, inputs)
        return api

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """CORS is taken away by a call of its own."""
        super().change(context, resource_id, olds, news)
        if olds.get("corsConfiguration") and not news.get("corsConfiguration"):
            self.client(context).delete_cors_configuration(ApiId=resource_id)
        if roots(olds, news) & {"body"}:
            self._body(context, resource_id, news)

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """Where clients reach it."""
        return {"apiEndpoint": endpoint_of(context, resource_id, body.get("ApiEndpoint", ""))}

    def _body(self, context: Context, api: str, inputs: Properties) -> None:
        if inputs.get("body"):
            warnings = bool(inputs.get("failOnWarnings"))
            self.client(context).reimport_api(ApiId=api, Body=inputs["body"], FailOnWarnings=warnings)


class _PartOfApi(Declared):
    """Something inside an API. `noun` is AWS's word, whose operations and id member are named after it."""

    service: ClassVar[str] = "apigatewayv2"
    replace_on: ClassVar[frozenset[str]] = frozenset({"apiId"})
    noun: ClassVar[str]
    parts: ClassVar[tuple[str, ...]] = ("apiId", "id")

    def __init_subclass__(cls) -> None:
        """The four operations from the noun."""
        cls.creates, cls.reads = f"Create{cls.noun}", f"Get{cls.noun}"
        cls.updates, cls.deletes = f"Update{cls.noun}", f"Delete{cls.noun}"
        if "key" not in vars(cls):
            cls.id_from = f"{cls.noun}Id"
            cls.key = {"ApiId": "apiId", cls.id_from: "id"}


class Integration(_PartOfApi):
    """What answers a route."""

    token: ClassVar = "aws:apigatewayv2/integration:Integration"
    noun: ClassVar = "Integration"
    replace_on: ClassVar = frozenset({"apiId", "integrationType", "integrationSubtype"})
    defaults: ClassVar = {"payloadFormatVersion": "1.0", "connectionType": "INTERNET"}
    renames: ClassVar = {"timeoutMilliseconds": "TimeoutInMillis"}

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """Response parameters by status."""
        if not inputs.get("responseParameters"):
            return inputs
        by_status = {one["statusCode"]: one["mappings"] for one in inputs["responseParameters"]}
        return {**inputs, "responseParameters": by_status}

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """Response parameters as they were given."""
        found = body.get("ResponseParameters") or {}
        listed = [{"statusCode": status, "mappings": mappings} for status, mappings in found.items()]
        return {"responseParameters": listed} if inputs.get("responseParameters") else {}


class IntegrationResponse(_PartOfApi):
    """How a WebSocket integration's answer is turned into a message."""

    token: ClassVar = "aws:apigatewayv2/integrationResponse:IntegrationResponse"
    noun: ClassVar = "IntegrationResponse"
    replace_on: ClassVar = frozenset({"apiId", "integrationId"})
    key: ClassVar = {"ApiId": "apiId", "IntegrationId": "integrationId", "IntegrationResponseId": "id"}
    id_from: ClassVar = "IntegrationResponseId"
    parts: ClassVar = ("apiId", "integrationId", "id")


class Route(_PartOfApi):
    """Which requests go where."""

    token: ClassVar = "aws:apigatewayv2/route:Route"
    noun: ClassVar = "Route"
    defaults: ClassVar = {"apiKeyRequired": False, "authorizationType": "NONE"}

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """Parameters by name, each required or not."""
        given = inputs.get("requestParameters")
        if not given:
            return inputs
        return {
            **inputs,
            "requestParameters": {p["requestParameterKey"]: {"Required": bool(p["required"])} for p in given},
        }

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """Parameters as they were given."""
        found = super().look(context, resource_id, inputs)
        return found and {name: value for name, value in found.items() if name != "requestParameters"}


class RouteResponse(_PartOfApi):
    """What a WebSocket route answers."""

    token: ClassVar = "aws:apigatewayv2/routeResponse:RouteResponse"
    noun: ClassVar = "RouteResponse"
    replace_on: ClassVar = frozenset({"apiId", "routeId"})
    key: ClassVar = {"ApiId": "apiId", "RouteId": "routeId", "RouteResponseId": "id"}
    id_from: ClassVar = "RouteResponseId"
    parts: ClassVar = ("apiId", "routeId", "id")


class Authorizer(_PartOfApi):
    """Who may pass."""

    token: ClassVar = "aws:apigatewayv2/authorizer:Authorizer"
    noun: ClassVar = "Authorizer"
    named: ClassVar = "name"
    renames: ClassVar = {
        "identitySources": "IdentitySource", "audiences": "Audience",
    }  # fmt: skip


class Deployment(_PartOfApi):
    """A snapshot of the routes. `triggers` say when a new one is due."""

    token: ClassVar = "aws:apigatewayv2/deployment:Deployment"
    noun: ClassVar = "Deployment"
    replace_on: ClassVar = frozenset({"apiId", "triggers"})


class Model(_PartOfApi):
    """The form of a message."""

    token: ClassVar = "aws:apigatewayv2/model:Model"
    noun: ClassVar = "Model"
    named: ClassVar = "name"
    json_keys: ClassVar = frozenset({"schema"})


class Stage(_PartOfApi):
    """aws:apigatewayv2/stage:Stage; the id is the name."""

    token: ClassVar = "aws:apigatewayv2/stage:Stage"
    noun: ClassVar = "Stage"
    key: ClassVar = {"ApiId": "apiId", "StageName": "name"}
    id_from: ClassVar = "StageName"
    parts: ClassVar = ("apiId", "name")
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 128}
    tagging: ClassVar = _TAGGING
    replace_on: ClassVar = frozenset({"apiId", "name"})
    defaults: ClassVar = {"autoDeploy": False}
    renames: ClassVar = {"name": "StageName"}
    computed: ClassVar = {
        "arn": _ARN + "/apis/{apiId}/stages/{name}",
        "executionArn": _EXECUTION + "{apiId}/{name}",
    }

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """Route settings by route."""
        settings = inputs.get("routeSettings")
        return {**inputs, "routeSettings": {one["routeKey"]: one for one in settings}} if settings else inputs

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """Route settings as they were given."""
        found = super().look(context, resource_id, inputs)
        return found and {name: value for name, value in found.items() if name != "routeSettings"}

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """Where clients reach it; WebSocket clients by another scheme."""
        known = self.known(resource_id, inputs)
        api, name = str(known["apiId"]), str(known["name"])
        suffix = "/" if name == "$default" else f"/{name}"
        found = self.client(context).get_api(ApiId=api)
        if found["ProtocolType"] != "WEBSOCKET":
            return {"invokeUrl": endpoint_of(context, api, found.get("ApiEndpoint", "")) + suffix}
        reported = f"wss://{api}.execute-api.{context.region}.amazonaws.com"
        execution = f"arn:aws:execute-api:{context.region}:{context.account_id}:{api}/{name}"
        return {"invokeUrl": endpoint_of(context, api, reported) + suffix, "executionArn": execution}


class VpcLink(Declared, noun="VpcLink"):
    """aws:apigatewayv2/vpcLink:VpcLink; the id is the link's."""

    token: ClassVar = "aws:apigatewayv2/vpcLink:VpcLink"
    named: ClassVar = "name"
    tagging: ClassVar = _TAGGING
    replace_on: ClassVar = frozenset({"securityGroupIds", "subnetIds"})
    key: ClassVar = {"VpcLinkId": "id"}
    id_from: ClassVar = "VpcLinkId"
    settled: ClassVar = ("VpcLinkStatus", frozenset({"AVAILABLE"}))
    computed: ClassVar = {"arn": _ARN + "/vpclinks/{id}"}


class DomainName(Declared, noun="DomainName"):
    """aws:apigatewayv2/domainName:DomainName; the id is the name."""

    token: ClassVar = "aws:apigatewayv2/domainName:DomainName"
    tagging: ClassVar = _TAGGING
    replace_on: ClassVar = frozenset({"domainName"})
    renames: ClassVar = {"domainNameConfiguration": "DomainNameConfigurations"}
    key: ClassVar = {"DomainName": "domainName"}
    parts: ClassVar = ("domainName",)
    computed: ClassVar = {"arn": _ARN + "/domainnames/{domainName}"}

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """The block with the name and zone to point an alias record at."""
        told: Properties = next(iter(body.get("DomainNameConfigurations") or ()), {})
        given = inputs.get("domainNameConfiguration") or {}
        block = given[0] if isinstance(given, list) else given
        target = {"targetDomainName": told.get("ApiGatewayDomainName"), "hostedZoneId": told.get("HostedZoneId")}
        return {"domainNameConfiguration": {**block, **target}}


class ApiMapping(Declared, noun="ApiMapping"):
    """aws:apigatewayv2/apiMapping:ApiMapping; a path of a domain leads to a stage; the id is the mapping's."""

    token: ClassVar = "aws:apigatewayv2/apiMapping:ApiMapping"
    replace_on: ClassVar = frozenset({"domainName"})
    key: ClassVar = {"DomainName": "domainName", "ApiMappingId": "id"}
    id_from: ClassVar = "ApiMappingId"
    parts: ClassVar = ("id", "domainName")


RESOURCES = (
    Api(), Integration(), IntegrationResponse(), Route(), RouteResponse(), Authorizer(), Deployment(), Model(),
    Stage(), VpcLink(), DomainName(), ApiMapping(),
)  # fmt: skip


def api(context: Context, arguments: Properties) -> Properties:
    """An API by id."""
    found = Api().read(context, str(arguments["apiId"]), None)
    if found is None:
        raise CheckError([("apiId", f"there is no API {arguments['apiId']}")])
    return {**found, **arguments, "id": arguments["apiId"]}


def apis(context: Context, arguments: Properties) -> Properties:
    """The ids of APIs by name, protocol and tags."""
    pages = context.client("apigatewayv2").get_paginator("get_apis").paginate()
    wanted = arguments.get("tags") or {}
    ids = [
        one["ApiId"]
        for page in pages
        for one in page["Items"]
        if arguments.get("name") in {None, one["Name"]}
        and arguments.get("protocolType") in {None, one["ProtocolType"]}
        and wanted.items() <= (one.get("Tags") or {}).items()
    ]
    return {**arguments, "ids": ids, "id": context.region}


INVOKES: dict[str, Invoke] = {
    "aws:apigatewayv2/getApi:getApi": api,
    "aws:apigatewayv2/getApis:getApis": apis,
}
