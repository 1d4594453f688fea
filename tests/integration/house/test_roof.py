"""The command's last words: an unusable folder is told as one, also in JSON, and is no defect of ours."""

import json
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness.cli import _print_answer, main
from harness.cloud.control_client import ControlClient
from harness.commands.answer import Answer
from harness.stack import RunningStack, save
from harness.target import endpoint_target
from harness.workspace import open_workspace


@pytest.fixture(autouse=True)
def own_signals() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def test_a_folder_that_cannot_be_written_in_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "blackstart.toml").write_text("[project]\nprogram = '.'\n[embedded]\nport = 0\n")
    (tmp_path / "Pulumi.yaml").write_text("name: small\nruntime: python\n")
    (tmp_path / ".blackstart").write_text("a file where the folder should be")
    monkeypatch.chdir(tmp_path)
    for words in (["up", "--detach", "--json"], ["run", "--only", "load", "--json"]):
        with pytest.raises(SystemExit) as ended:
            main(words)
        told = json.loads(capsys.readouterr().out)
        assert (ended.value.code, told["error"]["code"]) == (4, "not_ready"), told
        assert told["error"]["where"].startswith(str(tmp_path / ".blackstart"))
        assert told["error"]["hint"]


def test_another_target_than_the_one_that_runs_here_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "blackstart.toml").write_text("[project]\nprogram = '.'\n")
    (tmp_path / "Pulumi.yaml").write_text("name: small\nruntime: python\n")
    workspace = open_workspace(tmp_path / "blackstart.toml")
    here = replace(endpoint_target("http://127.0.0.1:9", regions=["us-east-1"]), kind="embedded", control_token="t")
    save(RunningStack(name="dev", target=here), workspace.stack_file)
    monkeypatch.setattr(ControlClient, "alive", lambda _self: True)
    config = ["--config", str(workspace.file)]
    for words in (["deploy", "--target", "endpoint=http://127.0.0.1:8"], ["load", "--target", "aws", "--yes"]):
        with pytest.raises(SystemExit) as left:
            main([*words, *config])
        assert left.value.code == 2
        assert "what runs here at http://127.0.0.1:9 is the target embedded" in " ".join(
            capsys.readouterr().err.split()
        )
    for words in (["up", "--target", "aws"], ["deploy", "--target", "aws"]):  # not the embedded cloud in its place
        with pytest.raises(SystemExit) as left:
            main([*words, *config])
        assert left.value.code == 3


def test_a_word_between_colons_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    arn = "arn:aws:secretsmanager:us-east-1:000000000000:secret:partners"
    _print_answer(["stack"], Answer(shown=arn), as_json=False)
    assert capsys.readouterr().out.strip() == arn
