"""The command's last words: an unusable folder is told as one, also in JSON, and is no defect of ours."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.cli import main


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
