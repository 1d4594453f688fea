"""Linearizability of registers: against every order taken literally, and the examples of the literature."""

import math
from itertools import chain, combinations, permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.measure.checkers.calls import Call, Value
from harness.measure.checkers.linearizable import UNDECIDED, check_linearizable
from harness.measure.journal import Outcome


def write(value: Value, started_s: float, ended_s: float, outcome: Outcome = "ok") -> Call:
    return Call(key="k", action="write", value=value, started_s=started_s, ended_s=ended_s, outcome=outcome)


def read(value: Value, started_s: float, ended_s: float) -> Call:
    return Call(key="k", action="read", value=value, started_s=started_s, ended_s=ended_s)


@pytest.mark.parametrize(
    ("calls", "at_s"),
    [
        ([write(1, 0, 1), read(1, 2, 3)], None),
        ([read(None, 0, 1), write(1, 2, 3)], None),
        ([write(1, 0, 1), read(None, 2, 3)], 3),  # a stale read
        ([write(1, 0, 1), write(2, 2, 3), read(1, 4, 5)], 5),  # a lost update
        ([write(1, 0, 9), read(1, 1, 2), read(None, 3, 4)], 4),  # time runs backwards
        ([write(1, 0, 9), read(None, 1, 2), read(1, 3, 4)], None),  # it took effect in between
        ([write(1, 0, 4), write(2, 0, 4), read(1, 5, 6), read(2, 7, 8)], 8),  # two reads disagree for good
        ([write(1, 0, 1, "unknown"), read(None, 2, 3), read(1, 8, 9)], None),  # it may still come
        ([write(1, 0, 1, "unknown"), read(1, 2, 3), read(None, 4, 5)], 5),  # and once it came it stays
        ([write(1, 0, 1, "fail"), read(1, 2, 3)], 3),
        ([read(7, 0, 1)], 1),
        ([], None),
    ],
)
def test_the_examples(calls: list[Call], at_s: float | None) -> None:
    assert [finding.at_s for finding in check_linearizable(calls)] == ([] if at_s is None else [at_s])


def literally(calls: list[Call]) -> bool:
    """Any subset of the unknown writes, any order that respects time, every read right."""
    needed = [call for call in calls if call.outcome == "ok"]
    unknown = [call for call in calls if call.outcome == "unknown" and call.action == "write"]
    for chosen in chain.from_iterable(combinations(unknown, n) for n in range(len(unknown) + 1)):
        for order in permutations([*needed, *chosen]):
            if _respects_time(order) and _reads_right(order):
                return True
    return False


def _respects_time(order: tuple[Call, ...]) -> bool:
    ends_s = [call.ended_s if call.outcome == "ok" else math.inf for call in order]
    return all(ends_s[j] >= order[i].started_s for i in range(len(order)) for j in range(i + 1, len(order)))


def _reads_right(order: tuple[Call, ...]) -> bool:
    value: Value = None
    for call in order:
        if call.action == "write":
            value = call.value
        elif call.value != value:
            return False
    return True


CALLS = st.builds(
    lambda action, value, start, length, outcome: Call(
        key="k", action=action, value=value, started_s=start, ended_s=start + length, outcome=outcome
    ),
    st.sampled_from(["read", "write", "write"]),
    st.sampled_from([1, 2, None]),
    st.integers(0, 8),
    st.integers(1, 4),
    st.sampled_from(["ok", "ok", "ok", "unknown", "fail"]),
)


@settings(max_examples=250, deadline=None)
@given(st.lists(CALLS, max_size=5))
def test_the_search_agrees_with_every_order_taken_literally(calls: list[Call]) -> None:
    assert (check_linearizable(calls) == []) == literally(calls)


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 30)), min_size=4, max_size=40), st.data())
def test_a_register_passes_and_a_forged_read_is_found(told: list[tuple[bool, int]], data: st.DataObject) -> None:
    value: Value = None
    calls = []
    for number, (is_write, length) in enumerate(told):  # takes effect at `number`, somewhere within its times
        value = number if is_write else value
        times = (number - length / 10, number + length / 10)
        calls.append(write(value, *times) if is_write else read(value, *times))
    assert check_linearizable(calls) == []
    forged = data.draw(st.integers(0, len(calls)))
    at_s = 1000.0 + forged
    (finding,) = check_linearizable([*calls, read("forged", at_s, at_s + 1)])
    assert (finding.kind, finding.key, finding.at_s) == ("not linearizable", "k", at_s + 1)


def test_keys_are_judged_apart() -> None:
    other = Call(key="other", action="read", value=9, started_s=0, ended_s=1)
    assert [finding.key for finding in check_linearizable([write(1, 0, 1), read(1, 2, 3), other])] == ["other"]


def test_what_takes_too_long_is_undecided_and_no_violation() -> None:
    crowd = [write(n, 0, 100) for n in range(30)] + [read("none of them", 50, 101)]
    (finding,) = check_linearizable(crowd, most_states=2000)
    assert finding.kind == UNDECIDED


def test_a_long_quiet_history_is_quick() -> None:
    calls = [write(n, n, n + 0.5) if n % 2 == 0 else read(n - 1, n, n + 0.5) for n in range(1500)]
    assert check_linearizable(calls) == []
