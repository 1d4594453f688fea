"""`make steady` counts green runs in a row, and goes on where it stopped."""

import importlib.util
import json
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from harness import processes

MAIN = Path(__file__).parents[2] / "steady" / "__main__.py"


@pytest.fixture
def steady(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("steady_main", MAIN)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(__import__("sys").modules, "steady_main", module)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "KEPT", tmp_path / "kept" / "steady.jsonl")
    monkeypatch.setattr(module, "PAGE", tmp_path / "steady.md")
    monkeypatch.setattr(module, "REGISTRY", tmp_path / "processes")
    monkeypatch.setattr(module, "commit", lambda: "here")
    return module


def scripted(module: ModuleType, monkeypatch: pytest.MonkeyPatch, codes: list[int]) -> list[int]:
    seeds: list[int] = []

    def one(seed: int, commit: str, more: list[str]) -> Any:
        seeds.append(seed)
        return module.Said(seed=seed, code=codes.pop(0), commit=commit, more=more, took_s=60.0)

    monkeypatch.setattr(module, "one", one)
    return seeds


def test_a_row_begins_again_after_what_was_not_green(steady: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seeds = scripted(steady, monkeypatch, [0, 5, 0, 0, 0])
    assert steady.main(["--runs", "3"]) == 0
    assert seeds == [1, 2, 3, 4, 5]
    page = steady.PAGE.read_text()
    assert "own seed, 3 minutes, on commit here" in page
    assert page.count("| green |") == 3
    assert "\n- seed 2: exit 5: \n" in page


def test_an_interrupted_one_goes_on_on_the_same_commit(steady: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seeds = scripted(steady, monkeypatch, [0, 0])
    with pytest.raises(IndexError):
        steady.main(["--runs", "3"])
    assert [json.loads(line)["code"] for line in steady.KEPT.read_text().splitlines()] == [0, 0]
    seeds = scripted(steady, monkeypatch, [0])
    assert steady.main(["--runs", "3"]) == 0
    assert seeds == [3]
    monkeypatch.setattr(steady, "commit", lambda: "there")
    scripted(steady, monkeypatch, [0, 0, 0])
    assert steady.main(["--runs", "3"]) == 0


def test_other_runs_are_no_part_of_a_row(steady: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    scripted(steady, monkeypatch, [0, 0])
    assert steady.main(["--runs", "2", "--", "--only", "drills"]) == 0
    assert not steady.PAGE.exists()
    seeds = scripted(steady, monkeypatch, [0, 0])
    assert steady.main(["--runs", "2"]) == 0
    assert seeds == [1, 2]
    monkeypatch.setattr(steady, "commit", lambda: "here-dirty")
    for _ in range(2):  # a changed tree is another one each time
        seeds = scripted(steady, monkeypatch, [0, 0])
        assert steady.main(["--runs", "2"]) == 0
        assert seeds == [1, 2]


@pytest.mark.parametrize("code", [2, 3, 4, 130])
def test_where_no_run_can_be_made_it_ends_at_once(steady: Any, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    scripted(steady, monkeypatch, [0, code])
    assert steady.main(["--runs", "3"]) == code
    assert len(steady.KEPT.read_text().splitlines()) == 1


def test_a_run_that_outlived_a_killed_row_is_ended_by_the_next(steady: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    orphan = subprocess.Popen(["sleep", "600"], start_new_session=True)
    record = {"pid": orphan.pid, "started": processes.started_at(orphan.pid), "role": "steady run"}
    steady.REGISTRY.mkdir(parents=True)
    (steady.REGISTRY / f"{orphan.pid}.json").write_text(json.dumps(record | {"owner_pid": 1, "owner_started": -9.0}))
    scripted(steady, monkeypatch, [0])
    assert steady.main(["--runs", "1"]) == 0
    assert orphan.wait() < 0


def test_what_can_no_longer_be_reached_is_given_up(steady: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seeds = scripted(steady, monkeypatch, [0, 1, 0, 0])
    assert steady.main(["--runs", "3", "--most", "4"]) == 1
    assert seeds == [1, 2]
    assert not steady.PAGE.exists()


def test_a_run_that_tells_nothing_is_not_green(steady: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for code in ("0", "3"):
        shell = ["sh", "-c", f"echo no words >&2; exit {code}"]
        monkeypatch.setattr(steady, "command", lambda *_, shell=shell: shell)
        said = steady.one(1, "here", [])
        assert (said.green, said.why) == (False, "no words")
    assert list(steady.REGISTRY.glob("*.json")) == []


def test_what_was_not_green_says_why(steady: Any) -> None:
    missed = {"name": "rto", "verdict": "fail", "reason": "not felt"}
    told = {"data": {"run": {"drills": [{"name": "zone-loss", "objectives": [missed]}]}}}
    assert steady.why(told) == "zone-loss rto fail: not felt"
    assert steady.why({"data": {"run": {"drills": [], "problems": ["no scenario ran"]}}}) == "no scenario ran"
    assert steady.why({"error": {"message": "not ready"}}) == "not ready"
