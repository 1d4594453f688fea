"""Whether the journal's clock can be believed: order of the phases, and the wall clock beside the monotonic one.

Figures use the monotonic clock alone, so setting the wall clock changes no figure. But a machine that slept stops
the monotonic clock, and every duration is then too short. Nothing in a journal tells the two apart, so a wall clock
that moved against the monotonic one by more than `LARGEST_STEP_S` leaves every figure in doubt.

Source: clock_gettime(2): CLOCK_MONOTONIC does not count while the system is suspended.
"""

from __future__ import annotations

from itertools import pairwise

from harness.measure.journal import (
    BASELINE_ENDED,
    BASELINE_STARTED,
    CLOCK,
    DRILL_ENDED,
    DRILL_STARTED,
    EXPERIMENT_STARTED,
    OBSERVATION_ENDED,
    Journal,
)

LARGEST_STEP_S = 1.0
"""Discipline by NTP slews at most 0.5 ms a second, 0.3 s in ten minutes; a step is larger than that."""

TIMER_S = 5e-3
"""Event loops count their timers in whole milliseconds, so an operation may begin a little before it was due."""

_ORDER = (
    DRILL_STARTED,
    BASELINE_STARTED,
    BASELINE_ENDED,
    EXPERIMENT_STARTED,
    OBSERVATION_ENDED,
    DRILL_ENDED,
)


def clock_flaw(journal: Journal) -> str:
    """Why the instants of the journal cannot be believed, or ''."""
    return _disorder(journal) or _backwards(journal) or _step(journal)


def _disorder(journal: Journal) -> str:
    told = [(name, at_s) for name in _ORDER if (at_s := journal.instant(name)) is not None]
    for (earlier, first_s), (later, second_s) in pairwise(told):
        if second_s < first_s:
            return f"the clock jumped: {later} is {first_s - second_s:.1f} s before {earlier}"
    return ""


def _backwards(journal: Journal) -> str:
    """An operation that ended before it began, or began before it was due."""
    for operation in journal.operations:
        if operation.ended_s < operation.started_s or operation.started_s < operation.scheduled_s - TIMER_S:
            return f"the clock jumped: operation {operation.id} ended or began before its time"
    return ""


def _step(journal: Journal) -> str:
    """The largest movement of the wall clock against ours, between any two marks."""
    offsets_s = [float(event.detail.get("wall_s", 0.0)) - event.at_s for event in journal.named(CLOCK)]
    if not offsets_s:
        return ""
    step_s = max(offsets_s) - min(offsets_s)
    if step_s <= LARGEST_STEP_S:
        return ""
    return f"the wall clock moved by {step_s:.1f} s against the monotonic one: the machine slept or was set"
