"""What a target lacks is said by name before anything runs; repeated runs are told one by one, and kept."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chaos import drill as drilling
from chaos.drill import run_drill
from chaos.drill_file import load_drill
from chaos.repeats import Repeats
from harness.errors import NotReadyError
from harness.measure.objectives import DrillObjectives
from harness.measure.scripted import Script, play, records_of
from harness.stack import RunningStack
from harness.target import Target

TARGET = Target(
    kind="endpoint",
    endpoint="http://127.0.0.1:1",
    region="us-east-1",
    regions=("us-east-1",),
    account_id="000000000000",
    control_token="token",
    capabilities=frozenset({"elasticache"}),
)
DRILLS = Path(__file__).parents[3] / "chaos" / "drills"


def test_a_store_that_the_target_cannot_run_is_not_supported_here(tmp_path: Path) -> None:
    drill = replace(
        load_drill("zone-loss", DRILLS, policy={}), stores=("aurora-bank", "valkey-register", "dynamodb-register")
    )
    stack = RunningStack(name="dev", target=TARGET, outputs={})
    record = run_drill(stack, drill, Repeats(seed=1), folder=tmp_path)
    assert (record.verdict, record.reason) == ("not_supported", "target endpoint has no aurora")


@pytest.fixture
def broken_at_two(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The first run of a drill is a good journal, the second cannot be made."""
    told: list[str] = []

    class Run:
        def __init__(self, _stack: object, _drill: object, _repeats: object, number: int, *rest: Any) -> None:
            self.number, self.writer, self.tell = number, rest[1], rest[2]

        def run(self) -> None:
            if self.number == 2:
                raise NotReadyError("the cloud is gone", where="here")
            self.tell("working")
            for record in records_of(play(Script())):
                self.writer.append(record)

    monkeypatch.setattr(drilling, "DrillRun", Run)
    monkeypatch.setattr(drilling, "_not_supported", lambda *_: "")
    monkeypatch.setattr(drilling, "check_operations", lambda *_, **__: None)
    return told


def test_runs_before_a_broken_one_are_kept_and_are_no_pass(broken_at_two: list[str], tmp_path: Path) -> None:
    drill = replace(load_drill("zone-loss", DRILLS, policy={}), objectives=DrillObjectives(lost=0))
    stack = RunningStack(name="dev", target=TARGET, outputs={})
    record = run_drill(
        stack,
        drill,
        Repeats(seed=1, runs=3),
        folder=tmp_path,
        on_event=broken_at_two.append,
        on_run=broken_at_two.append,
    )
    assert (len(record.runs), record.runs[0].verdict, record.verdict) == (1, "pass", "inconclusive")
    assert record.reason.startswith("run 2 of 3: ")
    assert "the cloud is gone" in record.reason
    assert record.miss_rate_bound is None
    assert broken_at_two == ["run 1 of 3: working", "run 1 of 3: pass, RTO 0.00 s"]


def test_a_first_run_that_cannot_be_made_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object) -> None:
        raise NotReadyError("the cloud is gone", where="here")

    monkeypatch.setattr(drilling, "DrillRun", gone)
    monkeypatch.setattr(drilling, "_not_supported", lambda *_: "")
    monkeypatch.setattr(drilling, "check_operations", lambda *_, **__: None)
    drill, stack = load_drill("zone-loss", DRILLS, policy={}), RunningStack(name="dev", target=TARGET, outputs={})
    with pytest.raises(NotReadyError):
        run_drill(stack, drill, Repeats(seed=1, runs=3), folder=tmp_path)
