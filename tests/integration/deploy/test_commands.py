"""The commands around the engine, in the cloud in memory: what they print, as text and as JSON."""

import json
from typing import Any

import pytest

from harness import cli, lifecycle
from harness.stack import RunningStack

PROGRAM = (
    "q = aws.sqs.Queue('orders', name='orders', delay_seconds={0})\n"
    "aws.sns.Topic('news', display_name=pulumi.Output.secret('hunter2'))\n"
    "pulumi.export('arn', q.arn)\npulumi.export('word', pulumi.Output.secret('hunter2'))\n"
)


@pytest.fixture
def run(stack: Any, things: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Any:
    """One command line in a workspace whose cloud runs: exit code, stdout, stderr."""
    running = RunningStack(name="dev", target=stack.request.target)
    monkeypatch.setattr(lifecycle, "current", lambda *_given: running)
    monkeypatch.setattr(lifecycle, "require_running", lambda *_given: running)
    monkeypatch.chdir(stack.folder)
    monkeypatch.setattr("harness.running.require_running", lambda *_given: running)
    (stack.folder / "blackstart.toml").write_text('[project]\nprogram = "program"\n')

    def execute(*words: str) -> tuple[int, str, str]:
        code = cli._execute(list(words))
        out, err = capfd.readouterr()
        return code, out, err

    return execute


def test_preview_deploy_refresh_and_destroy_tell_what_they_do(stack: Any, things: Any, run: Any) -> None:
    stack.program(PROGRAM.format(1))
    code, out, err = run("deploy")
    assert code == 0
    assert "+  2 created" in out
    assert "word  [secret]" in out
    assert "+  created aws:sqs:Queue orders  (" in err
    stack.program(PROGRAM.format(2))
    code, out, err = run("preview")
    assert "~ delaySeconds: 1 => 2" in out
    assert "~  1 to update" in out
    next(found for found in things.existing.values() if found["name"] == "orders")["delaySeconds"] = 9
    code, out, err = run("refresh", "--preview-only")
    assert "~ delaySeconds: 1 => 9" in out
    code, out, err = run("destroy", "--only-resource", "news", "--diff")
    assert "- displayName: [secret]" in out
    assert "-  1 deleted" in out
    assert [found["name"] for found in things.existing.values()] == ["orders"]
    everything = (out, err, (stack.folder / ".blackstart/state/dev.json").read_text())
    assert "hunter2" not in repr(everything)


def test_json_is_one_object_and_a_stream_when_asked(stack: Any, things: Any, run: Any) -> None:
    stack.program(PROGRAM.format(1))
    code, out, _ = run("preview", "--json")
    body = json.loads(out)
    assert (code, body["schema"], body["command"], body["ok"]) == (0, 1, "preview", True)
    steps = {step["name"]: step for step in body["data"]["steps"]}
    assert steps["orders"]["op"] == "create"
    assert {"path": "delaySeconds", "kind": "add", "old": None, "new": 1, "replaces": False} in steps["orders"][
        "changes"
    ]
    code, out, _ = run("deploy", "--json", "--events")
    lines = [json.loads(line) for line in out.splitlines()]
    assert {line["event"] for line in lines[:-1]} == {"step"}
    assert [line["name"] for line in lines if line.get("status") == "started"] != []
    assert lines[-1]["command"] == "deploy"
    assert lines[-1]["data"]["outputs"]["word"] == "[secret]"
    assert "hunter2" not in out


def test_flags_are_variables_too(stack: Any, things: Any, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stack.program(PROGRAM.format(1))
    monkeypatch.setenv("BLACKSTART_JSON", "true")
    monkeypatch.setenv("BLACKSTART_ONLY_RESOURCE", "orders")
    _, out, _ = run("deploy")
    assert [found["name"] for found in things.existing.values()] == ["orders"]
    assert json.loads(out)["data"]["left_out"] != []


@pytest.mark.parametrize("command", ["preview", "deploy", "refresh", "destroy"])
def test_a_typo_gets_the_nearest_name(stack: Any, things: Any, run: Any, command: str) -> None:
    stack.program(PROGRAM.format(1))
    assert run("deploy")[0] == 0
    code, _, err = run(command, "--only-resource", "ordesr")
    assert code == 2
    assert "did you mean 'orders'?" in err
    assert "Traceback" not in err
    assert len(things.existing) == 2
