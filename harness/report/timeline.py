"""The events of a journal as sentences for people, repeated ones folded into one line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from harness.measure import journal as names
from harness.measure.journal import Event, Journal

Tone = Literal["plain", "fault", "good", "bad"]

MOST_LINES = 120
"""A longer story is cut, and says so: the journal beside the report has all of it."""

_FOLD_WITHIN_S = 1.0
_DETAIL_CHARACTERS = 160

Detail = Mapping[str, Any]  # JSON, each event its own


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the timeline. `at_s` counts from the drill's start, `from_fault_s` from the fault instant."""

    at_s: float
    from_fault_s: float | None
    text: str
    detail: str = ""
    tone: Tone = "plain"
    times: int = 1


def timeline(journal: Journal, *, start_s: float, fault_s: float | None, recovered_s: float | None) -> list[Line]:
    """The story of a drill, oldest first; `fault_s` and `recovered_s` are on the journal's clock."""
    told = [
        Line(at_s=event.at_s, from_fault_s=None, text=text, detail=_rest(event), tone=tone)
        for event in _worth_telling(journal, start_s)
        for text, tone in [_sentence(event)]
    ]
    if recovered_s is not None and fault_s is not None and recovered_s > fault_s:
        told.append(
            Line(at_s=recovered_s, from_fault_s=None, text="Recovered: good answers from here on", tone="good")
        )
    lines = _folded(sorted(told, key=lambda line: line.at_s))
    return [
        replace(line, at_s=line.at_s - start_s, from_fault_s=None if fault_s is None else line.at_s - fault_s)
        for line in lines
    ]


def _worth_telling(journal: Journal, start_s: float) -> Iterator[Event]:
    """Moments, not figures; of the effects only the first: the cloud's own events tell of each.

    What alarms did before the drill is in the journal, for the time to detect, and no part of its story.
    """
    fired = False
    for event in journal.events:
        told = fired and event.name == names.FAULT_FIRED
        before = event.name == names.ALARM and event.at_s < start_s
        if event.name in _SILENT or told or before:
            continue
        fired = fired or event.name == names.FAULT_FIRED
        yield event


def _folded(lines: list[Line]) -> list[Line]:
    """The same sentence within a second is one line with a count."""
    folded: list[Line] = []
    for line in lines:
        last = folded[-1] if folded else None
        if last is not None and last.text == line.text and line.at_s - last.at_s <= _FOLD_WITHIN_S:
            folded[-1] = replace(last, times=last.times + 1)
        else:
            folded.append(line)
    return folded


def _sentence(event: Event) -> tuple[str, Tone]:
    tell = _SENTENCES.get(event.name)
    if tell is not None:
        return tell(event.detail)
    return event.name.replace("_", " ").capitalize(), "plain"


def _cloud(detail: Detail) -> tuple[str, Tone]:
    kind = str(detail.get("kind", "event"))
    tell = _CLOUD_SENTENCES.get(kind)
    if tell is not None:
        return tell(detail)
    return f"Cloud: {kind.replace('_', ' ')}", "plain"


def _fixed(text: str, tone: Tone = "plain") -> Callable[[Detail], tuple[str, Tone]]:
    return lambda _detail: (text, tone)


def _rollback(detail: Detail) -> tuple[str, Tone]:
    if detail.get("clean") is True:
        return "Rollback checked: nothing left behind", "good"
    return "Rollback left something behind", "bad"


def _baseline_ended(detail: Detail) -> tuple[str, Tone]:
    if detail.get("probes_hold", True) is True:
        return "Baseline taken", "plain"
    return "A steady-state probe did not hold", "bad"


_SENTENCES: Final[dict[str, Callable[[Detail], tuple[str, Tone]]]] = {
    names.DRILL_STARTED: _fixed("Drill started"),
    names.BASELINE_STARTED: _fixed("Baseline begins"),
    names.BASELINE_ENDED: _baseline_ended,
    names.EXPERIMENT_STARTED: lambda d: (f"Experiment {d.get('experiment_id', '')} started", "plain"),
    names.FAULT_FIRED: _fixed("First effect of the fault: the clock for RTO starts", "fault"),
    names.EXPERIMENT_ENDED: lambda d: (f"Experiment {d.get('state', 'ended')}", "plain"),
    names.FAULT_HEALED: _fixed("Fault healed", "good"),
    names.OBSERVATION_ENDED: _fixed("Observation ended"),
    names.VERIFICATION_STARTED: _fixed("Reading every write back, twice"),
    names.VERIFICATION_ENDED: _fixed("Every write read back"),
    names.PROCEDURE_STARTED: lambda d: (f"{d.get('procedure', 'Procedure')} begins: {d.get('why', '')}", "plain"),
    names.PROCEDURE_STEP: lambda d: (f"Step: {d.get('step', '')}", "plain"),
    names.PROCEDURE_ENDED: lambda d: (
        ("Procedure failed: " + str(d["error"]), "bad") if d.get("error") else ("Procedure done", "good")
    ),
    names.NAME_ANSWERED: lambda d: (f"The front door leads to {d.get('answer') or 'nowhere'}", "plain"),
    names.CONTROL_PLANE_CALL: lambda d: (
        f"Control-plane call {d.get('service', '')}:{d.get('operation', '')}",
        "plain",
    ),
    names.ALARM: lambda d: (f"Alarm {d.get('alarm', '')} is {d.get('state', '')}", "plain"),
    names.CHECK_FAILED: lambda d: (f"Check {d.get('check', '')} failed to run", "bad"),
    names.QUEUES_WAITING: lambda d: (f"{d.get('messages', '?')} messages were still under way", "bad"),
    names.ROLLBACK: _rollback,
    names.DRILL_ENDED: _fixed("Drill ended"),
    names.CLOUD_EVENT: _cloud,
}

_CLOUD_SENTENCES: Final[dict[str, Callable[[Detail], tuple[str, Tone]]]] = {
    "power_lost": lambda d: (f"Zone {d.get('zone', '')} loses power", "fault"),
    "power_loss_applied": lambda d: (f"{d.get('processes_killed', '?')} processes killed", "fault"),
    "power_restored": lambda d: (f"Zone {d.get('zone', '')} has power again", "good"),
    "environment_killed": lambda d: (
        f"Execution environment of {d.get('function', 'a function')} killed"
        + (" with a request in flight" if d.get("in_flight") else ""),
        "fault",
    ),
    "fault_injected": lambda d: (f"Fault rule in force: {d.get('effect', '')}", "fault"),
    "fault_fired": lambda d: (f"Fault fires on {d.get('service', '')} {d.get('resource', '')}".rstrip(), "fault"),
    "fault_healed": lambda d: (f"Fault rule ended after {d.get('fired', '?')} effects", "good"),
    "experiment_state": lambda d: (f"Experiment is {d.get('state', '')}", "plain"),
    "action_state": lambda d: (f"Action {d.get('action', '')} is {d.get('state', '')}", "plain"),
}

_SILENT = frozenset(
    {
        names.EVIDENCE,
        names.CPU,
        names.CLOCK,
        names.WORKLOAD,
        names.REPLICA_LOOK,
        names.ALARMS_WATCHED,
        names.STORE_FINDING,
        names.MACHINE,
        names.STRAY_EFFECT,
        names.COUNTER_READ,
    }
)  # shown as figures, not as moments


_SAID = frozenset(
    {
        "alarm",
        "arn",
        "name",
        "period_ended_s",
        "kind",
        "experiment_id",
        "owner",
        "state",
        "processes_killed",
        "function",
        "fired",
        "effect",
    }
)


def _rest(event: Event) -> str:
    """What the sentence leaves out, short, for whoever looks closer."""
    shown = [
        f"{key.replace('_', ' ')} {value}"
        for key, value in event.detail.items()
        if key not in _SAID and value not in ("", [], None) and not isinstance(value, bool)
    ]
    text = ", ".join(shown)
    return text if len(text) <= _DETAIL_CHARACTERS else f"{text[: _DETAIL_CHARACTERS - 1]}…"
