"""How figures are written for people, the same in every report."""

from __future__ import annotations

from typing import Final

from harness.measure.figures import DrillRunFigures, ObjectiveVerdict, Unit, Verdict

VERDICT_WORDS: Final[dict[Verdict, str]] = {
    "pass": "PASS",
    "fail": "FAIL",
    "inconclusive": "INCONCLUSIVE",
    "not_supported": "NOT SUPPORTED",
}

VERDICT_MARKS: Final[dict[Verdict, str]] = {"pass": "✓", "fail": "✗", "inconclusive": "?", "not_supported": "—"}
"""A shape beside every colour: nobody has to tell red from green."""

OBJECTIVE_TITLES: Final = {
    "rto": "RTO",
    "rpo": "RPO",
    "availability": "Availability",
    "availability_in_fault": "Availability during the fault",
    "lost": "Acknowledged writes lost",
    "duplicates": "Duplicate effects",
    "phantom": "Phantom writes",
    "unfulfilled": "Writes left unfinished",
    "unknown": "Writes with unknown outcome",
    "p50": "Latency p50",
    "p95": "Latency p95",
    "p99": "Latency p99",
    "detect": "Time to detect",
    "static_stability": "Control-plane calls during recovery",
}

DISRUPTION_TITLES: Final = {
    "AZ": "Availability zone",
    "Region": "Region",
    "Software": "Software",
    "Hardware": "Hardware",
}

_MILLI_BELOW_S = 1.0


def quantity(value: float, unit: Unit) -> str:
    """A value with its unit: `3.00 s`, `250 ms`, `99.95 %`, `12`."""
    if unit == "s":
        return seconds(value)
    if unit == "ratio":
        return share(value)
    return f"{value:,.0f}"


def seconds(value: float) -> str:
    """Seconds as `0 s`, `250 ms`, `3.00 s`, `12.5 s` or `4 min 10 s`."""
    if value == 0:
        return "0 s"
    if value < _MILLI_BELOW_S:
        return f"{value * 1000:.0f} ms"
    if value < 10:
        return f"{value:.2f} s"
    if value < 120:
        return f"{value:.1f} s"
    return f"{value // 60:.0f} min {value % 60:.0f} s"


def limit_seconds(value: float) -> str:
    """A limit as a person set it: `30 s`, `0 s`, `250 ms`."""
    return f"{value * 1000:g} ms" if 0 < value < _MILLI_BELOW_S else f"{value:g} s"


def share(value: float) -> str:
    """A ratio in percent. Rounds down, so that 99.999 % never reads as 100 %."""
    return f"{int(value * 10000 + 1e-9) / 100:.2f} %"


def measured(objective: ObjectiveVerdict) -> str:
    """What was measured: a value, `> 60.0 s`, or `—` when nothing can be said."""
    if objective.measured is not None:
        return quantity(objective.measured, objective.unit)
    return f"> {quantity(objective.above, objective.unit)}" if objective.above is not None else "—"


def limit(objective: ObjectiveVerdict) -> str:
    """The limit with its direction: `≤ 30 s`, `≥ 99 %`, `0`."""
    sign = "≥" if objective.at_least else "≤"
    if objective.unit == "s":
        return f"{sign} {limit_seconds(objective.limit)}"
    if objective.unit == "ratio":
        return f"{sign} {objective.limit * 100:g} %"
    return f"{objective.limit:g}" if objective.limit == 0 else f"{sign} {objective.limit:g}"


def title(objective: ObjectiveVerdict) -> str:
    """The objective's name for people."""
    return OBJECTIVE_TITLES.get(objective.name, objective.name)


def rto(run: DrillRunFigures) -> str:
    """The RTO of one run: `3.00 s`, `not felt`, `> 60.0 s` or `—`."""
    if run.felt is False and run.rto_s == 0:
        return "0 s, not felt"
    if run.rto_s is not None:
        return seconds(run.rto_s)
    return "—" if run.rto_at_least_s is None else f"> {seconds(run.rto_at_least_s)}"


def interval(low_high: tuple[float, float] | None) -> str:
    """An interval in seconds, as `2.98 … 3.00 s`."""
    return "—" if low_high is None else f"{low_high[0]:.2f} … {low_high[1]:.2f} s"


def milliseconds(value: float | None) -> str:
    """Milliseconds, or `∞` where too many answers never came."""
    if value is None:
        return "∞"
    return f"{value:,.0f} ms" if value >= 10 else f"{value:.1f} ms"
