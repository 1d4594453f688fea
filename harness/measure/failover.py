"""A failover from its journal: what triggered it, how long each step took, and where the RTO went. Pure.

The RTO is split without a gap: *detection* until the procedure begins (or, where none was needed, until the name led
elsewhere), *procedure* until it has ended, *names* for what was left until good answers came. What came after the
recovery is no part of it.
"""

from __future__ import annotations

import msgspec

from harness.measure.journal import (
    NAME_ANSWERED,
    PROCEDURE_ENDED,
    PROCEDURE_STARTED,
    PROCEDURE_STEP,
    Event,
    Journal,
)

FAILOVER, PROTECT = "failover", "protect"


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a procedure. `at_s` is seconds after the fault; `took_s` None when nobody saw its end."""

    name: str
    at_s: float
    took_s: float | None = None


class FailoverFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Instants are seconds after the fault; None is what did not happen.

    `name_moved_s` is when the front door's name first led where it had not led before. `protected_s` is how long
    before the fault a procedure that protects the data had begun, such as the last backup.
    """

    procedure: str = ""
    trigger: str = ""
    begun_s: float | None = None
    ended_s: float | None = None
    problem: str = ""
    steps: list[Step] = []
    name_moved_s: float | None = None
    protected_s: float | None = None
    detection_s: float | None = None
    procedure_s: float | None = None
    names_s: float | None = None


def failover(
    journal: Journal, *, fault_s: float | None, recovered_s: float | None, calls: int | None
) -> FailoverFigures | None:
    """The failover of a drill that has one.

    Args:
        journal: everything observed.
        fault_s: the fault instant.
        recovered_s: t_up.
        calls: control-plane calls from the fault to the recovery; None where nobody counts them.
    """
    begun, ended = _of(journal, PROCEDURE_STARTED, FAILOVER), _of(journal, PROCEDURE_ENDED, FAILOVER)
    protected = _of(journal, PROCEDURE_STARTED, PROTECT)
    moved_s = None if fault_s is None else _moved(journal, fault_s)
    if fault_s is None or (journal.first(NAME_ANSWERED) is None and ended is None and begun is None):
        return None
    begun_s, ended_s = _instant(begun), _instant(ended)
    steps = _steps(journal, fault_s, ended_s)
    detected_s = moved_s if begun_s is None else begun_s
    return FailoverFigures(
        procedure=next((str(one.detail.get("procedure", "")) for one in (begun, ended) if one is not None), ""),
        trigger=str(begun.detail.get("why", "")) if begun else "",
        begun_s=_after(begun_s, fault_s),
        ended_s=_after(ended_s, fault_s) if begun else None,
        problem=_problem(begun, ended, steps, calls),
        steps=steps,
        name_moved_s=_after(moved_s, fault_s),
        protected_s=None if protected is None else fault_s - protected.at_s,
        **_split(fault_s, recovered_s, (detected_s, begun_s, ended_s), moved_s),
    )


def _split(
    fault_s: float,
    recovered_s: float | None,
    procedure: tuple[float | None, float | None, float | None],
    moved_s: float | None,
) -> dict[str, float]:
    """The RTO in three parts; nothing while it is not known."""
    detected_s, begun_s, ended_s = procedure
    if recovered_s is None:
        return {}
    if begun_s is None or begun_s >= recovered_s:  # names did it alone
        detected_s, begun_s, ended_s = moved_s, None, None
    if detected_s is None or detected_s > recovered_s:
        return {"detection_s": recovered_s - fault_s, "procedure_s": 0.0, "names_s": 0.0}
    done_s = detected_s if begun_s is None else min(recovered_s, recovered_s if ended_s is None else ended_s)
    return {
        "detection_s": detected_s - fault_s,
        "procedure_s": done_s - detected_s,
        "names_s": recovered_s - done_s,
    }


def _problem(begun: Event | None, ended: Event | None, steps: list[Step], calls: int | None) -> str:
    """Why the procedure cannot have brought the service back, or ''."""
    if ended is None:
        return "the failover procedure did not end" if begun is not None else ""
    if error := str(ended.detail.get("error", "")):
        at = f" at step {steps[-1].name!r}" if steps else ""
        return f"the failover procedure failed{at}: {error}"
    return "the failover procedure did nothing: no step, no control-plane call" if not steps and calls == 0 else ""


def _steps(journal: Journal, fault_s: float, ended_s: float | None) -> list[Step]:
    events = [event for event in journal.named(PROCEDURE_STEP) if event.detail.get("what") == FAILOVER]
    ends = [event.at_s for event in events[1:]] + [ended_s]
    return [
        Step(
            name=str(event.detail.get("step", "")),
            at_s=event.at_s - fault_s,
            took_s=None if end_s is None else end_s - event.at_s,
        )
        for event, end_s in zip(events, ends, strict=False)
    ]


def _moved(journal: Journal, fault_s: float) -> float | None:
    """When the name first led somewhere after the fault where it had not led before."""
    answers = [event for event in journal.named(NAME_ANSWERED) if event.detail.get("answer")]
    before = {event.detail["answer"] for event in answers if event.at_s < fault_s}
    return next((e.at_s for e in answers if e.at_s >= fault_s and e.detail["answer"] not in before), None)


def _of(journal: Journal, name: str, what: str) -> Event | None:
    return next((event for event in journal.named(name) if event.detail.get("what") == what), None)


def _instant(event: Event | None) -> float | None:
    return None if event is None else event.at_s


def _after(instant_s: float | None, fault_s: float) -> float | None:
    return None if instant_s is None else instant_s - fault_s
