"""Procedures run as processes: steps are told as they begin, and every way of failing is said."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from chaos.failover.runbook import Runbook
from chaos.failover.running import Procedure
from harness.clock import SystemClock
from harness.measure.journal import PROCEDURE_ENDED, PROCEDURE_STEP, JournalWriter, read_journal
from harness.stack import RunningStack
from harness.target import Target
from tests.waiting import awaited

TARGET = Target(
    kind="endpoint",
    endpoint="http://127.0.0.1:1",
    region="us-west-2",
    regions=("us-west-2",),
    account_id="000000000000",
    control_token="secret",
)
OURS = """
def works(runbook):
    with runbook.step("look"):
        assert runbook.region == "us-west-2" and runbook.home == "us-east-1"
    with runbook.step(f"use {runbook.outputs['table']}"):
        assert not runbook.stack.target.control_token

def fails(runbook):
    with runbook.step("restore"):
        raise LookupError("there is no backup")
"""
Run = Callable[..., tuple[Procedure, list[str], str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a procedure to its end; gives it, the steps that were told, and why it failed."""
    (tmp_path / "ours.py").write_text(OURS)

    def ran(procedure: str, timeout_s: float = 120.0) -> tuple[Procedure, list[str], str]:
        path = tmp_path / "journal.jsonl"
        with JournalWriter(path) as journal:
            one = Procedure(
                procedure=procedure,
                what="failover",
                runbook=Runbook(
                    stack=RunningStack(name="dev", target=TARGET, outputs={"table": "orders"}), home="us-east-1"
                ),
                folder=tmp_path,
                work=tmp_path / "work",
                journal=journal,
                clock=SystemClock(),
                timeout_s=timeout_s,
            )
            one.start("the test says so")
            awaited(lambda: (one.look(), one.ended)[1])
        events = read_journal(path).events
        steps = [str(event.detail["step"]) for event in events if event.name == PROCEDURE_STEP]
        return one, steps, next(str(e.detail["error"]) for e in events if e.name == PROCEDURE_ENDED)

    return ran


def test_a_function_beside_the_drill_file_tells_its_steps_and_knows_the_stack(run: Run) -> None:
    assert run("ours:works")[1:] == (["look", "use orders"], "")


def test_what_a_function_raises_is_told(run: Run) -> None:
    assert run("ours:fails")[1:] == (["restore"], "LookupError: there is no backup")


def test_a_command_has_the_region_in_its_environment(run: Run) -> None:
    script = "import os; print('step: ' + os.environ['AWS_REGION']); raise SystemExit('done for')"
    assert run(f'{sys.executable} -c "{script}"')[1:] == (["us-west-2"], "done for")


def test_one_that_takes_too_long_is_ended(run: Run) -> None:
    began_s = time.monotonic()
    one, _, error = run("sleep 3600", timeout_s=0.2)
    assert "not done within 0.2 s" in error
    assert one.error == error
    assert time.monotonic() - began_s < 3600
