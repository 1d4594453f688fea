"""What an alarm's state is, from the data points of its periods. Pure.

The rules and their table of examples are AWS's, "Configuring how CloudWatch alarms treat missing data":
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html#alarms-and-missing-data
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

ALARM, OK, INSUFFICIENT_DATA = "ALARM", "OK", "INSUFFICIENT_DATA"

LOOK_BACK = 2
"""Periods asked for beyond EvaluationPeriods: real data stand in for missing ones (AWS's examples have two)."""

COMPARISONS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "GreaterThanOrEqualToThreshold": lambda value, limit: value >= limit,
    "GreaterThanThreshold": lambda value, limit: value > limit,
    "LessThanThreshold": lambda value, limit: value < limit,
    "LessThanOrEqualToThreshold": lambda value, limit: value <= limit,
}
"""The comparisons with a static threshold; those with an anomaly band are refused by name."""

_IN_WORDS: Final[Mapping[str, str]] = {
    "GreaterThanOrEqualToThreshold": "greater than or equal to",
    "GreaterThanThreshold": "greater than",
    "LessThanThreshold": "less than",
    "LessThanOrEqualToThreshold": "less than or equal to",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """When an alarm is in ALARM: `datapoints` of the last `periods` compare with `threshold`."""

    comparison: str
    threshold: float
    periods: int = 1
    datapoints: int = 1
    missing: str = "missing"  # or ignore, breaching, notBreaching

    def breaches(self, value: float) -> bool:
        """Whether one data point does."""
        return COMPARISONS[self.comparison](value, self.threshold)


@dataclass(frozen=True, slots=True)
class Decision:
    """The state, and the reason in CloudWatch's words."""

    state: str
    reason: str


def decide(points: Sequence[float | None], condition: Condition, *, current: str) -> Decision:
    """The state after `points`: one a period of the evaluation range, oldest first, None where data are missing.

    With enough real data points the most recent of them decide. With fewer, what lacks is filled as `missing` says;
    an alarm that saw nothing but breaches is in ALARM once the oldest is as old as DatapointsToAlarm.
    """
    real = [(len(points) - at, value) for at, value in enumerate(points) if value is not None][-condition.periods :]
    lacking = condition.periods - len(real)
    breaching = [(age, value) for age, value in real if condition.breaches(value)]
    if not real and condition.missing == "missing":
        return Decision(INSUFFICIENT_DATA, _unknown(points))
    if lacking and condition.missing == "breaching":
        state = ALARM if len(breaching) + lacking >= condition.datapoints else OK
    elif not lacking or condition.missing == "notBreaching" or len(breaching) < len(real):
        state = ALARM if len(breaching) >= condition.datapoints else OK
    elif len(breaching) >= condition.datapoints:
        state = ALARM
    else:
        state = _only_breaches(breaching, condition, current)
    return Decision(state, _crossed(real, breaching, lacking, condition, state=state, current=current))


def _only_breaches(breaching: Sequence[tuple[int, float]], condition: Condition, current: str) -> str:
    """Fewer real data points than needed, and every one of them breaches.

    With `missing`, the oldest must be as old as DatapointsToAlarm, so that one point that came late does not raise an
    alarm too early; with `ignore` the state stays.
    """
    if condition.missing == "missing" and breaching and breaching[0][0] >= condition.datapoints:
        return ALARM
    return current


def _unknown(points: Sequence[float | None]) -> str:
    return f"Insufficient Data: {len(points)} datapoints were unknown."


def _crossed(
    real: Sequence[tuple[int, float]],
    breaching: Sequence[tuple[int, float]],
    lacking: int,
    condition: Condition,
    *,
    state: str,
    current: str,
) -> str:
    shown = real if state == OK else breaching or real
    values = ", ".join(str(value) for _, value in reversed(shown))
    verb = "was" if len(shown) == 1 else "were"
    no = "not " if state == OK else ""
    treated = f" {lacking} missing treated as {condition.missing}" if lacking else ""
    needed = condition.datapoints if state == ALARM else condition.periods - condition.datapoints + 1
    plural = "" if needed == 1 else "s"
    return (
        f"Threshold Crossed: {len(shown)} out of the last {condition.periods} datapoints [{values}] {verb} {no}"
        f"{_IN_WORDS[condition.comparison]} the threshold ({condition.threshold}){treated} (minimum {needed} "
        f"datapoint{plural} for {current} -> {state} transition)."
    )
