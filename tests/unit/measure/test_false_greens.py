"""The false-green battery: each way in which a drill could be green without having proven anything.

Every row starts from a journal that passes. docs/false-greens.md has the same table for people; a test holds the two
together.
"""

import re
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from harness.measure import clocks
from harness.measure.journal import (
    ALARM,
    ALARMS_WATCHED,
    CHECK_FAILED,
    CLOCK,
    DRILL_STARTED,
    EVIDENCE,
    EXPERIMENT_STARTED,
    FAULT_FIRED,
    VERIFICATION_ENDED,
    WORKLOAD,
    Event,
    Journal,
    JournalWriter,
    read_journal,
)
from harness.measure.method import Method
from harness.measure.objectives import DrillObjectives
from harness.measure.scripted import Outage, Script, play, records_of
from harness.measure.verdict import RunJudgement, judge

OBJECTIVES = DrillObjectives(rto_s=5.0, rpo_s=0.0, availability=0.9, lost=0, duplicates=0, detect_s=10.0)
ALARMS = (
    Event(at_s=0.5, name=ALARMS_WATCHED, detail={"names": ["errors"], "missing": []}),
    Event(at_s=14.0, name=ALARM, detail={"alarm": "errors", "state": "ALARM"}),
)
FIRED = Event(at_s=12.0, name=FAULT_FIRED, detail={"function": "fulfil"})
CLOCKS = tuple(Event(at_s=at_s, name=CLOCK, detail={"wall_s": 1.8e9 + at_s}) for at_s in (0.0, 11.0, 40.0))
USED = Event(at_s=11.0, name=WORKLOAD, detail={"functions": ["place", "fulfil"]})
GOOD = Script(outages=(Outage(start_s=12.0, end_s=15.0),), extra=(*ALARMS, *CLOCKS, USED))


def verdict(journal: Journal) -> RunJudgement:
    return judge(journal, OBJECTIVES, Method())


def without(journal: Journal, *names: str) -> Journal:
    return replace(journal, events=tuple(event for event in journal.events if event.name not in names))


def also(journal: Journal, *events: Event) -> Journal:
    return replace(journal, events=tuple(sorted((*journal.events, *events), key=lambda event: event.at_s)))


def shifted(journal: Journal, name: str, by_s: float) -> Journal:
    moved = [msgspec.structs.replace(e, at_s=e.at_s + by_s) if e.name == name else e for e in journal.events]
    return replace(journal, events=tuple(sorted(moved, key=lambda event: event.at_s)))


def test_the_journal_that_every_row_spoils_is_green() -> None:
    judged = verdict(also(without(play(GOOD), FAULT_FIRED), FIRED))
    assert (judged.verdict, judged.figures.doubts) == ("pass", [])


Row = tuple[str, Callable[[Journal], Journal], str]


def _late_prober(journal: Journal) -> Journal:
    late = [
        msgspec.structs.replace(o, started_s=o.started_s + 1.5, ended_s=o.ended_s + 1.5) for o in journal.operations
    ]
    return replace(journal, operations=tuple(late))


def _backwards(journal: Journal) -> Journal:
    first, *rest = journal.operations
    return replace(journal, operations=(msgspec.structs.replace(first, ended_s=first.ended_s - 9.0), *rest))


def _rare_one_down(journal: Journal) -> Journal:
    """One of two hundred is bad from the beginning: 99.5 % are good."""
    bad = {"kind": "cancel_order", "outcome": "fail", "write": False}
    told = [o if o.id % 200 else msgspec.structs.replace(o, **bad) for o in journal.operations]
    return replace(journal, operations=tuple(told))


_LONG = {"experiment_id": "EXPlong", "lasts_s": 60.0}

ROWS: list[Row] = [
    ("no proof of injection", lambda j: without(j, EVIDENCE, FAULT_FIRED), "no evidence that the fault was injected"),
    (
        "fault never fires",
        lambda j: also(without(j, EVIDENCE, FAULT_FIRED), Event(at_s=40.0, name=EVIDENCE, detail={"fired": 0})),
        "never fired on anything",
    ),
    (
        "fault fires on nothing the workload uses",
        lambda j: also(without(j, FAULT_FIRED), Event(at_s=12.0, name=FAULT_FIRED, detail={"function": "report"})),
        "fired only on report, which the workload does not use",
    ),
    (
        "fault fires before the baseline has ended",
        lambda j: also(j, Event(at_s=5.0, name=FAULT_FIRED, detail={"function": "place"})),
        "before the baseline had ended",
    ),
    ("prober dies after the fault", lambda j: replace(j, operations=j.operations[:800]), "prober sent nothing"),
    ("prober dies before the fault", lambda j: replace(j, operations=j.operations[:400]), "prober sent nothing"),
    ("prober is late itself", _late_prober, "prober itself was late"),
    ("zero traffic", lambda j: replace(j, operations=(), readings=()), "no operation ran during the baseline"),
    (
        "no write among the traffic",
        lambda j: replace(j, operations=tuple(o for o in j.operations if not o.write), readings=()),
        "no write was acknowledged",
    ),
    ("nothing verified", lambda j: without(j, VERIFICATION_ENDED), "the writes were not verified"),
    ("read back once only", lambda j: replace(j, readings=j.readings[: len(j.readings) // 2]), "not read back twice"),
    (
        "a check could not run",
        lambda j: also(j, Event(at_s=41.0, name=CHECK_FAILED, detail={"check": "prober", "error": "exit 1"})),
        "check 'prober' failed to run",
    ),
    ("phases out of order", lambda j: shifted(j, "baseline_ended", -12.0), "the clock jumped"),
    ("operation ends before it begins", _backwards, "the clock jumped"),
    (
        "machine sleeps",
        lambda j: also(j, Event(at_s=39.0, name=CLOCK, detail={"wall_s": 1.8e9 + 99.0})),
        "wall clock moved by 60.0 s",
    ),
    ("no alarm exists", lambda j: _watched(j, []), "no alarm that could have told"),
    ("named alarm is missing", lambda j: _watched(j, ["errors"], "erors"), "alarm erors does not exist"),
    ("nobody watched the alarms", lambda j: without(j, ALARMS_WATCHED), "nobody watched"),
    (
        "alarm was on before",
        lambda j: also(j, Event(at_s=3.0, name=ALARM, detail={"alarm": "errors", "state": "ALARM"})),
        "in ALARM before the fault",
    ),
    ("one rare operation is down before the fault", _rare_one_down, "cancel_order was down, though so rare"),
    (
        "fault healed before its time",
        lambda j: also(without(j, EXPERIMENT_STARTED), Event(at_s=11.5, name=EXPERIMENT_STARTED, detail=_LONG)),
        "the fault was ended after 12.5 s of 60 s",
    ),
    (
        "two drills in one journal",
        lambda j: also(j, Event(at_s=1.0, name=DRILL_STARTED, detail={"drill": "another"})),
        "the journal holds 2 drills",
    ),
    ("rollback never checked", lambda j: without(j, "rollback"), "rollback"),
    ("baseline missing", lambda j: without(j, "baseline_ended"), "no baseline"),
]


def _watched(journal: Journal, names: list[str], *missing: str) -> Journal:
    event = Event(at_s=0.5, name=ALARMS_WATCHED, detail={"names": names, "missing": list(missing)})
    return also(without(journal, ALARMS_WATCHED), event)


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_a_drill_that_proves_nothing_is_inconclusive(row: Row) -> None:
    _, spoil, reason = row
    judged = verdict(spoil(also(without(play(GOOD), FAULT_FIRED), FIRED)))
    assert judged.verdict == "inconclusive"
    assert any(reason in doubt for doubt in judged.figures.doubts), judged.figures.doubts


@pytest.mark.parametrize(
    "checker", ["data.compare", "taking.recovery", "data.loss", "service.availability", "data.staleness"]
)
def test_a_checker_that_raises_never_passes(checker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(f"harness.measure.{checker}", broken)
    judged = judge(play(GOOD), replace(OBJECTIVES, staleness_s=9.0), Method())
    assert judged.verdict == "inconclusive"
    assert any("checker raised ZeroDivisionError" in doubt for doubt in judged.figures.doubts)


@pytest.mark.parametrize("keep", [0.3, 0.6, 0.9, 0.999])
@pytest.mark.parametrize("within_a_record", [True, False])
def test_a_truncated_journal_is_inconclusive(tmp_path: Path, keep: float, within_a_record: bool) -> None:
    path = tmp_path / "journal.jsonl"
    with JournalWriter(path) as writer:
        for record in records_of(play(GOOD)):
            writer.append(record)
    content = path.read_bytes()
    end = content.rindex(b"\n", 0, int(len(content) * keep)) + 1
    path.write_bytes(content[: end + (17 if within_a_record else 0)])
    judged = verdict(read_journal(path))
    assert judged.verdict == "inconclusive"
    assert re.search("cut off|damaged", judged.figures.doubts[0])


def test_setting_the_wall_clock_by_less_than_a_step_changes_nothing() -> None:
    slewed = Event(at_s=39.0, name=CLOCK, detail={"wall_s": 1.8e9 + 39.0 + clocks.LARGEST_STEP_S - 0.1})
    assert verdict(also(play(GOOD), slewed)).verdict == "pass"


def test_the_page_lists_exactly_these_rows() -> None:
    page = (Path(__file__).parents[3] / "docs" / "false-greens.md").read_text()
    told = set(re.findall(r"^\| ([^|]+?) \|.*`test_false_greens`", page, flags=re.MULTILINE))
    assert told == {row[0] for row in ROWS}


def test_every_test_and_animal_that_the_page_names_exists() -> None:
    root = Path(__file__).parents[3]
    animals = root / "tests" / "zoo" / "animals.toml"
    if not animals.exists():
        pytest.skip("a copy that `make mutate` works on has not all tests")
    page = (root / "docs" / "false-greens.md").read_text()
    sources = "\n".join(path.read_text() for path in (root / "tests").rglob("test_*.py"))
    named = set(re.findall(r"`(test_\w+)`", page)) - {Path(__file__).stem}
    assert {name for name in named if f"def {name}(" not in sources} == set()
    assert set(re.findall(r"zoo `([a-z-]+)`", page)) <= tomllib.loads(animals.read_text()).keys()
