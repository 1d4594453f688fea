"""The shop's time budget, on a clock that jumps: what a call may take, when it is tried again, what is kept back."""

import math
import runpy
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

SOURCE = Path(__file__).parents[3] / "pulumi_stack" / "app" / "time_budget.py"


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now_s, self.slept_s = 100.0, [0.0]

    def monotonic(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.slept_s.append(seconds)
        self.now_s += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def budget(clock: Clock) -> SimpleNamespace:
    loaded = runpy.run_path(str(SOURCE))
    loaded["left_s"].__globals__["time"] = clock
    return SimpleNamespace(**loaded)


def hooks(budget: SimpleNamespace, timeout_s: float) -> dict[str, Callable[..., Any]]:
    """What the SDK would ask, by the name of its event."""
    asked: dict[str, Callable[..., Any]] = {}
    events = SimpleNamespace(register=asked.__setitem__, register_first=asked.__setitem__)
    model = SimpleNamespace(service_id=SimpleNamespace(hyphenize=lambda: "s3"))
    budget.watch(SimpleNamespace(meta=SimpleNamespace(events=events, service_model=model)), timeout_s)
    return asked


def test_without_a_budget_every_call_has_its_time(budget: SimpleNamespace) -> None:
    assert budget.left_s() == math.inf
    assert budget.share(5.0) == 5.0
    assert hooks(budget, 5.0)["needs-retry.s3"](attempts=2) is None


def test_a_call_gets_what_is_left_in_halves_and_then_nothing(budget: SimpleNamespace, clock: Clock) -> None:
    budget.begin(2.0)  # a tenth is kept back
    assert budget.left_s() == pytest.approx(1.8)
    shares = []
    for passed_s in (0.0, 0.7, 0.2, 0.5):
        clock.now_s += passed_s
        shares.append(budget.share(1.0))
    assert shares == [1.0, 1.0, 0.5, 0.25]
    clock.now_s += 0.3
    with pytest.raises(budget.OutOfTimeError, match=r"0\.20 s are needed, there are 0\.10 s"):
        budget.share(1.0)
    with budget.reserve():
        assert budget.share(1.0) == 0.25
    assert budget.left_s() == pytest.approx(0.1)


def test_it_is_tried_again_while_backoff_and_try_fit(budget: SimpleNamespace, clock: Clock) -> None:
    budget.begin(5.0)
    again = hooks(budget, 1.0)["needs-retry.s3"]
    assert again(attempts=2) is None  # the SDK decides
    clock.now_s += 3.0
    assert again(attempts=2) is False  # a backoff of up to two seconds does not fit
    assert again(attempts=1) is None
    clock.now_s += 0.1
    assert again(attempts=1) is False  # a try with its connection does not


def test_nothing_is_sent_for_which_there_is_no_time(budget: SimpleNamespace, clock: Clock) -> None:
    budget.begin(2.0)
    sends, request = hooks(budget, 1.0)["before-send"], SimpleNamespace(headers={"Expect": "100-continue"})
    sends(request=request)
    assert request.headers == {}
    clock.now_s += 1.0
    with pytest.raises(budget.OutOfTimeError):
        sends(request=request)


def test_a_pause_ends_with_the_budget(budget: SimpleNamespace, clock: Clock) -> None:
    budget.begin(1.0)
    for _ in range(50):
        budget.pause(0.5)
    assert max(clock.slept_s) <= 0.5
    assert budget.left_s() >= 0.0
    clock.now_s += 10.0
    budget.pause(0.5)
    assert clock.slept_s[-1] == 0.0


def test_a_handlers_budget_is_what_its_invocation_has_left(budget: SimpleNamespace) -> None:
    left_s = budget.begun(lambda _event, _context: budget.left_s())
    assert left_s({}, SimpleNamespace(get_remaining_time_in_millis=lambda: 4000)) == pytest.approx(3.6)
