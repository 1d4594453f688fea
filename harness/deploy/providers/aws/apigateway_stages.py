"""API Gateway's deployments and stages, how their methods are throttled and logged, and what stages call with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.apigateway_type import API, ARN, Patched
from harness.deploy.providers.aws.endpoints import endpoint_of
from harness.deploy.providers.aws.patches import Patch, escaped
from harness.deploy.providers.aws.shapes import scalar_text
from harness.deploy.providers.aws.tags import LOGS
from harness.deploy.providers.resource import Context, Properties


class Deployment(Patched, noun="Deployment"):
    """aws:apigateway/deployment:Deployment; a snapshot. `triggers` say when a new one is due."""

    token: ClassVar = "aws:apigateway/deployment:Deployment"
    replace_on: ClassVar = frozenset({"restApi", "triggers", "variables"})
    key: ClassVar = {**API, "deploymentId": "id"}
    id_from: ClassVar = "id"
    parts: ClassVar = ("restApi", "id")


class Stage(Patched, noun="Stage"):
    """aws:apigateway/stage:Stage."""

    token: ClassVar = "aws:apigateway/stage:Stage"
    tagging: ClassVar = LOGS
    replace_on: ClassVar = frozenset({"restApi", "stageName"})
    renames: ClassVar = {
        "restApi": "restApiId", "deployment": "deploymentId", "xrayTracingEnabled": "tracingEnabled",
    }  # fmt: skip
    key: ClassVar = {**API, "stageName": "stageName"}
    parts: ClassVar = ("restApi", "stageName")
    id_format: ClassVar = "ags-{restApi}-{stageName}"
    computed: ClassVar = {
        "arn": ARN + "/restapis/{restApi}/stages/{stageName}",
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


class MethodSettings(Patched):
    """aws:apigateway/methodSettings:MethodSettings; logging, throttling and caching of a stage's methods."""

    token: ClassVar = "aws:apigateway/methodSettings:MethodSettings"
    replace_on: ClassVar = frozenset({"restApi", "stageName", "methodPath"})
    reads: ClassVar = "GetStage"
    key: ClassVar = {**API, "stageName": "stageName"}
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


class ClientCertificate(Patched):
    """aws:apigateway/clientCertificate:ClientCertificate; the id is the certificate's."""

    token: ClassVar = "aws:apigateway/clientCertificate:ClientCertificate"
    tagging: ClassVar = LOGS
    creates: ClassVar = "GenerateClientCertificate"
    reads: ClassVar = "GetClientCertificate"
    updates: ClassVar = "UpdateClientCertificate"
    deletes: ClassVar = "DeleteClientCertificate"
    key: ClassVar = {"clientCertificateId": "id"}
    id_from: ClassVar = "clientCertificateId"
    computed: ClassVar = {"arn": ARN + "/clientcertificates/{id}"}


class Account(Patched):
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


RESOURCES = (Deployment(), Stage(), MethodSettings(), ClientCertificate(), Account())
