"""What we pass to the real CLI, how we read its events and errors, and how it is ended."""

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from harness import processes
from harness.changes.record import ChangeRecord
from harness.changes.tree import Layout, change_tree
from harness.deploy import api
from harness.deploy.engine.selection import Selection
from harness.deploy.request import engine_of
from harness.errors import NotReadyError, ProgramError, ProviderError, StateError
from tests.integration.pulumi_cli.conftest import REAL, SUMMARY, done, step
from tests.waiting import until

CREATED = step("create", "q", old=None, new={"inputs": {"delaySeconds": 1, "password": "[secret]"}})


def _config(fake: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for call in fake.calls("config", "set-all"):
        words = [word for word in call["argv"] if "=" in word]
        found |= dict(word.split("=", 1) for word in words)
    return found


def test_an_emulator_gets_endpoints_credentials_and_nothing_of_the_user(
    fake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "https://elsewhere")
    fake.script(up={"events": done(CREATED)})
    result = api.up(fake.request, fake.events.append)
    assert (result.engine, result.resources, result.changes) == ("pulumi", 1, {"create": 1})
    assert result.outputs == {"url": "http://x", "password": "[secret]"}
    config = _config(fake)
    assert config["aws:endpoints[0].lambda"] == "http://127.0.0.1:4566"
    assert len([key for key in config if key.startswith("aws:endpoints[0].")]) > 300
    wanted = {
        "aws:region": "us-east-1", "aws:accessKey": "test", "aws:secretKey": "test", "aws:s3UsePathStyle": "true",
        "aws:skipCredentialsValidation": "true", "aws:skipRequestingAccountId": "true",
        "aws:skipMetadataApiCheck": "true", "shop:size": "3", "shop:word": "x=y",
    }  # fmt: skip
    assert wanted.items() <= config.items()
    secret = next(c["argv"] for c in fake.calls("config", "set-all") if "aws:secretKey=test" in c["argv"])
    assert secret[secret.index("aws:secretKey=test") - 1] == "--secret"
    (call,) = fake.calls("up")
    assert call["argv"][:3] == ["up", "--yes", "--skip-preview"]
    assert call["env"]["PULUMI_BACKEND_URL"] == (fake.request.state_dir / "pulumi").as_uri()
    assert call["env"]["PULUMI_CONFIG_PASSPHRASE"] == ""
    assert call["env"]["PULUMI_SKIP_UPDATE_CHECK"] == "true"
    assert call["env"]["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4566"
    assert "AWS_PROFILE" not in call["env"]
    assert "AWS_ENDPOINT_URL_S3" not in call["env"]
    assert call["env"]["AWS_SHARED_CREDENTIALS_FILE"] == "/dev/null"


def test_the_users_folder_stays_as_it_is(fake: Any) -> None:
    before = {path.name: path.read_text() for path in fake.request.program.iterdir()}
    fake.script(up={"events": []})
    api.up(fake.request)
    assert {path.name: path.read_text() for path in fake.request.program.iterdir()} == before
    project = fake.request.state_dir / "pulumi" / "projects" / "shop" / "Pulumi.yaml"
    assert f"main: {fake.request.program}" in project.read_text()


def test_real_aws_gets_its_region_the_allowed_account_and_no_endpoint(
    fake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    monkeypatch.setenv("AWS_PROFILE", "production")
    fake.script(up={"events": []})
    api.up(replace(fake.request, target=REAL))
    config = _config(fake)
    assert config["aws:allowedAccountIds[0]"] == "123456789012"
    assert config["aws:region"] == "eu-west-1"
    assert not [key for key in config if "ndpoint" in key or "ccessKey" in key or "ecretKey" in key]
    (call,) = fake.calls("up")
    assert "AWS_ENDPOINT_URL" not in call["env"]
    assert call["env"]["AWS_PROFILE"] == "production"
    assert "AWS_ACCESS_KEY_ID" not in call["env"] or call["env"]["AWS_ACCESS_KEY_ID"] != "test"


def test_a_setting_that_was_taken_away_does_not_stay(fake: Any) -> None:
    fake.script(up={"events": []})
    api.up(fake.request)
    path = fake.request.state_dir / "pulumi" / "projects" / "shop" / "Pulumi.dev.yaml"
    path.write_text("encryptionsalt: v1:fake\nconfig:\n  shop:old: x\n")
    api.up(fake.request)
    assert "shop:old" not in path.read_text()
    assert "encryptionsalt: v1:fake" in path.read_text()


def test_events_become_the_same_diff_as_the_embedded_engines(fake: Any) -> None:
    changed = {
        "detailedDiff": {
            "delaySeconds": {"diffKind": "update", "inputDiff": True},
            'tags["a b"]': {"diffKind": "add", "inputDiff": True},
            "password": {"diffKind": "update", "inputDiff": True},
        },
        "old": {"inputs": {"delaySeconds": 1, "password": "[secret]"}},
        "new": {"inputs": {"delaySeconds": 2, "tags": {"a b": "x"}, "password": "[secret]"}},
    }
    replaced = {
        "keys": ["name"],
        "detailedDiff": {"name": {"diffKind": "update-replace", "inputDiff": True}},
        "old": {"inputs": {"name": "one"}},
        "new": {"inputs": {"name": "04da6b54-80e4-46f7-96ec-b56ff0331ba9"}},
    }
    stack = step("same", "shop-dev", "pulumi:pulumi:Stack", new={"parent": "", "custom": False})
    default = step("create", "default_7_51_1", "pulumi:providers:aws")
    fake.script(
        preview={
            "events": [
                *done(stack, planning=True),
                *done(default, planning=True),
                *done(step("update", "q", **changed), planning=True),
                *done(step("create-replacement", "t", "aws:sns/topic:Topic", **replaced), planning=True),
                *done(step("replace", "t", "aws:sns/topic:Topic", **replaced), planning=True),
                *done(step("delete-replaced", "t", "aws:sns/topic:Topic", new=None), planning=True),
                *done(CREATED, planning=True)[:0],
                SUMMARY,
            ]
        }
    )
    record = ChangeRecord()
    result = api.preview(fake.request, record)
    assert result.changes == {"update": 1, "replace": 1, "delete": 1}
    text = change_tree(record.events, Layout()).plain
    assert [" ".join(line.split()) for line in text.splitlines()] == [
        "pulumi:pulumi:Stack shop-dev",
        "+- ├─ aws:sns:Topic t replace: name",
        '│ ~ name: "one" => [unknown] (replaces)',
        "~ └─ aws:sqs:Queue q update",
        "~ delaySeconds: 1 => 2",
        "~ password: [secret] => [secret]",
        '+ tags["a b"]: "x"',
        "",
        "Resources:",
        "~ 1 to update",
        "+- 1 to replace",
    ]


def test_a_refresh_tells_drift_and_what_is_gone(fake: Any) -> None:
    drifted = {
        "detailedDiff": {"delaySeconds": {"diffKind": "update", "inputDiff": False}},
        "old": {"inputs": {"delaySeconds": 1}, "outputs": {"delaySeconds": 1}},
        "new": {"inputs": {"delaySeconds": 1}, "outputs": {"delaySeconds": 9}},
    }
    looked = [{"resourcePreEvent": {"metadata": step("refresh", name)}} for name in ("q", "gone", "still")]
    fake.script(
        refresh={
            "events": [
                *looked,
                done(step("update", "q", **drifted))[1],
                done(step("delete", "gone", new=None))[1],
                done(step("same", "still"))[1],
            ]
        }
    )
    record = ChangeRecord()
    api.refresh(fake.request, record)
    shown = {event.name: (event.op, event.message) for event in record.events}
    assert shown == {
        "q": ("refresh", "delaySeconds"),
        "gone": ("delete", "gone from AWS"),
        "still": ("refresh", ""),
    }
    (change,) = record.last["urn:pulumi:dev::shop::aws:sqs/queue:Queue::q"].changes
    assert (change.old, change.new) == (1, 9)


def test_the_scope_of_an_operation_is_passed_on(fake: Any) -> None:
    fake.script(up={"events": []}, destroy={"events": []}, refresh={"events": []})
    scope = replace(
        fake.request,
        only=Selection(("orders", "aws:sqs/queue:Queue::q*")),
        dependents=True,
        replace=Selection(("orders",)),
        refresh=True,
    )
    api.up(scope)
    argv = fake.calls("up")[0]["argv"]
    assert [argv[at + 1] for at, word in enumerate(argv) if word == "--target"] == [
        "urn:**::orders",
        "urn:**aws:sqs/queue:Queue::q*",
    ]
    assert argv[argv.index("--replace") + 1] == "urn:**::orders"
    assert {"--target-dependents", "--refresh"} <= set(argv)
    api.destroy(scope)
    assert "--target-dependents" in fake.calls("destroy")[0]["argv"]
    assert "--replace" not in fake.calls("destroy")[0]["argv"]


def test_a_provider_error_names_the_resource_and_what_aws_said(fake: Any) -> None:
    urn = CREATED["urn"]
    diagnostic = {"urn": urn, "severity": "error", "color": "", "message": "<{%reset%}>AccessDenied: no<{%reset%}>\n"}
    events = [
        {"resourcePreEvent": {"metadata": CREATED}},
        {"diagnosticEvent": diagnostic},
        {"resOpFailedEvent": {"metadata": CREATED, "status": 1, "steps": 1}},
    ]
    fake.script(up={"events": events, "code": 255, "stderr": "error: update failed"})
    with pytest.raises(ProviderError, match="create of aws:sqs/queue:Queue q failed: AccessDenied: no") as raised:
        api.up(fake.request, fake.events.append)
    assert raised.value.where == urn
    assert [(event.status, event.message) for event in fake.events] == [
        ("started", ""),
        ("failed", "AccessDenied: no"),
    ]


def test_a_program_error_is_one(fake: Any) -> None:
    message = "Program failed with an unhandled exception:\nTraceback (most recent call last):\nZeroDivisionError"
    events = [{"diagnosticEvent": {"urn": "", "severity": "error", "color": "", "message": message}}]
    fake.script(up={"events": events, "code": 255})
    with pytest.raises(ProgramError, match="ZeroDivisionError"):
        api.up(fake.request)


def test_a_concurrent_update_is_a_locked_state(fake: Any) -> None:
    fake.script(
        up={"code": 255, "stderr": "error: the stack is currently locked by 1 lock(s). /x/.pulumi/locks/a.json"}
    )
    with pytest.raises(StateError, match="locked by another deployment") as raised:
        api.up(fake.request)
    assert "/x/.pulumi/locks/a.json" in raised.value.hint


def test_without_the_cli_the_answer_is_what_to_install(fake: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(NotReadyError, match="not installed") as raised:
        api.up(fake.request)
    assert raised.value.exit_code == 4
    assert "--engine embedded" in raised.value.hint


def test_a_version_that_does_not_fit_is_refused(fake: Any) -> None:
    (fake.home / "version").write_text("v2.0.0")
    with pytest.raises(NotReadyError, match="2.0.0"):
        api.up(fake.request)


def test_auto_takes_the_engine_that_has_the_stack(fake: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    auto = replace(fake.request, engine="auto")
    assert engine_of(auto) == "pulumi"
    body = {"version": 3, "deployment": {"resources": [{"urn": "urn:pulumi:dev::shop::a:b:C::d"}]}}
    auto.state_dir.mkdir()
    auto.state.write_text(json.dumps(body))
    assert engine_of(auto) == "embedded"
    with pytest.raises(StateError, match="in the hands of the engine 'embedded'") as raised:
        engine_of(fake.request)
    assert "state import" in raised.value.hint
    auto.state.unlink()
    monkeypatch.setenv("PATH", "/nowhere")
    assert engine_of(auto) == "embedded"


@pytest.fixture
def interruptible() -> Iterator[None]:
    """SIGINT as at a keyboard: who is started in the background by a script inherits that it is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_reaches_the_cli_which_ends_in_order(fake: Any) -> None:
    fake.script(up={})
    (fake.home / "slow").write_text("")
    _when((fake.home / "waiting").exists, lambda: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        api.up(fake.request)
    assert (fake.home / "interrupted").exists()
    assert processes.records(fake.request.state_dir / "processes") == []


def _when(ready: Callable[[], bool], act: Callable[[], None]) -> None:
    def watch() -> None:
        until(ready)
        act()

    threading.Thread(target=watch, daemon=True).start()
