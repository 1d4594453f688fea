"""Each promise against its definition taken literally: every subset, every pair, every order."""

from itertools import chain, combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.measure.checkers import bank
from harness.measure.checkers.append_only import check_append_only
from harness.measure.checkers.bank import Transfer, check_bank
from harness.measure.checkers.calls import Call
from harness.measure.checkers.counter import check_counter
from harness.measure.checkers.exactly_once import check_exactly_once
from harness.measure.checkers.fan_out import check_fan_out
from harness.measure.checkers.queue import QueueEnd, check_queue
from harness.measure.checkers.register import check_register
from harness.measure.checkers.unique import check_unique
from harness.measure.checkers.versions import check_versions

OUTCOME = st.sampled_from(["ok", "fail", "unknown"])
INSTANT = st.integers(0, 9)


@st.composite
def writes(draw: st.DrawFn, most: int = 6) -> list[Call]:
    """Calls that overlap or not; each has a value of its own."""
    told = draw(st.lists(st.tuples(INSTANT, INSTANT, OUTCOME), max_size=most))
    return [
        Call(key="k", action="write", value=n, started_s=float(at), ended_s=float(at + took), outcome=outcome)
        for n, (at, took, outcome) in enumerate(told)
    ]


def subsets(calls: list) -> list[tuple]:
    return list(chain.from_iterable(combinations(calls, size) for size in range(len(calls) + 1)))


@given(st.lists(st.tuples(st.integers(-3, 5), OUTCOME), max_size=7), st.integers(-12, 25))
def test_the_end_of_a_counter_is_a_sum_of_what_may_have_happened(told: list, final: int) -> None:
    adds = [Call(key="k", action="write", value=delta, started_s=n, ended_s=n + 0.5, outcome=outcome)
            for n, (delta, outcome) in enumerate(told)]  # fmt: skip
    sure = sum(add.value for add in adds if add.outcome == "ok")
    possible = {sure + sum(a.value for a in some) for some in subsets([a for a in adds if a.outcome == "unknown"])}
    assert bool(check_counter(adds, {"k": final} if adds else {})) == bool(adds and final not in possible)


TRANSFER = st.tuples(st.sampled_from("abc"), st.sampled_from("abc"), st.integers(1, 4), OUTCOME)


def balances(transfers: list[Transfer] | tuple[Transfer, ...]) -> dict[str, int]:
    held = dict.fromkeys("abc", 10)
    for one in transfers:
        held[one.source] -= one.amount
        held[one.target] += one.amount
    return held


@given(st.lists(TRANSFER, max_size=6), st.lists(st.integers(-4, 4), min_size=2, max_size=2))
def test_the_end_of_a_bank_is_a_choice_of_whole_transfers(told: list, off: list[int]) -> None:
    transfers = [Transfer(source=s, target=t, amount=n, ended_s=float(k), outcome=outcome)
                 for k, (s, t, n, outcome) in enumerate(told)]  # fmt: skip
    sure = [one for one in transfers if one.outcome == "ok"]
    possible = [balances([*sure, *some]) for some in subsets([o for o in transfers if o.outcome == "unknown"])]
    final = balances(sure)
    final = {"a": final["a"] + off[0], "b": final["b"] + off[1], "c": final["c"] - sum(off)}
    found = check_bank(transfers, [(9.0, final)], initial=dict.fromkeys("abc", 10), overdraft=True)
    assert bool(found) == (final not in possible)


def test_a_transfer_of_which_a_part_was_done_is_found() -> None:
    """Each account alone could be so, and the sum is right."""
    asked = [Transfer(source="a", target="b", amount=n, ended_s=1.0, outcome="unknown") for n in (5, 3)]
    (found,) = check_bank(asked, [(2.0, {"a": 6, "b": 14})], initial={"a": 10, "b": 10})
    assert (found.kind, found.key) == ("wrong balance", "*")
    assert check_bank(asked, [(2.0, {"a": 5, "b": 15})], initial={"a": 10, "b": 10}) == []


def test_a_transfer_that_was_refused_and_done_is_found() -> None:
    refused = Transfer(source="a", target="b", amount=5, ended_s=1.0, outcome="fail")
    found = check_bank([refused], [(2.0, {"a": 5, "b": 15})], initial={"a": 10, "b": 10})
    assert {(one.kind, one.key) for one in found} == {("wrong balance", "a"), ("wrong balance", "b")}


def test_too_many_choices_are_no_violation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bank, "MOST_STATES", 3)
    asked = [Transfer(source="a", target="b", amount=n, ended_s=1.0, outcome="unknown") for n in (5, 3)]
    assert check_bank(asked, [(2.0, {"a": 6, "b": 14})], initial={"a": 10, "b": 10}) == []


@given(writes(), st.permutations(range(6)), st.integers(0, 6))
def test_versions_are_those_of_acknowledged_puts_in_the_order_of_time(
    puts: list[Call], order: list[int], most: int
) -> None:
    puts = [Call(**{**{f: getattr(p, f) for f in p.__struct_fields__}, "value": str(p.value)}) for p in puts]
    listed = [str(n) for n in order if n < len(puts)][:most]
    by_value = {put.value: put for put in puts}
    expected = {("lost", p.value) for p in puts if p.outcome == "ok" and p.value not in listed}
    expected |= {("phantom", value) for value in listed if by_value[value].outcome == "fail"}
    for place, above in enumerate(listed):
        for below in listed[place + 1 :]:
            one, other = by_value[above], by_value[below]
            if one.outcome == other.outcome == "ok" and other.started_s > one.ended_s:
                expected.add(("old version above" if place else "old version on top", above))
    found = check_versions(puts, {"k": listed} if listed else {})
    assert {(f.kind, f.detail.split("'")[1]) for f in found} == expected


@given(writes(), st.permutations(range(6)), st.integers(0, 6))
def test_a_list_holds_what_was_acknowledged_in_the_order_of_time(
    calls: list[Call], order: list[int], most: int
) -> None:
    final = [n for n in order if n < len(calls)][:most]
    expected = {("lost", c.value) for c in calls if c.outcome == "ok" and c.value not in final}
    expected |= {("phantom", n) for n in final if calls[n].outcome == "fail"}
    for place, late in enumerate(final):
        if calls[late].outcome == "ok" and any(calls[late].ended_s < calls[n].started_s for n in final[:place]):
            expected.add(("reordered", late))
    found = check_append_only(calls, {"k": final})
    assert {(f.kind, int(f.detail.split()[1])) for f in found} == expected


@given(writes(4), st.sampled_from([None, 0, 1, 2, 3]))
def test_a_register_ends_with_a_write_that_may_be_the_last(calls: list[Call], final: int | None) -> None:
    """Some order of the writes, each within its time, ends with it; one without an answer may come at any time."""
    possible = set()
    must = [c for c in calls if c.outcome == "ok"]
    for some in subsets([c for c in calls if c.outcome == "unknown"]):
        there = [*must, *some]
        if not there:
            possible.add(None)
        for last in there:
            until_s = last.ended_s if last.outcome == "ok" else float("inf")
            if all(other is last or other.started_s <= until_s for other in must):
                possible.add(last.value)
    if final is not None and final >= len(calls):
        return
    assert bool(check_register(calls, {"k": final} if calls else {})) == bool(calls and final not in possible)


PLACES = ("processed", "dead", "waiting", "perhaps", "nowhere")


@given(st.lists(st.tuples(OUTCOME, st.sampled_from(PLACES)), max_size=8))
def test_a_message_ends_somewhere(told: list[tuple[str, str]]) -> None:
    sends = [Call(key=f"m{n}", action="write", value=None, started_s=n, ended_s=n + 0.5, outcome=outcome)
             for n, (outcome, _) in enumerate(told)]  # fmt: skip
    where = {place: {f"m{n}" for n, (_, at) in enumerate(told) if at == place} for place in PLACES}
    end = QueueEnd(processed=dict.fromkeys(where["processed"], 1), dead=where["dead"], waiting=where["waiting"],
                   perhaps=where["perhaps"])  # fmt: skip
    expected = set()
    for n, (outcome, place) in enumerate(told):
        if place == "waiting":
            expected.add(("stuck", f"m{n}"))
        if place == "nowhere" and outcome == "ok":
            expected.add(("vanished", f"m{n}"))
        if place != "nowhere" and outcome == "fail":
            expected.add(("phantom", f"m{n}"))
    assert {(f.kind, f.key) for f in check_queue(sends, end)} == expected


@given(st.lists(st.tuples(OUTCOME, st.booleans(), st.booleans(), st.booleans()), max_size=6))
def test_an_event_that_came_anywhere_came_everywhere_it_belongs(told: list) -> None:
    events = [Call(key=f"e{n}", action="write", value=int(large), started_s=n, ended_s=n + 0.5, outcome=outcome)
              for n, (outcome, large, _, _) in enumerate(told)]  # fmt: skip
    received = {"log": {f"e{n}" for n, one in enumerate(told) if one[2]},
                "alert": {f"e{n}" for n, one in enumerate(told) if one[3]}}  # fmt: skip
    expected = set()
    for n, (outcome, large, log, alert) in enumerate(told):
        accepted = outcome == "ok" or (outcome == "unknown" and (log or alert))
        for target, came, belongs in (("log", log, True), ("alert", alert, large)):
            if accepted and belongs and not came:
                expected.add(("not delivered", f"e{n}"))
            if came and not belongs:
                expected.add(("wrong target", f"e{n}"))
            if came and outcome == "fail":
                expected.add(("phantom", f"e{n}"))
            del target
    found = check_fan_out(events, received, lambda e: frozenset({"log", "alert"} if e.value else {"log"}))
    assert {(f.kind, f.key) for f in found} == expected


@given(st.lists(OUTCOME, min_size=1, max_size=5), st.sampled_from([None, 0, 1, 2, 3, 4, 9]))
def test_a_key_has_one_owner_who_was_told_so(told: list[str], owner: int | None) -> None:
    claims = [Call(key="k", action="write", value=n, started_s=n, ended_s=n + 0.5, outcome=outcome)
              for n, outcome in enumerate(told)]  # fmt: skip
    acked = [n for n, outcome in enumerate(told) if outcome == "ok"]
    maybe = [n for n, outcome in enumerate(told) if outcome == "unknown"]
    possible = {acked[0]} if len(acked) == 1 else {None, *maybe} if not acked else set()
    assert bool(check_unique(claims, {"k": owner})) == (owner not in possible)


@given(st.lists(st.lists(OUTCOME, min_size=1, max_size=3), max_size=4), st.data())
def test_an_order_has_each_effect_once_or_none_at_all(told: list[list[str]], data: st.DataObject) -> None:
    orders = [Call(key=f"o{n}", action="write", value=None, started_s=k, ended_s=k + 0.5, outcome=outcome)
              for n, attempts in enumerate(told) for k, outcome in enumerate(attempts)]  # fmt: skip
    seen = {name: {f"o{n}": data.draw(st.integers(0, 2)) for n in range(len(told))} for name in ("charge", "receipt")}
    bad = set()
    for n, attempts in enumerate(told):
        counts = [seen[name][f"o{n}"] for name in seen]
        right = {
            "ok": [(1, 1)],
            "unknown": [(0, 0), (1, 1)],
            "fail": [(0, 0)],
        }[next(outcome for outcome in ("ok", "unknown", "fail") if outcome in attempts)]
        if tuple(counts) not in right:
            bad.add(f"o{n}")
    assert {f.key for f in check_exactly_once(orders, seen)} == bad


def test_every_pair_of_counts_is_judged() -> None:
    """The table of an acknowledged order, whole."""
    order = Call(key="o", action="write", value=None, started_s=0.0, ended_s=0.5)
    for charge, receipt in product(range(3), repeat=2):
        kinds = {f.kind for f in check_exactly_once([order], {"charge": {"o": charge}, "receipt": {"o": receipt}})}
        missing = {"missing"} if 0 in (charge, receipt) else set()
        assert kinds == missing | ({"duplicate"} if 2 in (charge, receipt) else set())
