"""The promises of each store: what keeps them is left alone, and an injected violation is found by key and time."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.measure.checkers.append_only import check_append_only
from harness.measure.checkers.bank import Transfer, check_bank
from harness.measure.checkers.calls import Call, Value
from harness.measure.checkers.counter import check_counter
from harness.measure.checkers.exactly_once import check_exactly_once
from harness.measure.checkers.fan_out import check_fan_out
from harness.measure.checkers.queue import QueueEnd, check_queue
from harness.measure.checkers.register import check_register
from harness.measure.checkers.unique import check_unique
from harness.measure.checkers.versions import check_versions
from harness.measure.finding import Finding
from harness.measure.journal import Outcome

OUTCOMES = st.lists(st.sampled_from(["ok", "ok", "fail", "unknown"]), min_size=1, max_size=20)


def write(key: str, value: Value = None, at_s: float = 1.0, outcome: Outcome = "ok") -> Call:
    return Call(key=key, action="write", value=value, started_s=at_s, ended_s=at_s + 0.5, outcome=outcome)


def read(key: str, value: Value, at_s: float) -> Call:
    return Call(key=key, action="read", value=value, started_s=at_s, ended_s=at_s + 0.5)


def kinds(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.kind, finding.key) for finding in findings]


def applied(outcomes: list[Outcome], chance: list[bool]) -> list[bool]:
    """Which writes took effect: all acknowledged ones, no failed one, of the unknown ones some."""
    return [o == "ok" or (o == "unknown" and luck) for o, luck in zip(outcomes, chance, strict=False)]


CHANCE = st.lists(st.booleans(), min_size=20, max_size=20)


# -- register


@given(OUTCOMES, CHANCE)
def test_a_register_that_keeps_its_last_write_is_left_alone(outcomes: list[Outcome], chance: list[bool]) -> None:
    calls, value = [], None
    for number, done in enumerate(applied(outcomes, chance)):
        calls.append(write("k", number, number, outcomes[number]))
        value = number if done else value
        calls.append(read("k", value, number + 0.6))
    assert check_register(calls, {"k": value}) == []


@pytest.mark.parametrize(
    ("calls", "final", "kind"),
    [
        ([write("k", 1, 0), write("k", 2, 5)], 1, "lost update"),
        ([write("k", 1, 0), write("k", 2, 5)], None, "lost update"),
        ([write("k", 1, 0), write("k", 2, 5, "fail")], 2, "lost update"),
        ([write("k", 1, 0), read("k", 7, 3)], 1, "phantom read"),
        ([read("k", 1, 0), write("k", 1, 3)], 1, "phantom read"),  # read before it was written
    ],
)
def test_a_register_that_forgets_or_invents_is_found(calls: list[Call], final: Value, kind: str) -> None:
    assert kinds(check_register(calls, {"k": final})) == [(kind, "k")]


# -- append only


@given(OUTCOMES, CHANCE)
def test_a_list_in_order_is_left_alone(outcomes: list[Outcome], chance: list[bool]) -> None:
    calls = [write("k", number, number, outcome) for number, outcome in enumerate(outcomes)]
    final = [number for number, done in enumerate(applied(outcomes, chance)) if done]
    reads = [("k", 99.0, final[:half]) for half in range(len(final))]
    assert check_append_only(calls, {"k": final}, reads) == []


@pytest.mark.parametrize(
    ("final", "reads", "kind"),
    [
        ([0, 2], [], "lost"),
        ([0, 1, 1, 2], [], "duplicate"),
        ([0, 1, 2, 9], [], "phantom"),
        ([1, 0, 2], [], "reordered"),
        ([0, 1, 2], [("k", 9.0, [0, 2])], "diverged"),
    ],
)
def test_a_list_with_one_wrong_is_found(final: list[Value], reads: list, kind: str) -> None:
    calls = [write("k", number, number) for number in range(3)]
    assert kinds(check_append_only(calls, {"k": final}, reads)) == [(kind, "k")]


# -- counter


@given(OUTCOMES, CHANCE, st.lists(st.integers(-3, 5), min_size=20, max_size=20))
def test_a_counter_that_counts_is_left_alone(outcomes: list[Outcome], chance: list[bool], deltas: list[int]) -> None:
    calls, total = [], 0
    for number, done in enumerate(applied(outcomes, chance)):
        calls.append(write("k", deltas[number], number, outcomes[number]))
        total += deltas[number] if done else 0
        calls.append(read("k", total, number + 0.6))
    assert check_counter(calls, {"k": total}) == []


@given(st.integers(1, 20), st.integers(1, 5))
def test_a_counter_that_misses_or_repeats_one_is_found(count: int, delta: int) -> None:
    calls = [write("k", delta, number) for number in range(count)]
    assert check_counter(calls, {"k": count * delta}) == []
    assert kinds(check_counter(calls, {"k": (count - 1) * delta})) == [("lost addition", "k")]
    assert kinds(check_counter(calls, {"k": (count + 1) * delta})) == [("duplicate addition", "k")]
    maybe = [*calls, write("k", delta, 99, "unknown")]
    assert check_counter(maybe, {"k": (count + 1) * delta}) == []


# -- unique keys


@pytest.mark.parametrize(
    ("claims", "owner", "kind"),
    [
        ([write("k", "a"), write("k", "b", 2, "fail")], "a", None),
        ([write("k", "a", 1, "unknown"), write("k", "b", 2, "fail")], "a", None),
        ([write("k", "a", 1, "unknown")], None, None),
        ([write("k", "a"), write("k", "b", 2)], "b", "two owners"),
        ([write("k", "a")], None, "lost"),
        ([write("k", "a"), write("k", "b", 2, "unknown")], "b", "wrong owner"),
        ([write("k", "a", 1, "fail")], "a", "phantom"),
    ],
)
def test_a_unique_key_has_the_owner_that_was_told_so(claims: list[Call], owner: Value, kind: str | None) -> None:
    assert kinds(check_unique(claims, {"k": owner})) == ([(kind, "k")] if kind else [])


# -- versions


@given(OUTCOMES, CHANCE)
def test_a_bucket_that_keeps_every_version_is_left_alone(outcomes: list[Outcome], chance: list[bool]) -> None:
    puts = [write("k", f"e{number}", number, outcome) for number, outcome in enumerate(outcomes)]
    listed = [f"e{number}" for number, done in enumerate(applied(outcomes, chance)) if done]
    assert check_versions(puts, {"k": listed[::-1]}) == []


@pytest.mark.parametrize(
    ("listed", "kind"),
    [
        (["e2", "e0"], "lost"),
        (["e2", "e1", "e1", "e0"], "duplicate"),
        (["e2", "e9", "e1", "e0"], "phantom"),
        (["e1", "e2", "e0"], "old version on top"),
    ],
)
def test_a_bucket_with_one_version_wrong_is_found(listed: list[str], kind: str) -> None:
    assert kinds(check_versions([write("k", f"e{n}", n) for n in range(3)], {"k": listed})) == [(kind, "k")]


def test_an_old_version_is_told_beside_the_newest_below_it() -> None:
    found = check_versions([write("k", f"e{n}", n) for n in range(3)], {"k": ["e0", "e2", "e1"]})
    assert [(one.detail, one.at_s) for one in found] == [("version 'e0' is above the later 'e2'", 2.5)]


def test_an_object_that_nobody_put_is_found() -> None:
    assert kinds(check_versions([], {"k": ["e0"]})) == [("phantom", "k")]


# -- queue


@given(OUTCOMES, CHANCE, st.lists(st.sampled_from(["once", "twice", "dead"]), min_size=20, max_size=20))
def test_a_queue_that_accounts_for_every_message_is_left_alone(
    outcomes: list[Outcome], chance: list[bool], ends: list[str]
) -> None:
    sends = [write(f"m{number}", at_s=number, outcome=outcome) for number, outcome in enumerate(outcomes)]
    taken = [f"m{number}" for number, done in enumerate(applied(outcomes, chance)) if done]
    end = dict(zip(taken, ends, strict=False))
    processed = {key: 2 if how == "twice" else 1 for key, how in end.items() if how != "dead"}
    dead = {key for key, how in end.items() if how == "dead"}
    assert check_queue(sends, QueueEnd(processed=processed, dead=dead)) == []


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        (QueueEnd(processed={"a": 1}), ("vanished", "b")),
        (QueueEnd(processed={"a": 1}, waiting=frozenset({"b"})), ("stuck", "b")),
        (QueueEnd(processed={"a": 1, "b": 1, "x": 1}), ("phantom", "x")),
        (QueueEnd(processed={"a": 1, "b": 1}, dead=frozenset({"b"})), ("dead after success", "b")),
    ],
)
def test_a_message_that_goes_astray_is_found(end: QueueEnd, expected: tuple[str, str]) -> None:
    assert kinds(check_queue([write("a"), write("b", at_s=4.0)], end)) == [expected]


def test_a_message_resent_under_its_key_is_one_message() -> None:
    sends = [write("a", at_s=1, outcome="unknown"), write("a", at_s=2), write("a", at_s=3, outcome="fail")]
    (finding,) = check_queue(sends, QueueEnd())
    assert (finding.kind, finding.at_s) == ("vanished", 2.5)


# -- fan-out


def large(event: Call) -> frozenset[str]:
    """Everything goes to the log, large events to the alert too."""
    return frozenset({"log", "alert"} if isinstance(event.value, int) and event.value > 5 else {"log"})


@given(OUTCOMES, CHANCE)
def test_events_that_reach_their_targets_are_left_alone(outcomes: list[Outcome], chance: list[bool]) -> None:
    events = [write(f"e{number}", number, number, outcome) for number, outcome in enumerate(outcomes)]
    there = [event for event, done in zip(events, applied(outcomes, chance), strict=True) if done]
    received = {target: {e.key for e in there if target in large(e)} for target in ("log", "alert")}
    assert check_fan_out(events, received, large) == []


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        ({"log": {"a"}, "alert": set()}, ("not delivered", "b")),
        ({"log": {"a", "b"}, "alert": {"a"}}, ("wrong target", "a")),
        ({"log": {"a", "b", "x"}, "alert": set()}, ("phantom", "x")),
    ],
)
def test_an_event_that_goes_astray_is_found(received: dict[str, set[str]], expected: tuple[str, str]) -> None:
    assert expected in kinds(check_fan_out([write("a", 1), write("b", 2, 3)], received, large))


# -- bank

ACCOUNTS = ("a", "b", "c")
TRANSFERS = st.lists(
    st.tuples(
        st.sampled_from(ACCOUNTS),
        st.sampled_from(ACCOUNTS),
        st.integers(1, 5),
        st.sampled_from(["ok", "fail", "unknown"]),
    ),
    min_size=1,
    max_size=20,
)


@given(TRANSFERS, CHANCE)
def test_a_bank_whose_sum_never_changes_is_left_alone(told: list, chance: list[bool]) -> None:
    balances = dict.fromkeys(ACCOUNTS, 100)
    initial, reads, transfers = dict(balances), [], []
    for number, (source, target, amount, outcome) in enumerate(told):
        transfers.append(
            Transfer(source=source, target=target, amount=amount, ended_s=float(number), outcome=outcome)
        )
        if outcome == "ok" or (outcome == "unknown" and chance[number]):
            balances[source] -= amount
            balances[target] += amount
        reads.append((number + 0.5, dict(balances)))
    assert check_bank(transfers, reads, initial=initial) == []


@pytest.mark.parametrize(
    ("final", "expected"),
    [
        ({"a": 5, "b": 10}, ("wrong total", "*")),
        ({"a": -5, "b": 25}, ("overdrawn", "a")),
        ({"a": 10, "b": 10}, ("wrong balance", "a")),
    ],
)
def test_money_that_goes_astray_is_found(final: dict[str, int], expected: tuple[str, str]) -> None:
    transfer = Transfer(source="a", target="b", amount=5, ended_s=1.0)
    assert expected in kinds(check_bank([transfer], [(2.0, final)], initial={"a": 10, "b": 10}))


# -- exactly once


@given(OUTCOMES, CHANCE)
def test_orders_with_each_effect_once_are_left_alone(outcomes: list[Outcome], chance: list[bool]) -> None:
    orders = [write(f"o{number}", at_s=number, outcome=outcome) for number, outcome in enumerate(outcomes)]
    done = {f"o{number}": 1 for number, took in enumerate(applied(outcomes, chance)) if took}
    assert check_exactly_once(orders, {"charge": done, "receipt": dict(done)}) == []


@pytest.mark.parametrize(
    ("orders", "charges", "receipts", "expected"),
    [
        ([write("o")], {"o": 1}, {}, ("missing", "o")),
        ([write("o")], {"o": 2}, {"o": 1}, ("duplicate", "o")),
        ([write("o", outcome="unknown")], {"o": 1}, {}, ("partial", "o")),
        ([write("o", outcome="fail")], {"o": 1}, {"o": 1}, ("phantom", "o")),
        ([write("o")], {"o": 1, "x": 1}, {"o": 1}, ("phantom", "x")),
    ],
)
def test_an_effect_that_is_wrong_is_found(
    orders: list[Call], charges: dict[str, int], receipts: dict[str, int], expected: tuple[str, str]
) -> None:
    assert expected in kinds(check_exactly_once(orders, {"charge": charges, "receipt": receipts}))


def test_a_retry_that_succeeds_makes_the_order_acknowledged() -> None:
    attempts = [write("o", at_s=1, outcome="unknown"), write("o", at_s=2)]
    (finding,) = check_exactly_once(attempts, {"charge": {}})
    assert (finding.kind, finding.at_s) == ("missing", 2.5)


def test_findings_have_the_instant_of_the_acknowledgement() -> None:
    sends = [write(f"m{n}", at_s=float(n)) for n in range(4)]
    found = check_queue(sends, QueueEnd(processed={"m0": 1}))
    assert [finding.at_s for finding in found] == [1.5, 2.5, 3.5]
    assert all(earlier.at_s < later.at_s for earlier, later in pairwise(found) if earlier.at_s and later.at_s)
