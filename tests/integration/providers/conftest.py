"""The life of every resource type on a real cloud: a table of resources in, each created, changed and deleted.

A program here is a table: a name → a type's token and its inputs, in the order of creation. `${name}` in an input is
that resource's id, `${name.arn}` one of its outputs.
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from harness.cloud.client import CloudSettings, RunningCloud, start_cloud
from harness.deploy.engine.clients import Clients
from harness.deploy.engine.diff import changes, root
from harness.deploy.engine.instances import Instances
from harness.deploy.providers.aws import registry
from harness.deploy.providers.aws.shapes import seen_as
from harness.deploy.providers.resource import CannotTellError, Context, Registry, ResourceType
from harness.errors import ProviderError
from harness.target import Target

Row = tuple[str, dict[str, Any]]
_REFERENCE = re.compile(r"\$\{([\w-]+)(?:\.(\w+))?\}")
VOLATILE = frozenset(
    {"lastModified", "lastModifiedDate", "lastUpdatedDate", "lastUpdateTime", "modificationDate", "result"}
)

MADE_AGAIN = frozenset({"aws:acm/certificateValidation:CertificateValidation", "aws:kms/ciphertext:Ciphertext"})
"""Types that leave nothing on AWS: after a kill they are made once more."""


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCloud]:
    cloud = start_cloud(CloudSettings(state_dir=tmp_path_factory.mktemp("cloud")))
    yield cloud
    cloud.stop()


@dataclass
class Living:
    """One resource that exists."""

    token: str
    handler: ResourceType
    context: Context
    id: str
    asked: dict[str, Any]
    inputs: dict[str, Any]
    outputs: dict[str, Any]

    def read(self) -> dict[str, Any] | None:
        return self.handler.read(self.context, self.id, self.inputs)

    def observed(self, keys: set[str]) -> dict[str, Any]:
        """What a refresh sees of these inputs."""
        found = self.handler.observe(self.context, self.id, self.inputs)
        return _subset(found.settings if found else {}, keys)

    def drift(self, inputs: dict[str, Any]) -> set[str]:
        """The inputs that a refresh finds to be otherwise."""
        found = self.handler.observe(self.context, self.id, inputs)
        if found is None:
            return set(inputs)
        return {
            root(path) for path in changes(_subset(inputs, found.settings), found.settings, self.handler.json_keys)
        }


@dataclass
class Lives:
    """Leads resources through their lives, and asserts at each turn."""

    target: Target
    folder: Path
    registry: Registry = field(default_factory=registry)
    living: dict[str, Living] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.instances = Instances(self.target, self.folder, Clients(self.target))

    def run(
        self,
        rows: Mapping[str, Row],
        updates: Mapping[str, dict[str, Any]],
        *,
        blind: tuple[str, ...] = (),
        lacking: tuple[str, ...] = (),
        lingering: tuple[str, ...] = (),
    ) -> None:
        """Create `rows`, change those in `updates`, delete all.

        `blind` names rows whose change no read can show, `lacking` those that this cloud has no operations for,
        `lingering` those that it still shows when they are deleted.
        """
        for name in lacking:
            with pytest.raises(ProviderError, match="is not supported by this cloud"):
                self.create(name, *rows[name])
        rows = {name: row for name, row in rows.items() if name not in lacking}
        for name, (token, asked) in rows.items():
            self._step(f"create {name}", lambda: self.create(name, token, asked))  # noqa: B023 - called at once
        for name, news in updates.items():
            self._step(f"change {name}", lambda: self.change(name, news, seen=name not in blind))  # noqa: B023
        kept = dict(self.living)
        for name in reversed(list(self.living)):
            self._step(f"delete {name}", lambda: self.delete(name))  # noqa: B023
        for name, one in kept.items():
            if name in lingering:
                continue
            self._step(f"gone {name}", lambda: self.is_gone(one))  # noqa: B023
        assert not self.problems, "\n" + "\n".join(self.problems)

    def create(self, name: str, token: str, asked: dict[str, Any]) -> Living:
        handler = self.registry.resources[token]
        context = self.instances.context({}, urn=f"urn:pulumi:dev::shop::{token}::{name}", timeout_s=120)
        given = self._resolved(asked)
        context = context.in_region(given.get("region", ""))
        context = context.in_region(given.get("region", ""))
        inputs = handler.check(context, given, None)
        resource_id, outputs = handler.create(context, inputs)
        context = replace(context, prior={**inputs, **outputs})
        living = self.living[name] = Living(token, handler, context, resource_id, given, inputs, outputs)
        again = handler.check(context, given, inputs)
        assert changes(inputs, again, handler.json_keys) == {}, "a second pass finds changes"
        assert _steady(living.read()) == _steady(outputs), "a read differs from what the creation gave"
        self._as_asked(living)
        self._found_again(living)
        return living

    def _found_again(self, one: Living) -> None:
        """A deployment that was killed before it wrote down the id finds the resource."""
        same = [other.id for other in self.living.values() if other.token == one.token and other is not one]
        try:
            found = one.handler.find(replace(one.context, known_ids=lambda: frozenset(same)), one.inputs)
        except CannotTellError:
            return
        expected = None if one.token in MADE_AGAIN else one.id
        assert found == expected, f"{one.token}: a killed deployment would find {found}, not {expected}"

    def change(self, name: str, news: dict[str, Any], *, seen: bool = True) -> None:
        one = self.living[name]
        olds, asked = one.inputs, {**one.asked, **self._resolved(news)}
        inputs = one.handler.check(one.context, asked, olds)
        changed = {root(path) for path in changes(olds, inputs, one.handler.json_keys)}
        assert changed, "nothing would be changed"
        assert not changed & one.handler.replace_on, "this change is a replacement"
        outputs = one.handler.update(one.context, one.id, olds, inputs)
        drifted = one.drift(olds)
        seen = seen and any(olds.get(key) is not None for key in changed)
        assert not seen or changed & drifted, "a refresh would not see the change"
        assert "tags" not in changed or "tags" in drifted, f"{one.token}: a refresh would not see the tags"
        one.inputs, one.outputs, one.asked = inputs, outputs, asked
        assert _steady(one.read()) == _steady(outputs), "a read differs from what the update gave"
        self._as_asked(one)

    def delete(self, name: str) -> None:
        one = self.living.pop(name)
        state = {**one.inputs, **one.outputs}
        one.handler.delete(one.context, one.id, state)
        one.handler.delete(one.context, one.id, state)

    @staticmethod
    def refused(code: str) -> Any:
        """Around a call that AWS refuses with this code."""
        return pytest.raises(ClientError, match=code)

    def is_gone(self, one: Living) -> None:
        if one.handler.outlives:
            return
        assert one.read() is None, "it is still there after its deletion"

    def _as_asked(self, one: Living) -> None:
        # Outputs may tell more of a block than was asked.
        seen = seen_as(one.inputs, _subset(one.outputs, one.inputs))
        wrong = changes(one.inputs, seen, one.handler.json_keys)
        drift = one.drift(one.inputs) - ({"tags"} if "tags" not in one.inputs else set())  # others may tag it too
        assert drift == set(), (
            f"{one.token}: a refresh finds changes that nobody made: {drift}: {one.observed(drift)}"
        )
        assert wrong == {}, f"outputs differ from what was asked: {wrong}: {_subset(one.outputs, wrong)}"

    def _resolved(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._resolved(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._resolved(inner) for inner in value]
        if not isinstance(value, str):
            return value
        return _REFERENCE.sub(lambda found: str(self._value(found[1], found[2])), value)

    def _value(self, name: str, output: str | None) -> Any:
        one = self.living[name]
        return one.outputs[output] if output else one.id

    def _step(self, what: str, step: Any) -> None:
        """Note what went wrong and go on: one run shows every type that fails."""
        try:
            step()
        except Exception as error:
            if os.environ.get("LIVES_TRACEBACK"):
                raise
            self.problems.append(f"{what}: {type(error).__name__}: {(str(error) or repr(error)).splitlines()[0]}")


def _steady(outputs: Mapping[str, Any] | None) -> dict[str, Any]:
    assert outputs is not None, "it is not there"
    return {key: value for key, value in outputs.items() if key not in VOLATILE}


def _subset(outputs: Mapping[str, Any] | None, keys: Any) -> dict[str, Any]:
    return {key: (outputs or {}).get(key) for key in keys}


@pytest.fixture
def lives(cloud: RunningCloud, tmp_path: Path) -> Iterator[Lives]:
    lives = Lives(cloud.target, tmp_path)
    yield lives
    cloud.control.reset()
