"""`make steady` counts green runs in a row, and goes on where it stopped."""

import importlib.util
import json
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

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
    monkeypatch.setattr(module, "commit", lambda: "here")
    return module


def scripted(module: ModuleType, monkeypatch: pytest.MonkeyPatch, codes: list[int]) -> list[int]:
    seeds: list[int] = []

    def one(seed: int, commit: str, more: list[str]) -> Any:
        assert more == []
        seeds.append(seed)
        return module.Said(seed=seed, code=codes.pop(0), commit=commit, took_s=60.0)

    monkeypatch.setattr(module, "one", one)
    return seeds


def test_a_row_begins_again_after_what_was_not_green(steady: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seeds = scripted(steady, monkeypatch, [0, 5, 0, 0, 0])
    assert steady.main(["--runs", "3"]) == 0
    assert seeds == [1, 2, 3, 4, 5]
    page = steady.PAGE.read_text()
    assert "3 times in a row, 3 minutes, on commit here" in page
    assert page.count("| green |") == 3


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


def test_what_can_no_longer_be_reached_is_given_up(steady: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seeds = scripted(steady, monkeypatch, [0, 1, 0, 0])
    assert steady.main(["--runs", "3", "--most", "4"]) == 1
    assert seeds == [1, 2]
    assert not steady.PAGE.exists()


def test_a_run_that_tells_nothing_is_not_green(steady: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    silent = subprocess.CompletedProcess([], 0, stdout="", stderr="no words")
    monkeypatch.setattr(steady.subprocess, "run", lambda *_, **__: silent)
    said = steady.one(1, "here", [])
    assert (said.green, said.why) == (False, "no words")


def test_what_was_not_green_says_why(steady: Any) -> None:
    missed = {"name": "rto", "verdict": "fail", "reason": "not felt"}
    told = {"data": {"run": {"drills": [{"name": "zone-loss", "objectives": [missed]}]}}}
    assert steady.why(told) == "zone-loss rto fail: not felt"
    assert steady.why({"data": {"run": {"drills": [], "problems": ["no scenario ran"]}}}) == "no scenario ran"
    assert steady.why({"error": {"message": "not ready"}}) == "not ready"
