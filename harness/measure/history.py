"""What became of every write: lost, phantom, duplicate, unknown, unfulfilled, and holes in the order.

Each write carries a key of its own, so that nothing legally overwrites or deletes it. Several operations
with one key are attempts at the same write (a retry with the same idempotency key): one acknowledgement is
enough to make it acknowledged.

Source: the set-full checker of Jepsen, https://jepsen-io.github.io/jepsen/jepsen.checker.html#var-set-full
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from harness.measure.journal import Operation, Outcome, Reading

PASSES = 2
"""Verification reads every key this often; the reads must agree."""

_EXAMPLES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
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
    of which `unknown_applied` are present.
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
    surplus = {key: reading.effects - 1 for key, reading in found.items() if reading.effects and reading.effects > 1}
    newest = max((w.sequence for w in acked if w.key in present and w.sequence is not None), default=-1)
    return History(
        acked=acked,
        lost=lost,
        phantom=tuple(w.key for w in writes.values() if w.outcome == "fail" and w.key in present),
        duplicates=sum(surplus.values()),
        duplicated=tuple(surplus),
        unfulfilled=tuple(w.key for w in acked if w.key in present and _unfulfilled(found[w.key])),
        holes=tuple(write.key for write in lost if write.sequence is not None and write.sequence < newest),
        unknown=len(unknown),
        unknown_applied=sum(key in present for key in unknown),
    )


def last_pass(readings: Iterable[Reading]) -> dict[str, Reading]:
    """The reading of each key in the last pass over it."""
    found: dict[str, Reading] = {}
    for reading in readings:
        known = found.get(reading.key)
        if known is None or reading.pass_number >= known.pass_number:
            found[reading.key] = reading
    return found


def unreadable(writes: Mapping[str, Write], readings: Sequence[Reading]) -> str:
    """Why the readings prove nothing, or '' when they do.

    Every key must have been read in at least two passes, and the last two must agree.
    """
    by_key: dict[str, dict[int, Reading]] = {}
    for reading in readings:
        by_key.setdefault(reading.key, {})[reading.pass_number] = reading
    unread = [key for key in writes if len(by_key.get(key, {})) < PASSES]
    if unread:
        return f"{len(unread)} of {len(writes)} written keys were not read back twice, {_examples(unread)}"
    moving = [key for key, passes in by_key.items() if not _agree(passes)]
    if moving:
        return f"two verification passes disagree on {len(moving)} keys, {_examples(moving)}"
    return ""


def _agree(passes: Mapping[int, Reading]) -> bool:
    states = [
        (passes[number].present, passes[number].effects, passes[number].settled)
        for number in sorted(passes)[-PASSES:]
    ]
    return len(set(states)) == 1


def _outweighs(operation: Operation, known: Write) -> bool:
    order = {"fail": 0, "unknown": 1, "ok": 2}
    if operation.outcome == "ok" and known.acked_s is not None:
        return operation.ended_s < known.acked_s
    return order[operation.outcome] > order[known.outcome]


def _unfulfilled(reading: Reading) -> bool:
    return reading.settled is False or reading.effects == 0


def _examples(keys: Sequence[str]) -> str:
    shown = ", ".join(keys[:_EXAMPLES])
    return f"for example {shown}"
