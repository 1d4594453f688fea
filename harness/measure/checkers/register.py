"""A register: reads return something that was written, and the end is a last write.

Holds for eventually consistent reads too; for strongly consistent ones `linearizable` asks more. Values must differ
from each other, so that a read tells which write it saw.

Source: Lamport, "On interprocess communication", 1986 (regular registers).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from harness.measure.checkers.calls import Call, Value, by_key
from harness.measure.finding import Finding


def check_register(
    calls: Iterable[Call], final: Mapping[str, Value], *, initial: Mapping[str, Value] | None = None
) -> list[Finding]:
    """Findings `phantom read` and `lost update`. `final` is what each key held after everything had ended."""
    found = []
    for key, history in by_key(calls).items():
        first = (initial or {}).get(key)
        writes = [call for call in history if call.action == "write"]
        for read in history:
            if read.action == "read" and read.outcome == "ok" and not _was_written(read, writes, first):
                detail = f"read {read.value!r}, which nobody had written"
                found.append(Finding(kind="phantom read", key=key, at_s=read.ended_s, detail=detail))
        if key in final:
            found += _lost(key, writes, first, final[key])
    return found


def _was_written(read: Call, writes: Sequence[Call], first: Value) -> bool:
    return read.value == first or any(
        w.value == read.value and w.possible and w.started_s <= read.ended_s for w in writes
    )


def _lost(key: str, writes: Sequence[Call], first: Value, final: Value) -> list[Finding]:
    """The end must be a write that no acknowledged one certainly followed, or the beginning when there was none."""
    acked = [write for write in writes if write.outcome == "ok"]
    last = max(acked, key=lambda write: write.started_s, default=None)
    if last is None:
        allowed = {first, *(write.value for write in writes if write.possible)}
    else:
        allowed = {write.value for write in writes if write.possible and not _overwritten(write, acked)}
    if final in allowed:
        return []
    at_s = None if last is None else last.ended_s
    held = "nothing" if final is None else repr(final)
    expected = f"acknowledged {last.value!r}" if last is not None else "no acknowledged write"
    return [Finding(kind="lost update", key=key, at_s=at_s, detail=f"{expected}, and the end was {held}")]


def _overwritten(write: Call, acked: Iterable[Call]) -> bool:
    """An unknown write may take effect at any time after it began, so nothing certainly follows it."""
    return write.outcome == "ok" and any(later.started_s > write.ended_s for later in acked)
