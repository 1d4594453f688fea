"""What the workloads of single stores found beside a drill."""

from __future__ import annotations

from harness.measure.checkers.linearizable import UNDECIDED
from harness.measure.doubts import Doubts
from harness.measure.finding import Finding
from harness.measure.journal import STORE_CHECKED, STORE_FINDING, Journal
from harness.measure.phases import Phases


def store_fields(doubts: Doubts, journal: Journal, phases: Phases) -> list[Finding]:
    """The broken promises of single stores; a search that gave up, or a store that took nothing, is a doubt."""
    checked = list(journal.named(STORE_CHECKED))
    if not checked:
        doubts.add("stores", "no store was worked beside the drill")
    for event in checked:
        if not event.detail.get("calls_ok"):
            doubts.add("stores", f"no call of the store {event.detail.get('store', '?')} was acknowledged")
    found = []
    for event in journal.named(STORE_FINDING):
        kind, at_s = str(event.detail.get("kind", "")), event.detail.get("found_s")
        if kind == UNDECIDED:
            doubts.add("stores", f"{event.detail.get('store')}: {event.detail.get('detail')}")
            continue
        found.append(
            Finding(
                kind=f"{event.detail.get('store')}: {kind}",
                key=str(event.detail.get("key", "")),
                at_s=at_s - phases.started_s if isinstance(at_s, int | float) else None,
                detail=str(event.detail.get("detail", "")),
            )
        )
    return found


def anomalies(journal: Journal) -> int | None:
    """How many promises of single stores were broken; None where no store was worked."""
    checked = [int(event.detail.get("anomalies", 0)) for event in journal.named(STORE_CHECKED)]
    return sum(checked) if checked else None
