"""Every run of a drill as a dot on a line, with the limit, the median and its interval: where they lie in a picture.

A mean, or a bar of the worst alone, would hide that one run of ten was another kind of run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from harness.measure.figures import ObjectiveVerdict
from harness.report import words

_LEFT, _RIGHT = 6.0, 138.0
_LOWEST, _STEP, _MOST_ABOVE = 13.0, 3.4, 3
_BESIDE = 144.0
"""Where what has no value stands: right of every value."""

Kind = Literal["pass", "fail", "open"]


@dataclass(frozen=True, slots=True)
class Dot:
    """One run, in the picture's own units of 150 by 26."""

    x: float
    y: float
    kind: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """All of it; `label` says the same in words."""

    dots: tuple[Dot, ...]
    limit: float
    median: float | None
    interval: tuple[float, float] | None
    label: str


def strip(objective: ObjectiveVerdict) -> Strip | None:
    """The picture of an objective over several runs; None of one run, which a bar tells better."""
    if len(objective.values) < 2:
        return None
    known = [value for value in objective.values if value is not None]
    low, high = min([*known, objective.limit]), max([*known, objective.limit])
    if not objective.at_least:
        low = min(0.0, low)

    def x(value: float) -> float:
        share = (value - low) / (high - low) if high > low else 0.0
        return round(_LEFT + share * (_RIGHT - _LEFT), 2)

    interval = objective.median_interval
    return Strip(
        dots=_dots(objective, x),
        limit=x(objective.limit),
        median=None if objective.median is None else x(objective.median),
        interval=None if interval is None else (x(interval[0]), x(interval[1])),
        label=f"{words.title(objective)}, {words.spread(objective)}; target {words.limit(objective)}",
    )


def _dots(objective: ObjectiveVerdict, x: Callable[[float], float]) -> tuple[Dot, ...]:
    """Dots at the same place stand on each other, a few high."""
    standing: Counter[float] = Counter()
    dots = []
    for value in objective.values:
        at = _BESIDE if value is None else x(value)
        above = min(standing[at], _MOST_ABOVE)
        standing[at] += 1
        dots.append(Dot(at, round(_LOWEST + 6.0 - above * _STEP, 2), _kind(objective, value)))
    return tuple(dots)


def _kind(objective: ObjectiveVerdict, value: float | None) -> Kind:
    if value is None:
        return "open"
    met = value >= objective.limit if objective.at_least else value <= objective.limit
    return "pass" if met else "fail"
