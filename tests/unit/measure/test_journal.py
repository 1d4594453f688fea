"""The journal survives what a drill does to it: two writers, a kill in the middle of a line, a full disk."""

from pathlib import Path

import pytest

from harness.errors import NotReadyError
from harness.measure.journal import DRILL_ENDED, Event, JournalWriter, Operation, Reading, read_journal


def _operation(number: int) -> Operation:
    return Operation(
        id=number,
        kind="place",
        key=f"k{number}",
        scheduled_s=number / 50,
        started_s=number / 50,
        ended_s=number / 50 + 0.01,
        outcome="ok",
        write=True,
        sequence=number,
    )


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "journal.jsonl"
    records = [
        _operation(1),
        Event(at_s=2.0, name="power_lost", detail={"zone": "use1-az2", "left": [1, None]}),
        Reading(
            at_s=3.0, pass_number=1, key="k1", present=True, effects=1, settled=True, fields={"status": "PLACED"}
        ),
        Event(at_s=4.0, name=DRILL_ENDED),
    ]
    with JournalWriter(path) as writer:
        for record in records:
            writer.append(record)
    journal = read_journal(path)
    assert journal.complete
    assert journal.operations == (records[0],)
    assert journal.events == (records[1], records[3])
    assert journal.readings == (records[2],)


def test_an_event_is_on_disk_at_once_with_everything_before_it(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    writer = JournalWriter(path)
    writer.append(_operation(1))
    assert path.read_bytes() == b""
    writer.event("power_lost", 2.0)
    assert len(path.read_bytes().splitlines()) == 2
    writer.close()
    writer.close()


def test_two_writers_share_a_file_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with JournalWriter(path) as prober, JournalWriter(path) as drill:
        for number in range(2000):
            prober.append(_operation(number))
            if number % 100 == 0:
                drill.event("tick", number / 50)
        prober.flush()
        drill.event(DRILL_ENDED, 41.0)
    journal = read_journal(path)
    assert journal.complete
    assert (len(journal.operations), len(journal.events)) == (2000, 21)


def test_operations_are_sorted_by_their_scheduled_instant(tmp_path: Path) -> None:
    with JournalWriter(tmp_path / "j") as writer:
        for number in (3, 1, 2):
            writer.append(_operation(number))
    assert [operation.id for operation in read_journal(tmp_path / "j").operations] == [1, 2, 3]


def test_a_journal_without_its_end_is_not_complete(tmp_path: Path) -> None:
    with JournalWriter(tmp_path / "j") as writer:
        writer.append(_operation(1))
    journal = read_journal(tmp_path / "j")
    assert not journal.complete
    assert "no end" in journal.flaw


@pytest.mark.parametrize("cut", [1, 2, 20])
def test_a_cut_line_is_dropped_and_told(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "j"
    with JournalWriter(path) as writer:
        writer.append(_operation(1))
        writer.event(DRILL_ENDED, 4.0)
        writer.append(_operation(2))
    path.write_bytes(path.read_bytes()[:-cut])
    journal = read_journal(path)
    assert not journal.complete
    assert journal.flaw
    assert journal.operations[0].id == 1


@pytest.mark.parametrize("line", [b"not json", b'{"record":"operation","id":1}', b'{"record":"verdict"}', b"[]"])
def test_a_damaged_line_in_the_middle_is_told_by_its_number(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "j"
    with JournalWriter(path) as writer:
        writer.event("drill_started", 0.0)
    with path.open("ab") as file:
        file.write(line + b"\n")
    with JournalWriter(path) as writer:
        writer.event(DRILL_ENDED, 4.0)
    journal = read_journal(path)
    assert not journal.complete
    assert "line 2" in journal.flaw
    assert len(journal.events) == 2


def test_no_journal_is_an_error_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(NotReadyError, match="cannot read the journal"):
        read_journal(tmp_path / "absent")


def test_a_full_disk_is_an_error_that_says_so() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    writer = JournalWriter(full)
    with pytest.raises(NotReadyError, match="cannot write the journal"):
        writer.event("drill_started", 0.0)


def test_the_detail_of_an_event_may_have_any_names(tmp_path: Path) -> None:
    with JournalWriter(tmp_path / "j") as writer:
        writer.event("cloud_event", 1.0, name="orders", at_s=3, detail={})
    assert read_journal(tmp_path / "j").events[0].detail == {"name": "orders", "at_s": 3, "detail": {}}
