"""API Gateway's usage plans and the keys that they count."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.apigateway_type import ARN, Patched
from harness.deploy.providers.aws.patches import Patch, patches
from harness.deploy.providers.aws.tags import LOGS
from harness.deploy.providers.resource import Context, Properties


class ApiKey(Patched, noun="ApiKey"):
    """aws:apigateway/apiKey:ApiKey; the id is the key's, its value is a secret."""

    token: ClassVar = "aws:apigateway/apiKey:ApiKey"
    named: ClassVar = "name"
    defaults: ClassVar = {"enabled": True, "description": "Managed by Pulumi"}
    tagging: ClassVar = LOGS
    secret_outputs: ClassVar = frozenset({"value"})
    replace_on: ClassVar = frozenset({"value"})
    key: ClassVar = {"apiKey": "id"}
    id_from: ClassVar = "id"
    computed: ClassVar = {"arn": ARN + "/apikeys/{id}"}

    def ask(self, context: Context, resource_id: str, inputs: Properties) -> dict[str, Any] | None:
        """With its value."""
        return self.send(context, self.reads, {}, apiKey=resource_id, includeValue=True)

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """The value, also one that AWS made."""
        return {"value": body.get("value") or inputs.get("value")}


class UsagePlan(Patched, noun="UsagePlan"):
    """aws:apigateway/usagePlan:UsagePlan; the id is the plan's."""

    token: ClassVar = "aws:apigateway/usagePlan:UsagePlan"
    named: ClassVar = "name"
    tagging: ClassVar = LOGS
    renames: ClassVar = {"quotaSettings": "quota", "throttleSettings": "throttle"}
    key: ClassVar = {"usagePlanId": "id"}
    id_from: ClassVar = "id"
    computed: ClassVar = {"arn": ARN + "/usageplans/{id}"}

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


class UsagePlanKey(Patched, noun="UsagePlanKey", verbs="Create Get - Delete"):
    """aws:apigateway/usagePlanKey:UsagePlanKey; a key's membership of a plan; the id is the key's."""

    token: ClassVar = "aws:apigateway/usagePlanKey:UsagePlanKey"
    secret_outputs: ClassVar = frozenset({"value"})
    replace_on: ClassVar = frozenset({"usagePlanId", "keyId", "keyType"})
    key: ClassVar = {"usagePlanId": "usagePlanId", "keyId": "keyId"}
    id_from: ClassVar = "id"
    parts: ClassVar = ("usagePlanId", "keyId")


RESOURCES = (ApiKey(), UsagePlan(), UsagePlanKey())
