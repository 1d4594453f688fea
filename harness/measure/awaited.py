"""What a drill waits for, an alarm and a replica, and from when to when it waited."""

from __future__ import annotations

import math

from harness.measure.detection import first_alarm
from harness.measure.history import compare, passes_of, writes_of
from harness.measure.journal import Journal
from harness.measure.phases import Phases
from harness.measure.staleness import first_seen, looks_of

Wait = tuple[float, float]
"""The instants between which it was waited for one thing."""


def for_an_alarm(journal: Journal, phases: Phases) -> list[Wait]:
    """From the fault until an alarm told, or until nobody looked any more."""
    if phases.fault_s is None:
        return []
    told = first_alarm(journal, phases.fault_s)
    return [(phases.fault_s, phases.ended_s if told is None else told.at_s)]


def for_a_replica(journal: Journal, _phases: Phases) -> list[Wait]:
    """From each acknowledged write that was not lost until a look returned it, or until the last look."""
    looks = looks_of(journal)
    last_s, seen = max((look.at_s for look in looks), default=-math.inf), first_seen(looks)
    writes = writes_of(journal.operations)
    lost = {write.key for write in compare(writes, passes_of(journal.readings).last).lost}
    return [
        (write.acked_s, seen.get(write.key, last_s))
        for write in writes.values()
        if write.acked_s is not None and write.key not in lost
    ]
