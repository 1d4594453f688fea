"""Ways to look well that an adversary thought of: what is rare, what comes later, what belongs to nobody."""

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.measure.journal import (
    EXPERIMENT_STARTED,
    QUEUES_WAITING,
    STRAY_EFFECT,
    Event,
    Journal,
    Operation,
    Reading,
)
from harness.measure.method import Method
from harness.measure.objectives import DrillObjectives
from harness.measure.recovery import DOWN_IN_A_ROW, Samples, downtimes, recovery
from harness.measure.scripted import Script, play
from harness.measure.verdict import RunJudgement, judge

METHOD = Method()
RARE = "cancel_order"


def every(number: int, journal: Journal, **changed: object) -> Journal:
    """One operation of `number` is a rare one; those after the fault are changed."""

    def told(operation: Operation) -> Operation:
        if operation.id % number:
            return operation
        after = changed if operation.scheduled_s >= 12.0 else {}
        return msgspec.structs.replace(operation, kind=RARE, write=False, key="", sequence=None, **after)

    return replace(journal, operations=tuple(map(told, journal.operations)))


def also(journal: Journal, *events: Event) -> Journal:
    return replace(journal, events=tuple(sorted((*journal.events, *events), key=lambda event: event.at_s)))


def verdicts(judged: RunJudgement) -> dict[str, str]:
    return {objective.name: objective.verdict for objective in judged.objectives}


# -- one rare operation in two hundred never works again: 99.5 % are good, in every window


def test_a_rare_operation_that_is_down_keeps_the_service_from_being_back() -> None:
    journal = every(200, play(Script(ended_s=80.0)), outcome="unknown")
    judged = judge(journal, DrillObjectives(rto_s=5.0), METHOD)
    assert verdicts(judged) == {"rto": "fail"}
    assert judged.figures.past_deadline
    assert judge(journal, DrillObjectives(rto_s=5.0), Method(deadline_s=90.0)).figures.rto_at_least_s == 68.0
    assert any(note.startswith(f"{RARE} was down to the end") for note in judged.figures.notes)
    assert verdicts(judge(every(200, play(Script(ended_s=80.0))), DrillObjectives(rto_s=5.0), METHOD)) == {
        "rto": "pass"
    }


def test_the_service_is_back_when_its_rarest_operation_is() -> None:
    down = every(100, play(Script(ended_s=80.0)), outcome="unknown")
    back = [
        msgspec.structs.replace(o, outcome="ok") if o.kind == RARE and o.scheduled_s >= 30.0 else o
        for o in down.operations
    ]
    judged = judge(replace(down, operations=tuple(back)), DrillObjectives(rto_s=15.0), METHOD)
    assert judged.figures.rto_s == pytest.approx(18.0)
    assert judged.figures.only_after_fault
    assert verdicts(judged) == {"rto": "inconclusive"}


KINDS = st.lists(st.tuples(st.sampled_from("aab"), st.booleans()), min_size=1, max_size=60)


@given(KINDS, st.sampled_from([0.5, 1.0, 2.0]))
def test_downtimes_agree_with_the_definition_taken_literally(told: list[tuple[str, bool]], window_s: float) -> None:
    due = [number / 10 for number in range(len(told))]
    end_s = len(told) / 10
    samples = Samples(scheduled_s=due, ended_s=due, good=[good for _, good in told], kind=[kind for kind, _ in told])
    expected: dict[str, float | None] = {}
    for kind in {kind for kind, _ in told}:
        own = [(at_s, good) for at_s, (k, good) in zip(due, told, strict=True) if k == kind]
        for first in range(len(own)):
            for last in range(first + DOWN_IN_A_ROW, len(own) + 1):
                row = own[first:last]
                if any(good for _, good in row) or (last < len(own) and not own[last][1]):
                    continue
                until_s = own[last][0] if last < len(own) else end_s
                if until_s - row[0][0] >= window_s and (first == 0 or own[first - 1][1]):
                    expected[kind] = own[last][0] if last < len(own) else None
    assert downtimes(samples, 0, len(told), end_s=end_s, window_s=window_s) == expected


@pytest.mark.parametrize(
    ("bad_s", "good_s", "end_s", "found"),
    [
        ((10.0, 11.0, 12.0), (13.0,), 20.0, {"k": 13.0}),  # three in a row, over a window exactly
        ((10.0, 11.0, 12.0), (12.9,), 20.0, {}),
        ((10.0, 12.0), (19.0,), 20.0, {}),  # two are chance
        ((10.0, 11.0, 12.0), (), 13.0, {"k": None}),
        ((10.0, 11.0, 12.0), (), 12.9, {}),
        ((10.0, 12.0), (), 20.0, {}),
        ((11.5, 12.0, 12.5), (), 13.0, {}),
    ],
)
def test_down_is_three_in_a_row_over_a_window(
    bad_s: tuple[float, ...], good_s: tuple[float, ...], end_s: float, found: dict[str, float | None]
) -> None:
    due = [*bad_s, *good_s]
    good = [False] * len(bad_s) + [True] * len(good_s)
    samples = Samples(scheduled_s=due, ended_s=due, good=good, kind=["k"] * len(due))
    assert downtimes(samples, 0, len(due), end_s=end_s, window_s=3.0) == found


@given(st.lists(st.booleans(), min_size=150, max_size=150))
def test_of_one_kind_alone_the_ratio_has_said_everything(good: list[bool]) -> None:
    due = [number / 10 for number in range(150)]
    method = Method(window_s=2.0, hold_s=4.0, deadline_s=20.0, theta=0.9)
    told = [
        recovery(Samples(scheduled_s=due, ended_s=due, good=good, kind=kind), fault_s=5.0, end_s=15.0, method=method)
        for kind in ((), ["only"] * 150)
    ]
    assert (told[0].felt, told[0].rto_s) == (told[1].felt, told[1].rto_s)


# -- effects that belong to nothing, writes that are neither there nor not


def test_an_effect_that_belongs_to_nothing_is_a_phantom() -> None:
    stray = Event(at_s=41.0, name=STRAY_EFFECT, detail={"key": "o-1", "detail": "one of charges"})
    judged = judge(also(play(Script()), stray), DrillObjectives(phantom=0), METHOD)
    assert (verdicts(judged), judged.figures.phantom) == ({"phantom": "fail"}, 1)
    assert [(f.kind, f.key, f.detail) for f in judged.figures.findings] == [("stray", "o-1", "one of charges")]


def reading(journal: Journal, number: int, **changed: object) -> Journal:
    """Both passes over the `number`-th key say something else."""
    key = journal.readings[number].key
    return replace(
        journal,
        readings=tuple(msgspec.structs.replace(r, **changed) if r.key == key else r for r in journal.readings),
    )


def test_what_was_begun_without_an_answer_must_end() -> None:
    journal = play(Script())
    first = msgspec.structs.replace(journal.operations[0], outcome="unknown")
    begun = replace(journal, operations=(first, *journal.operations[1:]))
    asked = DrillObjectives(unfulfilled=0)
    assert verdicts(judge(begun, asked, METHOD)) == {"unfulfilled": "pass"}
    judged = judge(reading(begun, 0, settled=False), asked, METHOD)
    assert (verdicts(judged), judged.figures.unfulfilled) == ({"unfulfilled": "fail"}, 1)
    assert judged.figures.findings[0].kind == "partial"
    assert verdicts(judge(reading(begun, 0, present=False, effects=0), asked, METHOD)) == {"unfulfilled": "pass"}


def test_what_holds_something_else_is_not_what_was_written() -> None:
    other = reading(play(Script()), 0, present=False, effects=0, fields={"differs": "customer is 'a'"})
    judged = judge(other, DrillObjectives(lost=0), METHOD)
    assert verdicts(judged) == {"lost": "fail"}
    assert judged.figures.findings[0].detail == "acknowledged and absent, differs customer is 'a'"


def test_a_key_that_nobody_sent_is_a_phantom() -> None:
    journal = play(Script())
    invented = [Reading(at_s=41.0 + n, pass_number=n, key="order-x", present=True, effects=1) for n in (1, 2)]
    judged = judge(
        replace(journal, readings=(*journal.readings, *invented)), DrillObjectives(phantom=0, duplicates=0), METHOD
    )
    assert verdicts(judged) == {"phantom": "fail", "duplicates": "pass"}
    assert judged.figures.findings[0].detail == "present, and nobody sent it, 1 effects"


def test_an_answer_about_something_else_is_told_with_its_instant() -> None:
    journal = play(Script())
    wrong = msgspec.structs.replace(journal.operations[601], valid=False, detail='{"id": "b"}')
    judged = judge(
        replace(journal, operations=(*journal.operations[:601], wrong, *journal.operations[602:])),
        DrillObjectives(wrong=0),
        METHOD,
    )
    assert (verdicts(judged), judged.figures.wrong) == ({"wrong": "fail"}, 1)
    (finding,) = judged.figures.findings
    assert (finding.kind, finding.key, finding.detail) == ("wrong", "read_order 601", 'answered {"id": "b"}')
    assert finding.at_s == pytest.approx(wrong.ended_s, abs=1e-5)
    assert verdicts(judge(journal, DrillObjectives(wrong=0), METHOD)) == {"wrong": "pass"}


# -- what may still come


def test_no_duplicate_yet_is_none_only_once_the_queues_are_empty() -> None:
    waiting = Event(at_s=41.0, name=QUEUES_WAITING, detail={"messages": 3})
    asked = DrillObjectives(duplicates=0, lost=0)
    judged = judge(also(play(Script()), waiting), asked, METHOD)
    assert verdicts(judged) == {"duplicates": "inconclusive", "lost": "pass"}
    assert judged.objectives[1].reason.startswith("3 messages were still under way") or judged.objectives[
        0
    ].reason.startswith("3 messages were still under way")
    twice = play(Script(double_keys=frozenset({"order-00000"})))
    assert verdicts(judge(also(twice, waiting), asked, METHOD))["duplicates"] == "fail"


@pytest.mark.parametrize(
    ("lasts_s", "healed_s", "verdict"),
    [
        (12.5, 24.0, "pass"),
        (13.5, 24.0, "pass"),
        (13.8, 24.0, "pass"),
        (14.0, 24.0, "inconclusive"),
        (9.5, 20.0, "pass"),
        (9.6, 20.0, "inconclusive"),
    ],
)
def test_a_fault_counts_when_it_was_in_force_as_long_as_it_should(
    lasts_s: float, healed_s: float, verdict: str
) -> None:
    """From the experiment's start, at 11.5 s; looks may be off by a tenth, or by a second."""
    journal = play(Script(healed_s=healed_s))
    events = tuple(
        msgspec.structs.replace(e, detail={**e.detail, "lasts_s": lasts_s}) if e.name == EXPERIMENT_STARTED else e
        for e in journal.events
    )
    assert judge(replace(journal, events=events), DrillObjectives(rto_s=5.0), METHOD).verdict == verdict
