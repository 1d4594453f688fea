"""Whose turn it is in a stage, in each mode."""

import threading

import pytest

from harness.cloud.builds.execution import EndedError, Execution
from harness.cloud.builds.turns import Turns
from tests.waiting import until

STAGE = "Deploy"


def execution(name: str, mode: str) -> Execution:
    return Execution(id=name, pipeline={"executionMode": mode}, client=lambda *_given: None, trigger="Manual")


def in_turn(mode: str, names: str) -> tuple[list[str], list[str]]:
    """Executions that arrive while the stage is taken by another: who got in, in order, and who was superseded."""
    turns, entered, ended = Turns(), [], []
    first = execution("first", mode)
    turns.arrive(first, STAGE)
    turns.enter(first, STAGE)

    def go(one: Execution) -> None:
        try:
            turns.enter(one, STAGE)
            entered.append(one.id)
            turns.leave(STAGE)
        except EndedError as error:
            ended.append(f"{one.id} {error.status}")

    threads = []
    for name in names:
        one = execution(name, mode)
        turns.arrive(one, STAGE)
        threads.append(threading.Thread(target=go, args=(one,)))
        threads[-1].start()
    if mode == "SUPERSEDED":
        assert until(lambda: len(ended) == len(names) - 1)
    assert entered == []
    turns.leave(STAGE)
    for thread in threads:
        thread.join()
    return entered, ended


@pytest.mark.parametrize(
    ("mode", "entered", "ended"),
    [("SUPERSEDED", ["c"], ["a Superseded", "b Superseded"]), ("QUEUED", ["a", "b", "c"], [])],
)
def test_who_waits_before_a_stage(mode: str, entered: list[str], ended: list[str]) -> None:
    got_in, superseded = in_turn(mode, "abc")
    assert (got_in, sorted(superseded)) == (entered, ended)
