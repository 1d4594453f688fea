"""What became of every write: lost, phantom, duplicate, unknown, unfulfilled, and holes in the order.

Each write carries a key of its own, so that nothing legally overwrites or deletes it. Several operations
with one key are attempts at the same write (a retry with the same idempotency key): one acknowledgement is
enough to make it acknowledged.

Source: the set-full checker of Jepsen, https://jepsen-io.github.io/jepsen/jepsen.checker.html#var-set-full
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from harness.measure.journal import Operation, Outcome, Reading

_EXAMPLES = 3


class Write(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One key as its writer knows it. `acked_s` is when the first acknowledgement came, None without one."""

    key: str
    outcome: Outcome
    acked_s: float | None
    sequence: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The writes of a drill compared with what was read back.

    `lost`: acknowledged, absent. `phantom`: certainly not applied, present. `duplicates`: effects beyond the
    first, over all keys. `unfulfilled`: acknowledged, present, and its final state or effect never came.
    `holes`: lost although a write with a later sequence number survived. `unknown`: never answered clearly,
    of which `unknown_applied` are present and `partial` neither absent nor whole: their end never came.
    """

    acked: tuple[Write, ...]
    lost: tuple[Write, ...]
    phantom: tuple[str, ...]
    duplicates: int
    duplicated: tuple[str, ...]
    unfulfilled: tuple[str, ...]
    holes: tuple[str, ...]
    unknown: int
    unknown_applied: int
    partial: tuple[str, ...] = ()


def writes_of(operations: Iterable[Operation]) -> dict[str, Write]:
    """The writes by key. An acknowledged attempt outweighs an unknown one, and that a failed one."""
    writes: dict[str, Write] = {}
    for operation in operations:
        if not operation.write or not operation.key:
            continue
        known = writes.get(operation.key)
        if known is None or _outweighs(operation, known):
            writes[operation.key] = Write(
                key=operation.key,
                outcome=operation.outcome,
                acked_s=operation.ended_s if operation.outcome == "ok" else None,
                sequence=operation.sequence,
            )
    return writes


def compare(writes: Mapping[str, Write], found: Mapping[str, Reading]) -> History:
    """Compare the writes with the last reading of each key; a key that was never read counts as absent.

    Call `unreadable` first: it tells whether the readings can be trusted at all.
    """
    acked = tuple(write for write in writes.values() if write.outcome == "ok")
    present = {key for key, reading in found.items() if reading.present}
    lost = tuple(write for write in acked if write.key not in present)
    unknown = [write.key for write in writes.values() if write.outcome == "unknown"]
    applied = [key for key in unknown if key in present]
    surplus = {key: reading.effects - 1 for key, reading in found.items() if reading.effects and reading.effects > 1}
    newest = max((w.sequence for w in acked if w.key in present and w.sequence is not None), default=-1)
    return History(
        acked=acked,
        lost=lost,
        phantom=(
            *(w.key for w in writes.values() if w.outcome == "fail" and w.key in present),
            *(key for key in found if key in present and key not in writes),
        ),
        duplicates=sum(surplus.values()),
        duplicated=tuple(surplus),
        unfulfilled=tuple(w.key for w in acked if w.key in present and _unfulfilled(found[w.key])),
        holes=tuple(write.key for write in lost if write.sequence is not None and write.sequence < newest),
        unknown=len(unknown),
        unknown_applied=len(applied),
        partial=tuple(key for key in applied if _unfulfilled(found[key])),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Passes:
    """The reading of each key in the last pass over it, and in the pass before that."""

    last: Mapping[str, Reading]
    before: Mapping[str, Reading]


def passes_of(readings: Iterable[Reading]) -> Passes:
    """The last two passes over each key; of two readings in one pass the later one counts."""
    last: dict[str, Reading] = {}
    before: dict[str, Reading] = {}
    for reading in readings:
        key, newest = reading.key, last.get(reading.key)
        if newest is None or reading.pass_number >= newest.pass_number:
            if newest is not None and reading.pass_number > newest.pass_number:
                before[key] = newest
            last[key] = reading
        elif key not in before or reading.pass_number >= before[key].pass_number:
            before[key] = reading
    return Passes(last=last, before=before)


def unreadable(writes: Mapping[str, Write], passes: Passes) -> str:
    """Why the readings prove nothing, or '' when they do.

    Every key must have been read in at least two passes, and the last two must agree.
    """
    unread = [key for key in writes if key not in passes.before]
    if unread:
        return f"{len(unread)} of {len(writes)} written keys were not read back twice, {_examples(unread)}"
    moving = [key for key, before in passes.before.items() if not _agree(before, passes.last[key])]
    if moving:
        return f"two verification passes disagree on {len(moving)} keys, {_examples(moving)}"
    return ""


def _agree(one: Reading, other: Reading) -> bool:
    return (one.present, one.effects, one.fewest, one.settled) == (
        other.present,
        other.effects,
        other.fewest,
        other.settled,
    )


def _outweighs(operation: Operation, known: Write) -> bool:
    order = {"fail": 0, "unknown": 1, "ok": 2}
    if operation.outcome == "ok" and known.acked_s is not None:
        return operation.ended_s < known.acked_s
    return order[operation.outcome] > order[known.outcome]


def _unfulfilled(reading: Reading) -> bool:
    return reading.settled is False or reading.effects == 0 or reading.fewest == 0


def _examples(keys: Sequence[str]) -> str:
    shown = ", ".join(keys[:_EXAMPLES])
    return f"for example {shown}"
