"""A fake `pulumi` on PATH, and requests that go to it."""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from harness.deploy.engine.events import StepEvent
from harness.deploy.request import DeployRequest
from harness.target import Target, endpoint_target

FAKE = Path(__file__).with_name("fake_pulumi.py")
STACK = "urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev"
REAL = Target(kind="aws", endpoint=None, region="eu-west-1", regions=("eu-west-1",), account_id="123456789012")


def step(op: str, name: str, kind: str = "aws:sqs/queue:Queue", **more: Any) -> dict[str, Any]:
    """The metadata of one step, as apitype.StepEventMetadata."""
    urn = f"urn:pulumi:dev::shop::{kind}::{name}"
    state = {"type": kind, "urn": urn, "id": f"id-{name}", "parent": STACK, "provider": "", "custom": True}
    sides = {side: None if more.get(side, {}) is None else {**state, **more.get(side, {})} for side in ("old", "new")}
    rest = {key: value for key, value in more.items() if key not in {"old", "new"}}
    return {"op": op, "urn": urn, "type": kind, "provider": "", **sides, **rest}


def done(metadata: dict[str, Any], *, planning: bool = False) -> list[dict[str, Any]]:
    """A step that begins and ends."""
    return [
        {"resourcePreEvent": {"metadata": metadata, "planning": planning}},
        {"resOutputsEvent": {"metadata": metadata, "planning": planning}},
    ]


SUMMARY = {"summaryEvent": {"maybeCorrupt": False, "durationSeconds": 1, "resourceChanges": {}, "PolicyPacks": {}}}


@dataclass
class Fake:
    """The fake CLI under test."""

    home: Path
    request: DeployRequest
    events: list[StepEvent] = field(default_factory=list)

    def script(self, **commands: dict[str, Any]) -> None:
        """What `up`, `preview`, … answer."""
        (self.home / "script.json").write_text(json.dumps(commands))

    def calls(self, *words: str) -> list[dict[str, Any]]:
        """The recorded calls that begin with `words`."""
        lines = (self.home / "calls.jsonl").read_text().splitlines()
        found = [json.loads(line) for line in lines]
        return [call for call in found if call["argv"][: len(words)] == list(words)]


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    """`pulumi` on PATH is ours; nothing of this machine's own settings is seen."""
    home, bin_folder = tmp_path / "fake", tmp_path / "bin"
    for folder in (home, bin_folder, tmp_path / "program"):
        folder.mkdir()
    executable = bin_folder / "pulumi"
    executable.write_text(f'#!/bin/sh\nexec {sys.executable} {FAKE} "$@"\n')
    executable.chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin_folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_PULUMI", str(home))
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE", raising=False)
    (tmp_path / "program" / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    (tmp_path / "program" / "Pulumi.dev.yaml").write_text("config:\n  shop:size: '3'\n")
    (tmp_path / "program" / "__main__.py").write_text("")
    request = DeployRequest(
        program=tmp_path / "program",
        stack="dev",
        target=endpoint_target("http://127.0.0.1:4566", regions=["us-east-1"]),
        state_dir=tmp_path / "state",
        config={"shop:word": "x=y"},
        engine="pulumi",
    )
    return Fake(home, request)


Change = Callable[..., DeployRequest]
