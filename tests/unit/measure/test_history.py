"""What became of every write, checked by example and against sets."""

from hypothesis import given
from hypothesis import strategies as st

from harness.measure.history import compare, passes_of, unreadable, writes_of
from harness.measure.journal import Operation, Outcome, Reading
from harness.measure.loss import loss


def write(key: str, outcome: Outcome, *, ended_s: float = 1.0, sequence: int | None = None) -> Operation:
    return Operation(
        id=0,
        kind="place",
        key=key,
        scheduled_s=ended_s - 0.01,
        started_s=ended_s - 0.01,
        ended_s=ended_s,
        outcome=outcome,
        write=True,
        sequence=sequence,
    )


def read(key: str, *, present: bool = True, effects: int | None = 1, number: int = 1) -> Reading:
    return Reading(at_s=9.0 + number, pass_number=number, key=key, present=present, effects=effects)


def twice(key: str, *, present: bool = True, effects: int | None = 1) -> list[Reading]:
    return [read(key, present=present, effects=effects, number=number) for number in (1, 2)]


def found(*readings: Reading) -> dict[str, Reading]:
    return passes_of(readings).last


def test_acknowledged_and_absent_is_lost() -> None:
    history = compare(writes_of([write("a", "ok"), write("b", "ok")]), found(read("a", present=False), read("b")))
    assert [lost.key for lost in history.lost] == ["a"]


def test_unknown_may_be_there_or_not() -> None:
    history = compare(
        writes_of([write("a", "unknown"), write("b", "unknown")]), found(read("a", present=False), read("b"))
    )
    assert (history.lost, history.phantom) == ((), ())
    assert (history.unknown, history.unknown_applied) == (2, 1)


def test_certainly_failed_and_present_is_a_phantom() -> None:
    history = compare(writes_of([write("a", "fail"), write("b", "fail")]), found(read("a"), read("b", present=False)))
    assert history.phantom == ("a",)


def test_a_second_effect_is_a_duplicate_whatever_the_writer_was_told() -> None:
    history = compare(
        writes_of([write("a", "ok"), write("b", "unknown"), write("c", "ok")]),
        found(read("a", effects=3), read("b", effects=2), read("c", effects=1)),
    )
    assert history.duplicates == 3
    assert history.duplicated == ("a", "b")


def test_an_acknowledged_write_without_its_effect_is_unfulfilled_and_not_lost() -> None:
    open_ended = Reading(at_s=9.0, pass_number=1, key="b", present=True, settled=False)
    history = compare(writes_of([write("a", "ok"), write("b", "ok")]), found(read("a", effects=0), open_ended))
    assert history.unfulfilled == ("a", "b")
    assert history.lost == ()


def test_effects_that_nobody_counts_are_no_objection() -> None:
    history = compare(writes_of([write("a", "ok")]), found(read("a", effects=None)))
    assert (history.duplicates, history.unfulfilled) == (0, ())


def test_one_acknowledged_attempt_makes_the_write_acknowledged_at_that_instant() -> None:
    writes = writes_of(
        [
            write("a", "unknown", ended_s=1.0),
            write("a", "ok", ended_s=3.0),
            write("a", "ok", ended_s=2.0),
            write("a", "fail", ended_s=4.0),
        ]
    )
    assert writes["a"].outcome == "ok"
    assert writes["a"].acked_s == 2.0


def test_a_hole_is_lost_while_a_later_one_survived() -> None:
    writes = writes_of([write("a", "ok", sequence=1), write("b", "ok", sequence=2), write("c", "ok", sequence=3)])
    readings = found(read("a", present=False), read("b"), read("c", present=False))
    assert compare(writes, readings).holes == ("a",)


def test_reads_do_not_write() -> None:
    operation = Operation(id=1, kind="read", key="a", scheduled_s=0, started_s=0, ended_s=0, outcome="ok")
    assert writes_of([operation]) == {}


def test_every_key_must_be_read_twice() -> None:
    writes = writes_of([write("a", "ok"), write("b", "ok")])
    assert "1 of 2 written keys were not read back twice, for example b" in unreadable(
        writes, passes_of([*twice("a"), read("b")])
    )
    assert unreadable(writes, passes_of([*twice("a"), *twice("b")])) == ""


def test_passes_that_disagree_prove_nothing() -> None:
    writes = writes_of([write("a", "ok")])
    assert "disagree" in unreadable(writes, passes_of([read("a"), read("a", present=False, number=2)]))
    assert "disagree" in unreadable(writes, passes_of([read("a"), read("a", effects=2, number=2)]))


def test_rpo_reaches_back_to_the_earliest_lost_acknowledgement_before_the_fault() -> None:
    writes = writes_of([write("a", "ok", ended_s=6.5), write("b", "ok", ended_s=9.0), write("c", "ok", ended_s=9.9)])
    history = compare(writes, found(read("a", present=False), read("b", present=False), read("c")))
    told = loss(history, fault_s=10.0, guard_s=1.0)
    assert told.rpo_s == 3.5
    assert told.split_brain == 0


def test_acknowledged_after_the_fault_and_lost_is_told_apart() -> None:
    writes = writes_of([write("a", "ok", ended_s=9.9), write("b", "ok", ended_s=10.5)])
    told = loss(compare(writes, found(read("a"), read("b", present=False))), fault_s=10.0, guard_s=1.0)
    assert (told.rpo_s, told.split_brain) == (0.0, 1)


def test_without_an_acknowledgement_just_before_the_fault_rpo_cannot_be_told() -> None:
    history = compare(writes_of([write("a", "ok", ended_s=8.0)]), found(read("a")))
    told = loss(history, fault_s=10.0, guard_s=1.0)
    assert told.rpo_s is None
    assert "no write was acknowledged" in told.doubt


def test_the_instant_of_the_fault_itself_belongs_to_what_was_before() -> None:
    writes = writes_of([write("a", "ok", ended_s=9.0), write("b", "ok", ended_s=10.0)])
    told = loss(compare(writes, found(read("a"), read("b", present=False))), fault_s=10.0, guard_s=1.0)
    assert (told.rpo_s, told.split_brain) == (0.0, 0)
    told = loss(compare(writes, found(read("a", present=False), read("b"))), fault_s=9.0, guard_s=1.0)
    assert (told.rpo_s, told.split_brain) == (0.0, 0)
    alone = writes_of([write("a", "ok", ended_s=9.0)])
    assert loss(compare(alone, found(read("a"))), fault_s=10.0, guard_s=1.0).rpo_s == 0.0


@given(
    st.lists(
        st.tuples(
            st.integers(0, 12),
            st.sampled_from(["ok", "fail", "unknown"]),
            st.booleans(),
            st.sampled_from([None, 0, 1, 2, 3]),
        ),
        max_size=40,
    )
)
def test_the_history_agrees_with_sets(told: list[tuple[int, Outcome, bool, int | None]]) -> None:
    operations = [write(f"k{key}", outcome) for key, outcome, _, _ in told]
    readings = [read(f"k{key}", present=present, effects=effects) for key, _, present, effects in told]
    history = compare(writes_of(operations), passes_of(readings).last)
    acked = {o.key for o in operations if o.outcome == "ok"}
    unknown = {o.key for o in operations if o.outcome == "unknown"} - acked
    failed = {o.key for o in operations} - acked - unknown
    final = {reading.key: reading for reading in readings}
    present = {key for key, reading in final.items() if reading.present}
    assert {w.key for w in history.acked} == acked
    assert {w.key for w in history.lost} == acked - present
    assert set(history.phantom) == failed & present
    assert history.unknown == len(unknown)
    assert history.duplicates == sum(max(0, (reading.effects or 0) - 1) for reading in final.values())
    assert not set(history.unfulfilled) & {w.key for w in history.lost}
