"""A cloud of two types in memory, and programs for it: the engine without any AWS."""

import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pytest

from harness.deploy import api, embedded
from harness.deploy.api import DeployRequest
from harness.deploy.engine.events import StepEvent
from harness.deploy.providers.resource import CheckError, Context, Observation, Registry, ResourceType
from harness.errors import ProviderError
from harness.target import endpoint_target


@dataclass
class Things:
    """Everything that exists, and every call that was made, in order."""

    existing: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    on_create: Callable[[dict[str, Any]], None] = lambda _inputs: None
    on_delete: Callable[[str], None] = lambda _name: None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, operation: str, name: str) -> None:
        with self.lock:
            self.calls.append((operation, name))

    def operations(self) -> list[str]:
        return [f"{operation} {name}" for operation, name in self.calls]


class Thing(ResourceType):
    """Behaves as AWS's simpler resources do; `name` cannot be changed."""

    replace_on: ClassVar = frozenset({"name", "nameProperty"})

    def __init__(self, token: str, things: Things, *, key: str = "name") -> None:
        self.token = token  # type: ignore[misc]
        self.things = things
        self.key = key

    def check(self, context: Context, inputs: dict[str, Any], olds: dict[str, Any] | None) -> dict[str, Any]:
        if inputs.get("delaySeconds") == -1:
            raise CheckError([("delaySeconds", "must not be negative")])
        return {**inputs, self.key: context.autoname(inputs, olds, self.key)}

    def create(self, context: Context, inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        self.things.on_create(inputs)
        if inputs.get("delaySeconds") == 99:
            raise ProviderError("InvalidParameterValue: 99 is too long", where=context.urn)
        self.things.note("create", context.name)
        identity = f"id-{uuid.uuid4().hex[:8]}"
        self.things.existing[identity] = dict(inputs)
        return identity, self._outputs(context, inputs)

    def read(self, context: Context, resource_id: str, inputs: dict[str, Any] | None) -> dict[str, Any] | None:
        found = self.things.existing.get(resource_id)
        return None if found is None else self._outputs(context, found)

    def observe(self, context: Context, resource_id: str, inputs: dict[str, Any]) -> Observation | None:
        found = self.things.existing.get(resource_id)
        if found is None:
            return None
        known = {key: found.get(key) for key in inputs if key != "fifoQueue"}
        return Observation(self._outputs(context, found), known, frozenset(inputs) & {"fifoQueue"})

    def update(
        self, context: Context, resource_id: str, olds: dict[str, Any], news: dict[str, Any]
    ) -> dict[str, Any]:
        self.things.note("update", context.name)
        self.things.existing[resource_id] = dict(news)
        return self._outputs(context, news)

    def delete(self, context: Context, resource_id: str, state: dict[str, Any]) -> None:
        self.things.on_delete(context.name)
        self.things.note("delete", context.name)
        self.things.existing.pop(resource_id, None)

    def find(self, context: Context, inputs: dict[str, Any]) -> str | None:
        named = [i for i, found in self.things.existing.items() if found[self.key] == inputs[self.key]]
        return named[0] if named else None

    def _outputs(self, context: Context, inputs: dict[str, Any]) -> dict[str, Any]:
        arn = f"arn:aws:thing:{context.region}:{context.account_id}:{inputs[self.key]}"
        return {**inputs, "arn": arn, "region": context.region}


class Named(Thing):
    """Its name can be there only once, as a table's."""

    named: ClassVar = "name"
    replace_on: ClassVar = frozenset({"name", "billingMode"})


def registry_of(things: Things) -> Registry:
    """The in-memory cloud's types, as the engine wants them."""
    handlers = [
        Thing("aws:sqs/queue:Queue", things),
        Thing("aws:sns/topic:Topic", things),
        Named("aws:dynamodb/table:Table", things),
    ]

    def region(context: Context, arguments: dict[str, Any]) -> dict[str, Any]:
        if arguments.get("name") == "nowhere":
            raise CheckError([("name", "is no region")])
        return {"name": context.region, "id": context.region, "region": context.region}

    return Registry.of(handlers, {"aws:index/getRegion:getRegion": region})


@pytest.fixture
def things(monkeypatch: pytest.MonkeyPatch) -> Things:
    """The in-memory cloud; it stands in for the AWS registry."""
    things = Things()
    monkeypatch.setattr(embedded, "registry", lambda: registry_of(things))
    return things


@dataclass
class Stack:
    """One program under test: write it, then deploy it."""

    folder: Path
    events: list[StepEvent] = field(default_factory=list)
    config: dict[str, str] = field(default_factory=dict)
    name: str = "dev"
    project_name: str = "shop"
    project: str = ""  # more of Pulumi.yaml

    def program(self, text: str) -> "Stack":
        (self.folder / "program").mkdir(exist_ok=True)
        (self.folder / "program" / "Pulumi.yaml").write_text(
            f"name: {self.project_name}\nruntime: python\n{self.project}"
        )
        (self.folder / "program" / "__main__.py").write_text("import pulumi\nimport pulumi_aws as aws\n" + text)
        return self

    @property
    def request(self) -> DeployRequest:
        return DeployRequest(
            program=self.folder / "program",
            stack=self.name,
            target=endpoint_target("http://127.0.0.1:9", regions=["us-east-1", "us-west-2"]),
            state_dir=self.folder / "state",
            config=self.config,
        )

    def up(self) -> api.DeployResult:
        return api.up(self.request, self.events.append)

    def preview(self) -> api.DeployResult:
        return api.preview(self.request, self.events.append)

    def destroy(self) -> api.DeployResult:
        return api.destroy(self.request, self.events.append)


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    return Stack(tmp_path)
