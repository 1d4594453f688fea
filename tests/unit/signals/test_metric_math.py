"""Metric math: what CloudWatch computes, and a name for what is not supported."""

import pytest

from harness.cloud.signals.metric_math import MathError, parse
from harness.cloud.signals.queries import answer, read_queries
from harness.cloud.signals.series import MetricId, MetricStore, one

ERRORS = {0.0: 1.0, 60.0: 0.0, 120.0: 3.0}
CALLS = {0.0: 10.0, 60.0: 0.0, 120.0: 4.0}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("100 * errors / calls", {0.0: 10.0, 120.0: 75.0}),  # a division by zero is a missing data point
        ("errors + 1", {0.0: 2.0, 60.0: 1.0, 120.0: 4.0}),
        ("calls ^ 2", {0.0: 100.0, 60.0: 0.0, 120.0: 16.0}),
        ("-errors", {0.0: -1.0, 60.0: 0.0, 120.0: -3.0}),
        ("IF(calls > 5, errors, 0)", {0.0: 1.0, 60.0: 0.0, 120.0: 0.0}),
        ("IF(calls > 0 AND errors > 0, 1, 0)", {0.0: 1.0, 60.0: 0.0, 120.0: 1.0}),
        ("IF(calls > 9 || errors > 2, 1)", {0.0: 1.0, 120.0: 1.0}),
        ("SUM(METRICS())", {0.0: 11.0, 60.0: 0.0, 120.0: 7.0}),
        ("MAX([errors, calls])", {0.0: 10.0, 60.0: 0.0, 120.0: 4.0}),
        (
            "errors - AVG(errors)",
            {0.0: pytest.approx(-1 / 3), 60.0: pytest.approx(-4 / 3), 120.0: pytest.approx(5 / 3)},
        ),
        ("errors / PERIOD(errors)", {0.0: 1 / 60, 60.0: 0.0, 120.0: 0.05}),
        ("RATE(calls)", {60.0: -10 / 60, 120.0: 4 / 60}),
        ("DIFF(calls)", {60.0: -10.0, 120.0: 4.0}),
        ("RUNNING_SUM(errors)", {0.0: 1.0, 60.0: 1.0, 120.0: 4.0}),
        ("TIME_SERIES(7)", {0.0: 7.0, 60.0: 7.0, 120.0: 7.0}),
        ("CEIL(errors / 2)", {0.0: 1.0, 60.0: 0.0, 120.0: 2.0}),
    ],
)
def test_an_expression_is_evaluated_time_by_time(text: str, expected: dict[float, float]) -> None:
    assert parse(text).evaluate({"errors": ERRORS, "calls": CALLS}, period_s=60) == expected


def test_fill_puts_a_value_where_there_is_none() -> None:
    series = {"a": {0.0: 1.0}, "b": {0.0: 1.0, 60.0: 2.0}}
    assert parse("FILL(a, 0)").evaluate(series, period_s=60) == {0.0: 1.0, 60.0: 0.0}
    assert parse("FILL(a, REPEAT)").evaluate(series, period_s=60) == {0.0: 1.0, 60.0: 1.0}
    assert parse("a + b").evaluate(series, period_s=60) == {0.0: 2.0}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ANOMALY_DETECTION_BAND(errors, 2)", "ANOMALY_DETECTION_BAND is not supported"),
        ("errors +", "is not an expression"),
        ("nothing * 2", "'nothing'"),
        ("errors.__class__", "not supported in metric math"),
        ("METRICS()", "several time series"),
        ("IF(errors)", "more arguments"),
    ],
)
def test_what_cannot_be_evaluated_is_named(text: str, said: str) -> None:
    with pytest.raises(MathError, match=said.replace("(", r"\(").replace(")", r"\)")):
        parse(text).evaluate({"errors": ERRORS, "calls": CALLS}, period_s=60)


def test_expressions_may_build_on_each_other_but_not_in_a_circle() -> None:
    store = MetricStore()
    metric = MetricId("1", "r", "N", "m")
    store.publish(metric, one(2.0, 60))
    stat = {"Metric": {"Namespace": "N", "MetricName": "m"}, "Period": 60, "Stat": "Sum"}
    raw = [
        {"Id": "b", "Expression": "a * 2"},
        {"Id": "a", "Expression": "m + 1", "ReturnData": False},
        {"Id": "m", "MetricStat": stat, "ReturnData": False},
    ]
    found = answer(read_queries(raw, account="1", region="r"), store, start_s=0, end_s=120)
    assert found["b"] == {60.0: 6.0}
    raw[1]["Expression"] = "b + 1"
    with pytest.raises(MathError, match="each other: b, a"):
        answer(read_queries(raw, account="1", region="r"), store, start_s=0, end_s=120)
