"""Application Auto Scaling: targets, policies, scheduled actions. State of the API only: nothing scales here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.declared import Declared
from harness.deploy.providers.aws.tags import Tagging
from harness.deploy.providers.resource import Context, Properties

_WHAT = ("serviceNamespace", "resourceId", "scalableDimension")
_PLACE = {
    "ServiceNamespace": "serviceNamespace",
    "ResourceId": "resourceId",
    "ScalableDimension": "scalableDimension",
}


class _Scaling(Declared):
    service: ClassVar[str] = "application-autoscaling"
    key: ClassVar[Mapping[str, str]] = _PLACE
    identity: ClassVar[str] = ""

    def ask(self, context: Context, resource_id: str, inputs: Properties) -> dict[str, Any] | None:
        """Among those of the same target."""
        state = {**self.known(resource_id, inputs)}
        where = {member: state[name] for member, name in _PLACE.items()}
        if not self.identity:
            where["ResourceIds"] = [where.pop("ResourceId")]
        found = self.send(context, self.reads, {}, **where)[self.body]
        name = self.renames.get("name", "")
        return next((one for one in found if not self.identity or one[name] == state["name"]), None)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it; the service has no error of its own for what is gone."""
        if self.ask(context, resource_id, state) is not None:
            super().remove(context, resource_id, state)


class Target(_Scaling):
    """What may be scaled, and how far; the id is the resource's."""

    token: ClassVar = "aws:appautoscaling/target:Target"
    tagging: ClassVar = Tagging(resource="ResourceARN", key="")
    creates: ClassVar = "RegisterScalableTarget"
    reads: ClassVar = "DescribeScalableTargets"
    updates: ClassVar = "RegisterScalableTarget"
    deletes: ClassVar = "DeregisterScalableTarget"
    body: ClassVar = "ScalableTargets"
    parts: ClassVar = _WHAT
    id_format: ClassVar = "{resourceId}"
    renames: ClassVar = {"arn": "ScalableTargetARN"}
    replace_on: ClassVar = frozenset(_WHAT)


class Policy(_Scaling, noun="ScalingPolicy", verbs="Put - Put Delete"):
    """When a target is scaled; the id is the name."""

    token: ClassVar = "aws:appautoscaling/policy:Policy"
    reads: ClassVar = "DescribeScalingPolicies"
    body: ClassVar = "ScalingPolicies"
    identity: ClassVar = "name"
    key: ClassVar = {**_PLACE, "PolicyName": "name"}
    parts: ClassVar = (*_WHAT, "name")
    id_format: ClassVar = "{name}"
    named: ClassVar = "name"
    defaults: ClassVar = {"policyType": "StepScaling"}
    renames: ClassVar = {"name": "PolicyName", "arn": "PolicyARN", "dimensions": "Dimensions"}
    replace_on: ClassVar = frozenset({*_WHAT, "name", "policyType"})

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """The alarms that belong to it."""
        del context, resource_id, inputs
        return {"alarmArns": [alarm["AlarmARN"] for alarm in body.get("Alarms", ())]}


class ScheduledAction(_Scaling, noun="ScheduledAction", verbs="Put - Put Delete"):
    """When a target's limits change; the id is the name and the resource's."""

    token: ClassVar = "aws:appautoscaling/scheduledAction:ScheduledAction"
    reads: ClassVar = "DescribeScheduledActions"
    body: ClassVar = "ScheduledActions"
    identity: ClassVar = "name"
    key: ClassVar = {**_PLACE, "ScheduledActionName": "name"}
    parts: ClassVar = (*_WHAT, "name")
    id_format: ClassVar = "{name}-{serviceNamespace}-{resourceId}"
    named: ClassVar = "name"
    defaults: ClassVar = {"timezone": "UTC"}
    renames: ClassVar = {"name": "ScheduledActionName", "arn": "ScheduledActionARN"}
    replace_on: ClassVar = frozenset({*_WHAT, "name"})


RESOURCES = (Target(), Policy(), ScheduledAction())
