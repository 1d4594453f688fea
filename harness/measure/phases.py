"""The phases of a drill, read from the events of its journal: baseline, fault, observation."""

from __future__ import annotations

import math
from dataclasses import dataclass

from harness.measure.journal import (
    BASELINE_ENDED,
    BASELINE_STARTED,
    DRILL_ENDED,
    DRILL_STARTED,
    EVIDENCE,
    EXPERIMENT_ENDED,
    EXPERIMENT_STARTED,
    FAULT_FIRED,
    FAULT_HEALED,
    OBSERVATION_ENDED,
    WORKLOAD,
    Event,
    Journal,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Phases:
    """Instants of one drill on the journal's clock; None for what did not happen.

    `fault_s` is the fault instant t_f: the first effect that fired on something the workload uses, not the start
    of the experiment. `beside` names what fired effects hit when the workload uses none of it. `healed_s`
    is when the last effect ended, and `ended_s` the end of the observation.
    """

    started_s: float
    baseline_started_s: float | None
    baseline_ended_s: float | None
    experiment_started_s: float | None
    fault_s: float | None
    fired: int
    healed_s: float | None
    ended_s: float
    beside: tuple[str, ...] = ()

    @property
    def fault_window(self) -> tuple[float, float] | None:
        """From the fault instant to its healing, or to the end when it was never healed."""
        if self.fault_s is None:
            return None
        return self.fault_s, self.ended_s if self.healed_s is None else max(self.healed_s, self.fault_s)


def phases_of(journal: Journal) -> Phases:
    """The phases that the events tell; a journal without events has only its operations' span."""
    first_s, last_s = _span(journal)
    started_s = journal.instant(DRILL_STARTED)
    ended_s = journal.instant(OBSERVATION_ENDED)
    if ended_s is None:
        ended_s = last_s
    return Phases(
        started_s=first_s if started_s is None else started_s,
        baseline_started_s=journal.instant(BASELINE_STARTED),
        baseline_ended_s=journal.instant(BASELINE_ENDED),
        experiment_started_s=journal.instant(EXPERIMENT_STARTED),
        fault_s=_fault_instant(journal),
        fired=max((_number(event, "fired") for event in journal.named(EVIDENCE)), default=0),
        healed_s=_last(journal, FAULT_HEALED) or _last(journal, EXPERIMENT_ENDED),
        ended_s=ended_s,
        beside=_beside(journal),
    )


def _fault_instant(journal: Journal) -> float | None:
    """The earliest effect on something the workload uses that any event vouches for."""
    used = _used_functions(journal)
    firings = list(journal.named(FAULT_FIRED))
    instants = [event.at_s for event in firings if _hits_workload(event, used)]
    if firings and used is not None:
        return min(instants, default=None)  # each firing is known; the sum below does not say what it hit
    for event in journal.named(EVIDENCE):
        first_fired_s = event.detail.get("first_fired_s")
        if isinstance(first_fired_s, int | float):
            instants.append(float(first_fired_s))
    return min(instants, default=None)


def _used_functions(journal: Journal) -> frozenset[str] | None:
    """The functions that ran during the baseline; None when nobody looked."""
    event = journal.first(WORKLOAD)
    return None if event is None else frozenset(map(str, event.detail.get("functions", ())))


def _hits_workload(event: Event, used: frozenset[str] | None) -> bool:
    """False for an effect on, or on a call from, a function that the workload does not use."""
    function = _function(event)
    return used is None or not function or function in used


def _function(event: Event) -> str:
    """The function that an effect hit or whose call it hit; '' when it hit neither."""
    return str(event.detail.get("function", ""))


def _beside(journal: Journal) -> tuple[str, ...]:
    used = _used_functions(journal)
    firings = list(journal.named(FAULT_FIRED))
    if any(_hits_workload(event, used) for event in firings):
        return ()
    return tuple(sorted({_function(event) for event in firings}))


def _span(journal: Journal) -> tuple[float, float]:
    instants = [operation.scheduled_s for operation in journal.operations[:1] + journal.operations[-1:]]
    instants += [event.at_s for event in journal.events if event.name != DRILL_ENDED]
    if not instants:
        return 0.0, 0.0
    # A half-open window must still hold the last operation.
    return min(instants), math.nextafter(max(instants), math.inf)


def _last(journal: Journal, name: str) -> float | None:
    return max((event.at_s for event in journal.named(name)), default=None)


def _number(event: Event, key: str) -> int:
    value = event.detail.get(key, 0)
    return int(value) if isinstance(value, int | float) else 0


def since(instant_s: float | None, phases: Phases) -> float | None:
    """Seconds from the start of the drill to an instant."""
    return None if instant_s is None else instant_s - phases.started_s
