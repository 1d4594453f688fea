"""The steady-state probes of a drill: which stopped holding, and whether they hold again."""

from __future__ import annotations

from harness.measure.doubts import Doubts
from harness.measure.journal import PROBE, Journal
from harness.measure.phases import Phases


def probes_broken(doubts: Doubts, journal: Journal) -> int | None:
    """How many steady-state probes did not hold at the last look, after the observation."""
    last = [event for event in journal.named(PROBE) if event.detail.get("phase") == "after"]
    if not last:
        doubts.add("probes", "no steady-state probe was asked after the fault")
        return None
    return sum(event.detail.get("holds") is not True for event in last)


def probe_notes(journal: Journal, phases: Phases) -> list[str]:
    """Each probe that stopped holding: when first, and whether it holds again at the end."""
    notes: dict[str, str] = {}
    for event in journal.named(PROBE):
        name, phase = str(event.detail.get("probe")), event.detail.get("phase")
        if phase == "during" and not event.detail.get("holds") and name not in notes and phases.fault_s is not None:
            after_s = event.at_s - phases.fault_s
            notes[name] = f"probe {name!r} did not hold {after_s:.1f} s after the fault: {event.detail.get('why')}"
        elif phase == "after" and name in notes:
            notes[name] += "; at the end it did" if event.detail.get("holds") else "; nor at the end"
    return list(notes.values())
