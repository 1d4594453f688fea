"""What became of the data: every write, whether it was lost, and how late it came to a replica.

Mappings that are returned have field names of `DrillRunFigures`; their values are `Any` because they differ by field.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.measure.doubts import Doubts
from harness.measure.effects import Effects
from harness.measure.evidence import findings_of
from harness.measure.finding import MOST_FINDINGS, Finding
from harness.measure.history import History, Write, compare, passes_of, unreadable, writes_of
from harness.measure.journal import VERIFICATION_ENDED, Journal
from harness.measure.loss import Loss, loss
from harness.measure.method import Method
from harness.measure.phases import Phases, since
from harness.measure.staleness import Staleness, looks_of, staleness
from harness.measure.statistics import finite


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """Every write by its key, what was read back of them all, and what is wrong with it."""

    writes: dict[str, Write]
    history: History
    findings: list[Finding]


def data_of(doubts: Doubts, journal: Journal, phases: Phases) -> Data:
    """What the journal tells of the data; what nobody looked for leaves a doubt."""
    writes = writes_of(journal.operations)
    passes = passes_of(journal.readings)
    history = compare(writes, passes.last)
    if journal.first(VERIFICATION_ENDED) is None:
        doubts.add("data", "the writes were not verified")
    elif not history.acked:
        doubts.add("data", "no write was acknowledged, so none could be lost")
    else:
        doubts.add("data", unreadable(writes, passes))
    verified = journal.first(VERIFICATION_ENDED) is not None  # what nobody looked for is not missing
    findings = findings_of(history, writes, passes.last, started_s=phases.started_s) if verified else []
    return Data(writes=writes, history=history, findings=findings)


def loss_in(phases: Phases, data: Data | None, method: Method) -> Loss | None:
    """What was lost to the fault; None where no fault fired or nothing was read back."""
    if phases.fault_s is None or phases.fired < 1 or data is None:
        return None
    return loss(data.history, fault_s=phases.fault_s, guard_s=method.rpo_guard_s)


def _kept(data: Data) -> dict[str, Write]:
    """The writes that were not lost: those could not come to the replica, and are counted as lost."""
    lost = {write.key for write in data.history.lost}
    return {key: write for key, write in data.writes.items() if key not in lost}


def staleness_of(doubts: Doubts, journal: Journal, data: Data | None) -> Staleness | None:
    """How late writes came to the replica; a doubt where none was looked for."""
    stale = staleness(_kept(data), looks_of(journal)) if data is not None else None
    if stale is None:
        doubts.add("staleness", "no acknowledged write was looked for at a replica")
    return stale


def unseen(stale: Staleness | None, phases: Phases) -> list[Finding]:
    """What never came to the replica, by key, and when it was acknowledged."""
    return [
        Finding(
            kind="unseen",
            key=write.key,
            at_s=since(write.acked_s, phases),
            detail="acknowledged, and no look at the replica returned it",
        )
        for write in (stale.unseen[:MOST_FINDINGS] if stale is not None else ())
    ]


def staleness_fields(stale: Staleness | None) -> dict[str, Any]:
    """Figures of the replica."""
    if stale is None:
        return {}
    return {
        "staleness_p50_s": finite(stale.p50_s),
        "staleness_p95_s": finite(stale.p95_s),
        "staleness_max_s": finite(stale.max_s),
        "stale_writes": stale.writes,
        "unseen_writes": len(stale.unseen),
    }


def data_fields(data: Data | None, lost: Loss | None, effects: Effects, stores: list[Finding]) -> dict[str, Any]:
    """Figures of the data, and every finding: of the writes, of their effects, of single stores."""
    fields: dict[str, Any] = {"findings": stores}
    if lost is not None:
        fields |= {"rpo_s": lost.rpo_s, "split_brain": lost.split_brain}
    if data is not None:
        history = data.history
        fields |= {
            "findings": [*data.findings, *effects.findings, *stores],
            "acked": len(history.acked),
            "lost": len(history.lost),
            "holes": len(history.holes),
            "phantom": len(history.phantom) + effects.strays,
            "duplicate": history.duplicates + effects.surplus,
            "unfulfilled": len(history.unfulfilled) + len(history.partial) + effects.missing,
            "unknown": history.unknown,
            "unknown_applied": history.unknown_applied,
        }
    return fields
