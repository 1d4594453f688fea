"""Alarm states, by AWS's own tables of "how alarms treat missing data"."""

import pytest

from harness.cloud.signals.alarm import Condition, decide

THREE_OF_THREE = {
    # data points, oldest first: missing, ignore, breaching, notBreaching ("=" keeps the state)
    "0 - X - X": ("OK", "OK", "OK", "OK"),
    "- - - - 0": ("OK", "OK", "OK", "OK"),
    "- - - - -": ("INSUFFICIENT_DATA", "=", "ALARM", "OK"),
    "0 X X - X": ("ALARM", "ALARM", "ALARM", "ALARM"),
    "- - X - -": ("ALARM", "=", "ALARM", "OK"),
}
TWO_OF_THREE = {
    "0 - X - X": ("ALARM", "ALARM", "ALARM", "ALARM"),
    "0 0 X 0 X": ("ALARM", "ALARM", "ALARM", "ALARM"),
    "0 - X - -": ("OK", "OK", "ALARM", "OK"),
    "- - - - 0": ("OK", "OK", "ALARM", "OK"),
    "- - - X -": ("ALARM", "=", "ALARM", "OK"),
}
TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")


@pytest.mark.parametrize("current", ["OK", "ALARM", "INSUFFICIENT_DATA"])
@pytest.mark.parametrize(
    ("datapoints", "points", "states"),
    [(3, *row) for row in THREE_OF_THREE.items()] + [(2, *row) for row in TWO_OF_THREE.items()],
)
def test_missing_data_are_treated_as_documented(
    datapoints: int, points: str, states: tuple[str, ...], current: str
) -> None:
    values = [{"0": 0.0, "X": 9.0, "-": None}[sign] for sign in points.split()]
    for treatment, expected in zip(TREATMENTS, states, strict=True):
        condition = Condition(
            comparison="GreaterThanThreshold", threshold=1, periods=3, datapoints=datapoints, missing=treatment
        )
        found = decide(values, condition, current=current).state
        assert found == (current if expected == "=" else expected), treatment


def test_one_late_breach_raises_no_alarm_too_early() -> None:
    condition = Condition(comparison="GreaterThanThreshold", threshold=1, periods=3, datapoints=3)
    assert decide([None, None, None, None, 9.0], condition, current="OK").state == "OK"


@pytest.mark.parametrize(
    ("comparison", "states"),
    [
        ("GreaterThanThreshold", "OK OK ALARM"),
        ("GreaterThanOrEqualToThreshold", "OK ALARM ALARM"),
        ("LessThanThreshold", "ALARM OK OK"),
        ("LessThanOrEqualToThreshold", "ALARM ALARM OK"),
    ],
)
def test_the_comparison_decides(comparison: str, states: str) -> None:
    condition = Condition(comparison=comparison, threshold=5.0)
    assert [decide([value], condition, current="OK").state for value in (4.0, 5.0, 6.0)] == states.split()


def test_the_reason_is_in_cloudwatchs_words() -> None:
    condition = Condition(comparison="GreaterThanOrEqualToThreshold", threshold=1.0)
    assert decide([5.0], condition, current="OK").reason == (
        "Threshold Crossed: 1 out of the last 1 datapoints [5.0] was greater than or equal to the threshold (1.0) "
        "(minimum 1 datapoint for OK -> ALARM transition)."
    )
