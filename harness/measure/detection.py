"""Whether somebody was told of the fault: the watched alarms, when they rang and when they were well again."""

from __future__ import annotations

from typing import Any

from harness.measure.journal import ALARM, ALARMS_WATCHED, Event, Journal
from harness.measure.phases import Phases


def first_alarm(journal: Journal, fault_s: float) -> Event | None:
    """The first watched alarm that went into ALARM after the fault."""
    watched = journal.first(ALARMS_WATCHED)
    names = watched.detail.get("names", ()) if watched is not None else ()
    told = (e for e in journal.named(ALARM) if e.at_s >= fault_s and e.detail.get("state") == "ALARM")
    return next((event for event in told if event.detail.get("alarm") in names), None)


def has_cleared(journal: Journal, told: Event) -> bool:
    """Whether an alarm that told was seen OK again after it did."""
    name = told.detail.get("alarm")
    later = (e for e in journal.named(ALARM) if e.at_s > told.at_s and e.detail.get("alarm") == name)
    return any(event.detail.get("state") == "OK" for event in later)


def detection_fields(journal: Journal, phases: Phases) -> dict[str, Any]:
    """Seconds from the fault to the first watched alarm that went into ALARM, and which it was."""
    alarm = None if phases.fault_s is None else first_alarm(journal, phases.fault_s)
    if alarm is None or phases.fault_s is None:
        return {}
    return {"detect_s": alarm.at_s - phases.fault_s, "detected_by": str(alarm.detail.get("alarm", ""))}
