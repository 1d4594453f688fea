"""API Gateway's REST APIs: the API, resources, methods, integrations, deployments, stages, plans and keys.

Ids are those of the real provider (`agm-<api>-<resource>-GET`); imports take `<api>/<resource>/GET`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.apigateway_body import import_body
from harness.deploy.providers.aws.aws_type import roots
from harness.deploy.providers.aws.declared import Declared
from harness.deploy.providers.aws.endpoints import endpoint_of
from harness.deploy.providers.aws.patches import Patch, escaped, patches
from harness.deploy.providers.aws.shapes import scalar_text, to_request
from harness.deploy.providers.aws.tags import LOGS
from harness.deploy.providers.resource import CheckError, Context, Invoke, Properties

_ARN = "arn:aws:apigateway:{region}::"
_API = {"restApiId": "restApi"}
_METHOD = {**_API, "resourceId": "resourceId", "httpMethod": "httpMethod"}
_METHOD_PARTS = ("restApi", "resourceId", "httpMethod")


class _Patched(Declared):
    """Something of API Gateway. It is updated by patch operations; maps and lists entry by entry."""

    service: ClassVar[str] = "apigateway"
    renames: ClassVar[Mapping[str, str]] = {"restApi": "restApiId"}

    def wire(self, context: Context, inputs: Properties) -> dict[str, Any]:
        """The settings in AWS's names, as the creation takes them."""
        shape = self.client(context).meta.service_model.operation_model(self.creates).input_shape
        known = {name: value for name, value in self.arrange(context, inputs).items() if name != "tags"}
        request = to_request(shape, known, self.renames)
        return {name: value for name, value in request.items() if name not in self.key}

    def operations(self, context: Context, olds: Properties, news: Properties) -> list[Patch]:
        """The patch operations from `olds` to `news`."""
        return list(patches(self.wire(context, olds), self.wire(context, news)))

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Patch what differs."""
        wanted = self.operations(context, olds, news)
        if wanted and self.updates:
            self.send(context, self.updates, {}, **self.keys(resource_id, news), patchOperations=wanted)


class _WithPolicy(_Patched):
    """AWS answers a policy as the inside of a JSON string."""

    def ask(self, context: Context, resource_id: str, inputs: Properties) -> dict[str, Any] | None:
        """With the policy as plain JSON."""
        found = super().ask(context, resource_id, inputs)
        policy = str((found or {}).get("policy") or "")
        if found and policy.startswith('{\\"'):
            found["policy"] = json.loads(f'"{policy}"')
        return found


class RestApi(_WithPolicy, noun="RestApi"):
    """aws:apigateway/restApi:RestApi; the id is the API's. A `body` is an OpenAPI document."""

    token: ClassVar = "aws:apigateway/restApi:RestApi"
    named: ClassVar = "name"
    json_keys: ClassVar = frozenset({"policy", "body"})
    tagging: ClassVar = LOGS
    key: ClassVar = {"restApiId": "id"}
    id_from: ClassVar = "id"
    computed: ClassVar = {
        "arn": _ARN + "/restapis/{id}",
        "executionArn": "arn:aws:execute-api:{region}:{account}:{id}",
    }

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it, then what its body describes."""
        api = super().make(context, inputs)
        if inputs.get("body"):
            import_body(context, api, str(inputs["body"]), inputs)
        return api

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """The root resource, under which programs create theirs; a policy in the text that was given."""
        root = body.get("rootResourceId")
        if not root:
            pages = self.client(context).get_paginator("get_resources").paginate(restApiId=resource_id)
            root = next(item["id"] for page in pages for item in page["items"] if item["path"] == "/")
        return {"rootResourceId": root}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Settings by patches, the body as a whole."""
        super().change(context, resource_id, olds, news)
        if news.get("body") and roots(olds, news) & {"body", "parameters", "putRestApiMode"}:
            import_body(context, resource_id, str(news["body"]), news)


class RestApiPut(_Patched):
    """aws:apigateway/restApiPut:RestApiPut; a body put on an API that is there; the id is the API's."""

    token: ClassVar = "aws:apigateway/restApiPut:RestApiPut"
    outlives: ClassVar = True
    json_keys: ClassVar = frozenset({"body"})
    replace_on: ClassVar = frozenset({"restApiId", "body", "triggers"})
    reads: ClassVar = "GetRestApi"
    key: ClassVar = {"restApiId": "restApiId"}
    parts: ClassVar = ("restApiId",)

    def make(self, context: Context, inputs: Properties) -> str:
        """Put the body."""
        import_body(context, str(inputs["restApiId"]), str(inputs["body"]), inputs)
        return str(inputs["restApiId"])


class RestApiPolicy(_WithPolicy):
    """aws:apigateway/restApiPolicy:RestApiPolicy; the id is the API's."""

    token: ClassVar = "aws:apigateway/restApiPolicy:RestApiPolicy"
    json_keys: ClassVar = frozenset({"policy"})
    replace_on: ClassVar = frozenset({"restApiId"})
    reads: ClassVar = "GetRestApi"
    key: ClassVar = {"restApiId": "restApiId"}
    parts: ClassVar = ("restApiId",)

    def make(self, context: Context, inputs: Properties) -> str:
        """Put the policy."""
        self.change(context, str(inputs["restApiId"]), {}, inputs)
        return str(inputs["restApiId"])

    def ask(self, context: Context, resource_id: str, inputs: Properties) -> dict[str, Any] | None:
        """There as long as the policy is."""
        found = super().ask(context, resource_id, inputs)
        return found if found and found.get("policy") else None

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Replace it."""
        operation = {"op": "replace", "path": "/policy", "value": str(news.get("policy", ""))}
        self.send(context, "UpdateRestApi", {}, restApiId=resource_id, patchOperations=[operation])

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """An empty policy is none."""
        self.change(context, resource_id, state, {})


class Resource(_Patched, noun="Resource"):
    """aws:apigateway/resource:Resource; the id is the resource's."""

    token: ClassVar = "aws:apigateway/resource:Resource"
    replace_on: ClassVar = frozenset({"restApi"})
    key: ClassVar = {**_API, "resourceId": "id"}
    id_from: ClassVar = "id"
    parts: ClassVar = ("restApi", "id")


class Method(_Patched, noun="Method", verbs="Put Get Update Delete"):
    """aws:apigateway/method:Method."""

    token: ClassVar = "aws:apigateway/method:Method"
    defaults: ClassVar = {"apiKeyRequired": False}
    replace_on: ClassVar = frozenset({"restApi", "resourceId", "httpMethod"})
    renames: ClassVar = {"restApi": "restApiId", "authorization": "authorizationType"}
    key: ClassVar = _METHOD
    parts: ClassVar = _METHOD_PARTS
    id_format: ClassVar = "agm-{restApi}-{resourceId}-{httpMethod}"


class _Answer(_Patched):
    """What belongs to a method and one status. It is put again to be changed."""

    replace_on: ClassVar[frozenset[str]] = frozenset({*_METHOD_PARTS, "statusCode"})
    key: ClassVar[Mapping[str, str]] = {**_METHOD, "statusCode": "statusCode"}
    parts: ClassVar[tuple[str, ...]] = (*_METHOD_PARTS, "statusCode")

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Put it again."""
        if roots(olds, news):
            self.send(context, self.creates, self.arrange(context, news))


class MethodResponse(_Answer, noun="MethodResponse", verbs="Put Get - Delete"):
    """aws:apigateway/methodResponse:MethodResponse."""

    token: ClassVar = "aws:apigateway/methodResponse:MethodResponse"
    id_format: ClassVar = "agmr-{restApi}-{resourceId}-{httpMethod}-{statusCode}"


class IntegrationResponse(_Answer, noun="IntegrationResponse", verbs="Put Get - Delete"):
    """aws:apigateway/integrationResponse:IntegrationResponse."""

    token: ClassVar = "aws:apigateway/integrationResponse:IntegrationResponse"
    id_format: ClassVar = "agir-{restApi}-{resourceId}-{httpMethod}-{statusCode}"


class Integration(_Patched, noun="Integration", verbs="Put Get Update Delete"):
    """aws:apigateway/integration:Integration. `httpMethod` is the method's, the backend's is another one."""

    token: ClassVar = "aws:apigateway/integration:Integration"
    defaults: ClassVar = {"connectionType": "INTERNET", "timeoutMilliseconds": 29_000}
    replace_on: ClassVar = frozenset({*_METHOD_PARTS, "type", "integrationHttpMethod"})
    delete_before_replace: ClassVar = True
    renames: ClassVar = {"restApi": "restApiId", "timeoutMilliseconds": "timeoutInMillis"}
    key: ClassVar = _METHOD
    parts: ClassVar = _METHOD_PARTS
    id_format: ClassVar = "agi-{restApi}-{resourceId}-{httpMethod}"

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """AWS answers the backend's method as `httpMethod`."""
        known = self.known(resource_id, inputs)
        return {"httpMethod": known["httpMethod"], "integrationHttpMethod": body.get("httpMethod")}


class Deployment(_Patched, noun="Deployment"):
    """aws:apigateway/deployment:Deployment; a snapshot. `triggers` say when a new one is due."""

    token: ClassVar = "aws:apigateway/deployment:Deployment"
    replace_on: ClassVar = frozenset({"restApi", "triggers", "variables"})
    key: ClassVar = {**_API, "deploymentId": "id"}
    id_from: ClassVar = "id"
    parts: ClassVar = ("restApi", "id")


class Stage(_Patched, noun="Stage"):
    """aws:apigateway/stage:Stage."""

    token: ClassVar = "aws:apigateway/stage:Stage"
    tagging: ClassVar = LOGS
    replace_on: ClassVar = frozenset({"restApi", "stageName"})
    renames: ClassVar = {
        "restApi": "restApiId", "deployment": "deploymentId", "xrayTracingEnabled": "tracingEnabled",
    }  # fmt: skip
    key: ClassVar = {**_API, "stageName": "stageName"}
    parts: ClassVar = ("restApi", "stageName")
    id_format: ClassVar = "ags-{restApi}-{stageName}"
    computed: ClassVar = {
        "arn": _ARN + "/restapis/{restApi}/stages/{stageName}",
        "executionArn": "arn:aws:execute-api:{region}:{account}:{restApi}/{stageName}",
    }

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it; access logs can only be set afterwards."""
        resource_id = super().make(context, inputs)
        if inputs.get("accessLogSettings"):
            self.change(context, resource_id, {**inputs, "accessLogSettings": None}, inputs)
        return resource_id

    def wire(self, context: Context, inputs: Properties) -> dict[str, Any]:
        """With the access logs that a creation does not take."""
        logs = inputs.get("accessLogSettings")
        return {**super().wire(context, inputs), **({"accessLogSettings": dict(logs)} if logs else {})}

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """Where clients reach it."""
        known = self.known(resource_id, inputs)
        api = str(known["restApi"])
        reported = f"https://{api}.execute-api.{context.region}.amazonaws.com"
        return {"invokeUrl": f"{endpoint_of(context, api, reported)}/{known['stageName']}"}


_SETTINGS = {
    "metricsEnabled": "metrics/enabled",
    "loggingLevel": "logging/loglevel",
    "dataTraceEnabled": "logging/dataTrace",
    "throttlingBurstLimit": "throttling/burstLimit",
    "throttlingRateLimit": "throttling/rateLimit",
    "cachingEnabled": "caching/enabled",
    "cacheTtlInSeconds": "caching/ttlInSeconds",
    "cacheDataEncrypted": "caching/dataEncrypted",
    "requireAuthorizationForCacheControl": "caching/requireAuthorizationForCacheControl",
    "unauthorizedCacheControlHeaderStrategy": "caching/unauthorizedCacheControlHeaderStrategy",
}


class MethodSettings(_Patched):
    """aws:apigateway/methodSettings:MethodSettings; logging, throttling and caching of a stage's methods."""

    token: ClassVar = "aws:apigateway/methodSettings:MethodSettings"
    replace_on: ClassVar = frozenset({"restApi", "stageName", "methodPath"})
    reads: ClassVar = "GetStage"
    key: ClassVar = {**_API, "stageName": "stageName"}
    parts: ClassVar = ("restApi", "stageName", "methodPath")
    id_format: ClassVar = "{restApi}-{stageName}-{methodPath}"

    def make(self, context: Context, inputs: Properties) -> str:
        """Patch the stage."""
        self.change(context, self.joined(inputs), {}, inputs)
        return self.joined(inputs)

    def ask(self, context: Context, resource_id: str, inputs: Properties) -> dict[str, Any] | None:
        """The settings of its path."""
        stage = super().ask(context, resource_id, inputs)
        path = str(self.known(resource_id, inputs)["methodPath"]).lstrip("/")
        found = ((stage or {}).get("methodSettings") or {}).get(path)
        return None if found is None else {"settings": found}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Patch what differs."""
        before, after = olds.get("settings") or {}, news["settings"]
        wanted = [
            {"op": "replace", "path": f"/{_stage_path(news)}/{path}", "value": scalar_text(after[name])}
            for name, path in _SETTINGS.items()
            if after.get(name) is not None and after[name] != before.get(name)
        ]
        self._patch(context, news, wanted)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Back to the stage's defaults."""
        self._patch(context, state, [{"op": "remove", "path": f"/{_stage_path(state)}"}])

    def _patch(self, context: Context, inputs: Properties, wanted: list[Patch]) -> None:
        if wanted:
            self.send(context, "UpdateStage", {}, **self.keys("", inputs), patchOperations=wanted)


def _stage_path(inputs: Properties) -> str:
    """`orders/{id}/GET` as AWS wants it: the resource's path is one step."""
    path, _, method = str(inputs["methodPath"]).strip("/").rpartition("/")
    return f"{escaped(path)}/{method}"


class Authorizer(_Patched, noun="Authorizer"):
    """aws:apigateway/authorizer:Authorizer; the id is the authorizer's."""

    token: ClassVar = "aws:apigateway/authorizer:Authorizer"
    named: ClassVar = "name"
    defaults: ClassVar = {
        "type": "TOKEN",
        "identitySource": "method.request.header.Authorization",
        "authorizerResultTtlInSeconds": 300,
    }
    replace_on: ClassVar = frozenset({"restApi"})
    key: ClassVar = {**_API, "authorizerId": "id"}
    id_from: ClassVar = "id"
    parts: ClassVar = ("restApi", "id")
    computed: ClassVar = {"arn": _ARN + "/restapis/{restApi}/authorizers/{id}"}

    def check(self, context: Context, inputs: Properties, olds: Properties | None) -> Properties:
        """Each kind needs its own backend."""
        checked = super().check(context, inputs, olds)
        needed = "providerArns" if checked["type"] == "COGNITO_USER_POOLS" else "authorizerUri"
        if checked.get(needed) is None:
            raise CheckError([(needed, f"is required for an authorizer of type {checked['type']}")])
        return checked


class RequestValidator(_Patched, noun="RequestValidator"):
    """aws:apigateway/requestValidator:RequestValidator; the id is the validator's."""

    token: ClassVar = "aws:apigateway/requestValidator:RequestValidator"
    named: ClassVar = "name"
    defaults: ClassVar = {"validateRequestBody": False, "validateRequestParameters": False}
    replace_on: ClassVar = frozenset({"restApi"})
    key: ClassVar = {**_API, "requestValidatorId": "id"}
    id_from: ClassVar = "id"
    parts: ClassVar = ("restApi", "id")


class Model(_Patched, noun="Model"):
    """aws:apigateway/model:Model; the id is AWS's, the API knows it by name."""

    token: ClassVar = "aws:apigateway/model:Model"
    named: ClassVar = "name"
    json_keys: ClassVar = frozenset({"schema"})
    replace_on: ClassVar = frozenset({"restApi", "name", "contentType"})
    key: ClassVar = {**_API, "modelName": "name"}
    id_from: ClassVar = "id"
    parts: ClassVar = ("restApi", "name")

    def check(self, context: Context, inputs: Properties, olds: Properties | None) -> Properties:
        """AWS takes letters and digits only in a model's name."""
        checked = super().check(context, inputs, olds)
        if inputs.get("name") is None:
            checked["name"] = "".join(char for char in checked["name"] if char.isalnum())
        return checked


class GatewayResponse(_Answer, noun="GatewayResponse", verbs="Put Get - Delete"):
    """aws:apigateway/response:Response; what API Gateway itself answers when it refuses."""

    token: ClassVar = "aws:apigateway/response:Response"
    replace_on: ClassVar = frozenset({"restApiId", "responseType"})
    key: ClassVar = {"restApiId": "restApiId", "responseType": "responseType"}
    parts: ClassVar = ("restApiId", "responseType")
    id_format: ClassVar = "aggr-{restApiId}-{responseType}"


class DocumentationPart(_Patched, noun="DocumentationPart"):
    """aws:apigateway/documentationPart:DocumentationPart; the id is `api/part`."""

    token: ClassVar = "aws:apigateway/documentationPart:DocumentationPart"
    listed: ClassVar = "id"
    replace_on: ClassVar = frozenset({"restApiId", "location"})
    json_keys: ClassVar = frozenset({"properties"})
    key: ClassVar = {"restApiId": "restApiId", "documentationPartId": "documentationPartId"}
    parts: ClassVar = ("restApiId", "documentationPartId")

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it."""
        return f"{inputs['restApiId']}/{self.send(context, self.creates, inputs)['id']}"

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """Its own id."""
        return {"documentationPartId": body["id"]}


class DocumentationVersion(_Patched, noun="DocumentationVersion"):
    """aws:apigateway/documentationVersion:DocumentationVersion; the id is `api/version`."""

    token: ClassVar = "aws:apigateway/documentationVersion:DocumentationVersion"
    replace_on: ClassVar = frozenset({"restApiId", "version"})
    renames: ClassVar = {"version": "documentationVersion"}
    key: ClassVar = {"restApiId": "restApiId", "documentationVersion": "version"}
    parts: ClassVar = ("restApiId", "version")


class ApiKey(_Patched, noun="ApiKey"):
    """aws:apigateway/apiKey:ApiKey; the id is the key's, its value is a secret."""

    token: ClassVar = "aws:apigateway/apiKey:ApiKey"
    named: ClassVar = "name"
    defaults: ClassVar = {"enabled": True, "description": "Managed by Pulumi"}
    tagging: ClassVar = LOGS
    secret_outputs: ClassVar = frozenset({"value"})
    replace_on: ClassVar = frozenset({"value"})
    key: ClassVar = {"apiKey": "id"}
    id_from: ClassVar = "id"
    computed: ClassVar = {"arn": _ARN + "/apikeys/{id}"}

    def ask(self, context: Context, resource_id: str, inputs: Properties) -> dict[str, Any] | None:
        """With its value."""
        return self.send(context, self.reads, {}, apiKey=resource_id, includeValue=True)

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """The value, also one that AWS made."""
        return {"value": body.get("value") or inputs.get("value")}


class UsagePlan(_Patched, noun="UsagePlan"):
    """aws:apigateway/usagePlan:UsagePlan; the id is the plan's."""

    token: ClassVar = "aws:apigateway/usagePlan:UsagePlan"
    named: ClassVar = "name"
    tagging: ClassVar = LOGS
    renames: ClassVar = {"quotaSettings": "quota", "throttleSettings": "throttle"}
    key: ClassVar = {"usagePlanId": "id"}
    id_from: ClassVar = "id"
    computed: ClassVar = {"arn": _ARN + "/usageplans/{id}"}

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """Throttles of a stage by path."""
        stages = [
            {**stage, "throttle": {one["path"]: one for one in stage["throttles"]}}
            if stage.get("throttles")
            else stage
            for stage in inputs.get("apiStages") or ()
        ]
        return {**inputs, "apiStages": stages}

    def operations(self, context: Context, olds: Properties, news: Properties) -> list[Patch]:
        """Stages are named `api:stage`."""
        before, after = self.wire(context, olds), self.wire(context, news)
        old = {_stage_name(stage): stage for stage in before.pop("apiStages", ())}
        new = {_stage_name(stage): stage for stage in after.pop("apiStages", ())}
        moved = [{"op": "remove", "path": "/apiStages", "value": name} for name in old if name not in new]
        moved += [{"op": "add", "path": "/apiStages", "value": name} for name in new if name not in old]
        return [*patches(before, after), *moved]

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """AWS refuses to delete a plan that still has stages."""
        stages = self.operations(context, {"apiStages": state.get("apiStages")}, {})
        if stages:
            self.send(context, self.updates, {}, usagePlanId=resource_id, patchOperations=stages)
        super().remove(context, resource_id, state)


def _stage_name(stage: Mapping[str, Any]) -> str:
    return f"{stage['apiId']}:{stage['stage']}"


class UsagePlanKey(_Patched, noun="UsagePlanKey", verbs="Create Get - Delete"):
    """aws:apigateway/usagePlanKey:UsagePlanKey; a key's membership of a plan; the id is the key's."""

    token: ClassVar = "aws:apigateway/usagePlanKey:UsagePlanKey"
    secret_outputs: ClassVar = frozenset({"value"})
    replace_on: ClassVar = frozenset({"usagePlanId", "keyId", "keyType"})
    key: ClassVar = {"usagePlanId": "usagePlanId", "keyId": "keyId"}
    id_from: ClassVar = "id"
    parts: ClassVar = ("usagePlanId", "keyId")


class DomainName(_Patched, noun="DomainName"):
    """aws:apigateway/domainName:DomainName; the id is the name."""

    token: ClassVar = "aws:apigateway/domainName:DomainName"
    tagging: ClassVar = LOGS
    secret_outputs: ClassVar = frozenset({"certificatePrivateKey"})
    replace_on: ClassVar = frozenset({"domainName"})
    renames: ClassVar = {
        "cloudfrontDomainName": "distributionDomainName", "cloudfrontZoneId": "distributionHostedZoneId",
        "regionalZoneId": "regionalHostedZoneId",
    }  # fmt: skip
    key: ClassVar = {"domainName": "domainName"}
    parts: ClassVar = ("domainName",)
    computed: ClassVar = {"arn": _ARN + "/domainnames/{domainName}"}


class BasePathMapping(_Patched, noun="BasePathMapping"):
    """aws:apigateway/basePathMapping:BasePathMapping; the id is `domain/path`."""

    token: ClassVar = "aws:apigateway/basePathMapping:BasePathMapping"
    replace_on: ClassVar = frozenset({"domainName"})
    delete_before_replace: ClassVar = True
    renames: ClassVar = {"restApi": "restApiId", "stageName": "stage"}
    key: ClassVar = {"domainName": "domainName", "basePath": "basePath"}
    parts: ClassVar = ("domainName", "basePath")

    def joined(self, inputs: Properties) -> str:
        """The empty path is the root."""
        return f"{inputs['domainName']}/{inputs.get('basePath') or ''}"

    def keys(self, resource_id: str, state: Properties) -> dict[str, Any]:
        """AWS's word for the root is `(none)`."""
        found = super().keys(resource_id, state)
        return {**found, "basePath": found.get("basePath") or "(none)"}

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """`(none)` is not what the program said."""
        found = super().look(context, resource_id, inputs)
        return found if found is None or found.get("basePath") != "(none)" else {**found, "basePath": None}


class Account(_Patched):
    """aws:apigateway/account:Account; the one role that writes logs, for account and region."""

    token: ClassVar = "aws:apigateway/account:Account"
    id_format: ClassVar = "{account}"
    outlives: ClassVar = True
    reads: ClassVar = "GetAccount"
    key: ClassVar = {}

    def make(self, context: Context, inputs: Properties) -> str:
        """Set the role."""
        self.change(context, "", {}, inputs)
        return context.account_id

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """The limits as a list of one, as the provider's older types have it."""
        found = super().look(context, resource_id, inputs) or {}
        limits = found.get("throttleSettings")
        return {**found, "throttleSettings": [limits] if isinstance(limits, Mapping) else limits}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Set the role."""
        operation = {"op": "replace", "path": "/cloudwatchRoleArn", "value": news.get("cloudwatchRoleArn") or ""}
        self.send(context, "UpdateAccount", {}, patchOperations=[operation])

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """No role."""
        self.change(context, resource_id, state, {})


class VpcLink(_Patched, noun="VpcLink"):
    """aws:apigateway/vpcLink:VpcLink; the id is the link's."""

    token: ClassVar = "aws:apigateway/vpcLink:VpcLink"
    named: ClassVar = "name"
    tagging: ClassVar = LOGS
    renames: ClassVar = {"targetArn": "targetArns"}
    replace_on: ClassVar = frozenset({"targetArn"})
    key: ClassVar = {"vpcLinkId": "id"}
    id_from: ClassVar = "id"
    settled: ClassVar = ("status", frozenset({"AVAILABLE"}))
    computed: ClassVar = {"arn": _ARN + "/vpclinks/{id}"}


class ClientCertificate(_Patched):
    """aws:apigateway/clientCertificate:ClientCertificate; the id is the certificate's."""

    token: ClassVar = "aws:apigateway/clientCertificate:ClientCertificate"
    tagging: ClassVar = LOGS
    creates: ClassVar = "GenerateClientCertificate"
    reads: ClassVar = "GetClientCertificate"
    updates: ClassVar = "UpdateClientCertificate"
    deletes: ClassVar = "DeleteClientCertificate"
    key: ClassVar = {"clientCertificateId": "id"}
    id_from: ClassVar = "clientCertificateId"
    computed: ClassVar = {"arn": _ARN + "/clientcertificates/{id}"}


RESOURCES = (
    RestApi(), RestApiPut(), RestApiPolicy(), Resource(), Method(), MethodResponse(), Integration(),
    IntegrationResponse(), Deployment(), Stage(), MethodSettings(), Authorizer(), RequestValidator(), Model(),
    GatewayResponse(), DocumentationPart(), DocumentationVersion(), ApiKey(), UsagePlan(), UsagePlanKey(),
    DomainName(), BasePathMapping(), Account(), VpcLink(), ClientCertificate(),
)  # fmt: skip


def rest_api(context: Context, arguments: Properties) -> Properties:
    """An API by name."""
    pages = context.client("apigateway").get_paginator("get_rest_apis").paginate()
    found = [api for page in pages for api in page["items"] if api["name"] == arguments["name"]]
    if len(found) != 1:
        raise CheckError([("name", f"there are {len(found)} REST APIs of this name, not one")])
    handler = RestApi()
    return {**arguments, "id": found[0]["id"], **(handler.read(context, found[0]["id"], None) or {})}


def resource(context: Context, arguments: Properties) -> Properties:
    """A resource by path."""
    pages = context.client("apigateway").get_paginator("get_resources").paginate(restApiId=arguments["restApiId"])
    for page in pages:
        for item in page["items"]:
            if item["path"] == arguments["path"]:
                parts = {"parentId": item.get("parentId", ""), "pathPart": item.get("pathPart", "")}
                return {**arguments, "id": item["id"], **parts}
    raise CheckError([("path", f"the API has no resource {arguments['path']}")])


INVOKES: dict[str, Invoke] = {
    "aws:apigateway/getRestApi:getRestApi": rest_api,
    "aws:apigateway/getResource:getResource": resource,
}
