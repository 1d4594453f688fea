"""A stack goes from the embedded engine to the real CLI and back; one of them has it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.deploy import api, handover
from harness.deploy.request import engine_of
from harness.errors import StateError, UsageError

QUEUE = "urn:pulumi:dev::shop::aws:sqs/queue:Queue::q"
DOCUMENT = {
    "version": 3,
    "deployment": {
        "manifest": {"time": "2026-01-01T00:00:00Z", "magic": "x", "version": "v3.272.0"},
        "resources": [
            {
                "urn": QUEUE,
                "type": "aws:sqs/queue:Queue",
                "custom": True,
                "id": "q-1",
                "inputs": {"__defaults": ["name"], "name": "q-1"},
                "outputs": {"name": "q-1"},
            }
        ],
    },
}


@pytest.fixture
def embedded(fake: Any) -> Any:
    """The stack is the embedded engine's."""
    fake.request.state_dir.mkdir()
    Path(fake.request.state_dir, "dev.json").write_text(json.dumps(DOCUMENT))
    return replace(fake.request, engine="embedded")


def test_there_and_back_again(fake: Any, embedded: Any) -> None:
    with pytest.raises(StateError, match="in the hands of the engine 'embedded'"):
        api.up(fake.request)
    text = handover.export_text(handover.export_state(embedded))
    done = handover.import_state(fake.request, text, where="x.json")
    assert done.resources == 1
    assert [path.name.split(".before-")[0] for path in done.kept] == ["dev.json"]
    assert engine_of(replace(embedded, engine="auto")) == "pulumi"
    with pytest.raises(StateError, match="in the hands of the engine 'pulumi'"):
        api.preview(embedded)
    (call,) = fake.calls("stack", "import")
    assert "--file" in call["argv"]
    exported = handover.export_state(fake.request)
    assert exported["deployment"]["resources"][0]["urn"] == QUEUE
    assert [c for c in fake.calls("stack", "export") if "--show-secrets" in c["argv"]] == []
    back = handover.import_state(embedded, json.dumps(exported), where="x.json")
    assert back.resources == 1
    assert engine_of(replace(embedded, engine="auto")) == "embedded"


def test_a_bad_export_does_not_reach_the_cli(fake: Any, embedded: Any) -> None:
    before = Path(fake.request.state_dir, "dev.json").read_text()
    with pytest.raises(StateError, match="version 4"):
        handover.import_state(fake.request, json.dumps({**DOCUMENT, "version": 4}), where="x.json")
    assert Path(fake.request.state_dir, "dev.json").read_text() == before
    assert not (fake.home / "calls.jsonl").exists()


def test_a_stack_that_the_cli_does_not_have_cannot_be_exported_from_it(fake: Any) -> None:
    with pytest.raises(UsageError, match="has no stack 'dev'"):
        handover.export_state(fake.request)
