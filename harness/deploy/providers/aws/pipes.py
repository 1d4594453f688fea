"""EventBridge Pipes.

The embedded cloud moves records from queues and streams, with filters, enrichment and templates, to most targets.
What it would take and drop without a word is refused before anything is created.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from harness.deploy.providers.aws import ecs_targets
from harness.deploy.providers.aws.declared import Declared
from harness.deploy.providers.aws.tags import LOGS
from harness.deploy.providers.resource import CheckError, Context, Failure, Properties


class Pipe(Declared, noun="Pipe", verbs="Create Describe Update Delete"):
    """aws:pipes/pipe:Pipe; the id is the name."""

    token: ClassVar = "aws:pipes/pipe:Pipe"
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 64}
    defaults: ClassVar = {"desiredState": "RUNNING"}
    tagging: ClassVar = LOGS
    replace_on: ClassVar = frozenset({"name", "namePrefix", "source"})
    renames: ClassVar = {
        "commands": "Command", "environments": "Environment", "dependsOns": "DependsOn",
        "includeExecutionDatas": "IncludeExecutionData", **ecs_targets.RENAMES,
    }  # fmt: skip
    key: ClassVar = {"Name": "name"}
    parts: ClassVar = ("name",)
    settled: ClassVar = ("CurrentState", frozenset({"RUNNING", "STOPPED"}))

    def check(self, context: Context, inputs: Properties, olds: Properties | None) -> Properties:
        """Only what moves something where it is created."""
        checked = super().check(context, inputs, olds)
        if context.target.kind == "embedded" and (wrong := list(_dropped(checked))):
            raise CheckError(wrong)
        return checked

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it and wait: it goes in its own time."""
        super().remove(context, resource_id, state)
        self.wait_gone(context, resource_id, state)


_ENDS = {
    "source": ("sqs", "dynamodb", "kinesis"),
    "target": ("lambda", "states", "sqs", "sns", "events", "kinesis", "firehose"),
    "enrichment": ("lambda", "states"),
}
_NOT_HERE = "would be dropped by the embedded cloud: leave it out for this target, or deploy it on real AWS only"


def _dropped(inputs: Properties) -> Iterator[Failure]:
    """What the embedded cloud does not obey; ends that are not known yet are taken as they are."""
    for name, services in _ENDS.items():
        service = [*str(inputs.get(name)).split(":"), "", "", ""][2]
        if service and service not in services:
            yield name, f"is of {service}: pipes of the embedded cloud know {', '.join(services)} there only"
    if inputs.get("logConfiguration"):
        yield "logConfiguration", _NOT_HERE


RESOURCES: tuple[Any, ...] = (Pipe(),)
