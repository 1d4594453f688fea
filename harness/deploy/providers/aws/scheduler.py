"""EventBridge Scheduler: schedules and their groups."""

from __future__ import annotations

from typing import ClassVar

from harness.deploy.providers.aws import ecs_targets
from harness.deploy.providers.aws.declared import Declared
from harness.deploy.providers.aws.tags import BY_ARN
from harness.deploy.providers.resource import Context, Properties


class ScheduleGroup(Declared, noun="ScheduleGroup", verbs="Create Get - Delete"):
    """aws:scheduler/scheduleGroup:ScheduleGroup; the id is the name."""

    token: ClassVar = "aws:scheduler/scheduleGroup:ScheduleGroup"
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 64}
    tagging: ClassVar = BY_ARN
    replace_on: ClassVar = frozenset({"name", "namePrefix"})
    renames: ClassVar = {"lastModificationDate": "LastModificationDate"}
    key: ClassVar = {"Name": "name"}
    parts: ClassVar = ("name",)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it with its schedules, and wait."""
        super().remove(context, resource_id, state)
        self.wait_gone(context, resource_id, state)


class Schedule(Declared, noun="Schedule"):
    """aws:scheduler/schedule:Schedule; the id is `group/name`."""

    token: ClassVar = "aws:scheduler/schedule:Schedule"
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 64}
    defaults: ClassVar = {"groupName": "default", "scheduleExpressionTimezone": "UTC", "state": "ENABLED"}
    replace_on: ClassVar = frozenset({"name", "namePrefix", "groupName"})
    renames: ClassVar = ecs_targets.RENAMES
    key: ClassVar = {"Name": "name", "GroupName": "groupName"}
    parts: ClassVar = ("groupName", "name")

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """A task's network as AWS nests it."""
        target = inputs["target"]
        if not target.get("ecsParameters"):
            return inputs
        return {**inputs, "target": {**target, "ecsParameters": ecs_targets.with_network(target["ecsParameters"])}}


RESOURCES = (ScheduleGroup(), Schedule())
