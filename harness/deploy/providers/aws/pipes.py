"""EventBridge Pipes.

The embedded cloud moves records from DynamoDB streams to topics and state machines, as they are. All else it would
take and drop without a word, so that it is refused before anything is created.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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


_ENDS = {"source": ("dynamodb",), "target": ("sns", "states")}
_KEPT = frozenset({"sourceParameters.dynamodbStreamParameters.startingPosition"})
_NOT_HERE = "would be dropped by the embedded cloud: leave it out for this target, or deploy it on real AWS only"


def _dropped(inputs: Properties) -> Iterator[Failure]:
    """What the embedded cloud takes and does not obey; ends that are not known yet are taken as they are."""
    for name, services in _ENDS.items():
        service = [*str(inputs.get(name)).split(":"), "", "", ""][2]
        if service and service not in services and inputs.get("desiredState") != "STOPPED":
            yield name, f"is of {service}: pipes of the embedded cloud know {' and '.join(services)} there only"
    for name in ("enrichment", "enrichmentParameters", "logConfiguration", "kmsKeyIdentifier"):
        if inputs.get(name):
            yield name, _NOT_HERE
    for name in ("sourceParameters", "targetParameters"):
        yield from ((path, _NOT_HERE) for path in _leaves(inputs.get(name), name) if path not in _KEPT)


def _leaves(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}")
    elif value is not None:
        yield path


RESOURCES: tuple[Any, ...] = (Pipe(),)
