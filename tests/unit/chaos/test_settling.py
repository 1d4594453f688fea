"""Waiting for the end of what was begun."""

from collections.abc import Iterator
from itertools import repeat
from typing import Any

import pytest

from chaos import verification
from chaos.drill_parts import VerificationPart
from chaos.verification import settle
from harness.measure.journal import Journal, Operation


class Clock:
    """Moves half a second at each look."""

    at_s = 0.0

    def now_s(self) -> float:
        return self.at_s

    async def sleep(self, duration_s: float) -> None:
        raise NotImplementedError


class Store:
    """Of its orders, some more are fulfilled at each look."""

    part = VerificationPart(table="t", key="k", settled={"status": "FULFILLED"}, settle="2s", queues=["q"])

    def __init__(self, open_at_each_look: Iterator[int], messages: Iterator[int] | None = None) -> None:
        self.looks, self.open, self.messages = 0, open_at_each_look, messages or repeat(0)

    def waiting(self) -> int:
        return next(self.messages)

    def items(self) -> dict[str, list[dict[str, str]]]:
        self.looks += 1
        count = next(self.open)
        return {f"k{n}": [{"status": "PLACED" if n < count else "FULFILLED"}] for n in range(20)}

    def settled(self, items: Any) -> bool:
        return all(item["status"] == "FULFILLED" for item in items)


@pytest.fixture
def wait(monkeypatch: pytest.MonkeyPatch) -> Any:
    writes = tuple(
        Operation(id=n, kind="w", key=f"k{n}", write=True, scheduled_s=n, started_s=n, ended_s=n + 0.1, outcome="ok")
        for n in range(20)
    )

    def run(store: Store) -> int:
        clock = Clock()
        monkeypatch.setattr(verification.time, "sleep", lambda s: setattr(clock, "at_s", clock.at_s + s))
        return settle(store, Journal(operations=writes, events=(), readings=()), clock, meanwhile=lambda: None)  # type: ignore[arg-type]

    return run


def test_settling_is_waited_for_as_long_as_anything_settles(wait: Any) -> None:
    slowly = (count for count in range(20, -1, -1) for _ in range(3))  # one in 1.5 s, each within the 2 s
    store = Store(slowly)
    wait(store)
    assert store.looks == 61


def test_what_does_not_settle_at_all_is_given_up_after_the_settle_time(wait: Any) -> None:
    store = Store(iter([5] * 100))
    wait(store)
    assert store.looks == 5


def test_what_may_still_be_done_a_second_time_is_waited_for_and_told(wait: Any) -> None:
    draining = Store(iter([0] * 100), iter([3, 3, 2, 1, 0]))
    assert (wait(draining), draining.looks) == (0, 5)
    stuck = Store(iter([0] * 100), iter([3] * 100))
    assert (wait(stuck), stuck.looks) == (3, 5)


def test_queues_that_drain_slowly_are_waited_for(wait: Any) -> None:
    slowly = Store(repeat(0), (count for count in range(8, -1, -1) for _ in range(3)))
    assert (wait(slowly), slowly.looks) == (0, 25)


def test_what_was_refused_or_only_read_has_nothing_to_settle(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = Operation(
        id=1, kind="w", key="k1", write=True, scheduled_s=1.0, started_s=1.0, ended_s=1.1, outcome="fail"
    )
    read = Operation(id=2, kind="r", key="k2", scheduled_s=1.0, started_s=1.0, ended_s=1.1, outcome="ok")
    clock, store = Clock(), Store(repeat(5))
    monkeypatch.setattr(verification.time, "sleep", lambda s: setattr(clock, "at_s", clock.at_s + s))
    settle(store, Journal(operations=(refused, read)), clock, meanwhile=lambda: None)  # type: ignore[arg-type]
    assert store.looks == 1
