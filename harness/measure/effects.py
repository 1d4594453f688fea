"""Effects that belong to no write, counters that moved too often, answers about something else.

What each write caused is counted key by key (`history`). A charge for an order that does not exist has no key to be
found by, and a stock that went down twice has none either: both are told by events of the verification.

stray: an effect that is there after the drill, was not before it, and that no written item names.
surplus of a counter = (after - before) / (its movement for each write) - the writes that are there, away from 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from harness.measure.finding import Finding
from harness.measure.journal import COUNTER_READ, STRAY_EFFECT, Event, Journal

_NOISE = 1e-9
"""Counters are decimals, and movements may be fractions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """`strays` belong to nothing; counters moved `surplus` times too often and `missing` times too seldom."""

    strays: int
    surplus: int
    missing: int
    findings: tuple[Finding, ...]


def effects_of(journal: Journal) -> Effects:
    """What the verification found beside the keys."""
    strays = list(journal.named(STRAY_EFFECT))
    counters = [(event, surplus_of(event)) for event in journal.named(COUNTER_READ)]
    return Effects(
        strays=len(strays),
        surplus=sum(surplus for _, surplus in counters if surplus > 0),
        missing=-sum(surplus for _, surplus in counters if surplus < 0),
        findings=(
            *(_finding("stray", event, str(event.detail.get("detail", ""))) for event in strays),
            *(_finding("miscount", event, _in_words(event)) for event, surplus in counters if surplus),
        ),
    )


def wrong_answers(journal: Journal, *, started_s: float) -> list[Finding]:
    """The acknowledged answers whose content is not what was asked for; `at_s` is when they came, in the drill."""
    return [
        Finding(
            kind="wrong", key=f"{o.kind} {o.id}", at_s=round(o.ended_s - started_s, 6), detail=f"answered {o.detail}"
        )
        for o in journal.operations
        if o.outcome == "ok" and not o.valid
    ]


def surplus_of(event: Event) -> int:
    """How many times too often a counter moved; less than 0 for too seldom."""
    told = event.detail
    surplus = (float(told["after"]) - float(told["before"])) / float(told["each"]) - int(told["writes"])
    return math.ceil(surplus - _NOISE) if surplus > 0 else math.floor(surplus + _NOISE)


def _in_words(event: Event) -> str:
    told = event.detail
    moved = f"went from {told['before']:.12g} to {told['after']:.12g}"
    return f"{moved}, by {told['each']:g} for each of {told['writes']} writes"


def _finding(kind: str, event: Event, detail: str) -> Finding:
    return Finding(kind=kind, key=str(event.detail.get("key", "")), detail=detail)
