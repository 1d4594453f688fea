"""The keys and instants behind the counts of a history: what a person looks up first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from harness.measure.finding import MOST_FINDINGS, Finding
from harness.measure.history import History, Write
from harness.measure.journal import Reading


def findings_of(
    history: History, writes: Mapping[str, Write], found: Mapping[str, Reading], *, started_s: float
) -> list[Finding]:
    """At most `MOST_FINDINGS` of each kind; `at_s` is when it was acknowledged, in the drill."""

    def told(kind: str, keys: Iterable[str], say: str = "") -> Iterator[Finding]:
        for key in islice(keys, MOST_FINDINGS):
            write = writes.get(key)
            acked_s = write.acked_s if write is not None else None
            detail = ", ".join(filter(None, (say, _seen(found.get(key)))))
            yield Finding(
                kind=kind, key=key, at_s=None if acked_s is None else round(acked_s - started_s, 6), detail=detail
            )

    return [
        *told("lost", (write.key for write in history.lost), "acknowledged and absent"),
        *told("phantom", (key for key in history.phantom if key in writes), "certainly not applied and present"),
        *told("phantom", (key for key in history.phantom if key not in writes), "present, and nobody sent it"),
        *told("duplicate", history.duplicated),
        *told("unfulfilled", history.unfulfilled, "acknowledged, and its end never came"),
        *told("partial", history.partial, "begun without an answer, and its end never came"),
        *told("hole", history.holes, "lost although a later write survived"),
    ]


def _seen(reading: Reading | None) -> str:
    """What the last pass saw of the key, for people."""
    if reading is None or not (reading.present or reading.fields):
        return ""
    if not reading.fields:
        return "" if reading.effects is None else f"{reading.effects} effects"
    return ", ".join(f"{name} {value}" for name, value in reading.fields.items())
