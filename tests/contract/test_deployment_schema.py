"""An exported state is what the real engine reads: members it knows, values in their form, edges backwards."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from harness.deploy.engine.secrets import PassphraseSecrets
from harness.deploy.engine.state import Checkpoint, PendingOperation, ResourceState
from harness.deploy.engine.values import Archive, Asset, ResourceReference, Secret
from tests.contract.deployment_schema import require_valid

STACK = "urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev"
PROVIDER = "urn:pulumi:dev::shop::pulumi:providers:aws::default_7_51_1"
QUEUE = "urn:pulumi:dev::shop::aws:sqs/queue:Queue::q"


def _everything() -> list[ResourceState]:
    """A resource with every member that this engine writes."""
    return [
        ResourceState(urn=STACK, type="pulumi:pulumi:Stack", custom=False, outputs={"word": Secret({"a": [1]})}),
        ResourceState(
            urn=PROVIDER, type="pulumi:providers:aws", custom=True, id="p-1", inputs={"region": "us-east-1"}
        ),
        ResourceState(urn=QUEUE, type="aws:sqs/queue:Queue", custom=True, id="q", provider=f"{PROVIDER}::p-1"),
        ResourceState(
            urn="urn:pulumi:dev::shop::aws:lambda/function:Function::f",
            type="aws:lambda/function:Function",
            custom=True,
            id="f",
            parent=STACK,
            provider=f"{PROVIDER}::p-1",
            inputs={
                "code": Archive("assets", {"a.py": Asset("text", "x", "0" * 64)}, "1" * 64),
                "file": Asset("path", "./x", "2" * 64),
                "secret": Secret("hunter2"),
                "whole": ResourceReference(QUEUE, "q", "7.51.1"),
                "nested": {"list": [{"n": 1.5, "none": None, "yes": True}]},
            },
            outputs={"arn": "arn", "secret": Secret("hunter2")},
            dependencies=[QUEUE],
            propertyDependencies={"whole": [QUEUE]},
            protect=True,
            retainOnDelete=True,
            deletedWith=QUEUE,
            pendingReplacement=True,
            additionalSecretOutputs=["arn"],
            customTimeouts={"create": 300.0},
            ignoreChanges=["tags"],
            replaceOnChanges=["name"],
            initErrors=["slow"],
            importID="f",
            created="2026-01-01T00:00:00.000Z",
            modified="2026-01-01T00:00:00.000Z",
            sourcePosition="project:///__main__.py#1,1",
            defaulted=["name"],
        ),
        ResourceState(
            urn=QUEUE, type="aws:sqs/queue:Queue", custom=True, id="old", provider=f"{PROVIDER}::p-1", delete=True
        ),
    ]


def _text(tmp_path: Path, *, pending: bool = True) -> str:
    resources = _everything()
    begun = [PendingOperation(type="creating", resource=resources[3])] if pending else []
    checkpoint = Checkpoint(tmp_path / "dev.json", PassphraseSecrets.new("word"), resources, begun)
    return json.dumps(checkpoint.document())


def test_every_member_that_we_write_is_one_of_the_real_engines(tmp_path: Path) -> None:
    text = _text(tmp_path)
    deployment = require_valid(text)
    assert len(deployment.resources) == 5
    assert [operation.type for operation in deployment.pending_operations] == ["creating"]
    assert deployment.resources[3].inputs["__defaults"] == ["name"]
    assert "hunter2" not in text


@pytest.mark.parametrize(
    "damage",
    [
        lambda d: d["deployment"]["resources"][2].update(surprise=1),
        lambda d: d["deployment"]["resources"].reverse(),
        lambda d: d["deployment"]["manifest"].update(magic="x"),
        lambda d: d["deployment"]["resources"][3]["inputs"]["file"].pop("hash"),
        lambda d: d.update(version=4),
    ],
)
def test_the_schema_refuses_what_the_real_engine_would(tmp_path: Path, damage: Any) -> None:
    document = json.loads(_text(tmp_path))
    damage(document)
    with pytest.raises((AssertionError, KeyError, msgspec.ValidationError)):
        require_valid(json.dumps(document))
