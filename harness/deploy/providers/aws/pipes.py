"""EventBridge Pipes."""

from __future__ import annotations

from typing import Any, ClassVar

from harness.deploy.providers.aws import ecs_targets
from harness.deploy.providers.aws.declared import Declared
from harness.deploy.providers.aws.tags import LOGS
from harness.deploy.providers.resource import Context, Properties


class Pipe(Declared):
    """aws:pipes/pipe:Pipe; the id is the name."""

    token: ClassVar = "aws:pipes/pipe:Pipe"
    service: ClassVar = "pipes"
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 64}
    defaults: ClassVar = {"desiredState": "RUNNING"}
    tagging: ClassVar = LOGS
    replace_on: ClassVar = frozenset({"name", "namePrefix", "source"})
    renames: ClassVar = {
        "commands": "Command", "environments": "Environment", "dependsOns": "DependsOn",
        "includeExecutionDatas": "IncludeExecutionData", **ecs_targets.RENAMES,
    }  # fmt: skip
    creates: ClassVar = "CreatePipe"
    reads: ClassVar = "DescribePipe"
    updates: ClassVar = "UpdatePipe"
    deletes: ClassVar = "DeletePipe"
    key: ClassVar = {"Name": "name"}
    parts: ClassVar = ("name",)
    settled: ClassVar = ("CurrentState", frozenset({"RUNNING", "STOPPED"}))

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it and wait: it goes in its own time."""
        super().remove(context, resource_id, state)
        self.wait_gone(context, resource_id, state)


RESOURCES: tuple[Any, ...] = (Pipe(),)
