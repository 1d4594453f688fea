"""Looking at a replica: what was acknowledged last has its time to come too."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chaos import replica_watch
from chaos.replica_watch import ReplicaWatch
from harness.measure.journal import JournalWriter, read_journal
from harness.measure.staleness import looks_of


class Clock:
    """Moves when somebody sleeps."""

    at_s = 100.0

    def now_s(self) -> float:
        return self.at_s

    def pass_by(self, duration_s: float) -> None:
        self.at_s += duration_s

    async def sleep(self, duration_s: float) -> None:
        raise NotImplementedError


class Replica:
    """A DynamoDB client whose table holds each key from an instant on."""

    def __init__(self, clock: Clock, **from_s: float) -> None:
        self.clock, self.from_s = clock, from_s

    def get_paginator(self, _operation: str) -> Any:
        return self

    def paginate(self, **_asked: Any) -> Iterator[dict[str, Any]]:
        yield {"Items": [{"key": {"S": key}} for key, at_s in self.from_s.items() if at_s <= self.clock.at_s]}


@pytest.mark.parametrize(
    ("within_s", "seen", "ended_s"),
    [(10.0, {"a", "b"}, 102.2), (1.5, {"a"}, 101.6)],
    ids=["all came", "too late"],
)
def test_it_looks_on_until_the_last_write_was_seen_or_is_too_late(
    within_s: float, seen: set[str], ended_s: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(replica_watch.time, "sleep", clock.pass_by)
    with JournalWriter(tmp_path / "journal.jsonl") as journal:
        watch = ReplicaWatch(
            client=Replica(clock, a=99.0, b=101.5), table="t", key="key", journal=journal, clock=clock
        )
        watch.look_for(["a", "b"], patient=lambda: clock.at_s < 100.0 + within_s)
    looks = looks_of(read_journal(tmp_path / "journal.jsonl"))
    assert frozenset().union(*(look.keys for look in looks)) == seen
    assert clock.at_s == pytest.approx(ended_s)
