"""Metrics from log lines: the embedded metric format, and metric filters."""

import json
from typing import Any

import pytest

from harness.cloud.logs import embedded_metrics, metric_filters
from harness.cloud.logs.embedded_metrics import Datum

DIRECTIVE: dict[str, Any] = {
    "Namespace": "Shop",
    "Dimensions": [["Service"], ["Service", "Zone"], []],
    "Metrics": [{"Name": "latency", "Unit": "Milliseconds", "StorageResolution": 1}],
}


def line(directive: dict[str, Any], **members: Any) -> str:
    return json.dumps({"_aws": {"Timestamp": 1_700_000_000_000, "CloudWatchMetrics": [directive]}, **members})


def test_each_set_of_dimensions_and_each_value_is_a_datum() -> None:
    found = embedded_metrics.read(line(DIRECTIVE, Service="cart", Zone="a", latency=[12, 14.5]))
    assert len(found) == 6
    assert found[0] == Datum("Shop", "latency", (("Service", "cart"),), 12.0, 1_700_000_000.0, "Milliseconds", 1)
    assert {datum.dimensions for datum in found} == {
        (("Service", "cart"),),
        (("Service", "cart"), ("Zone", "a")),
        (),
    }


@pytest.mark.parametrize(
    "message",
    [
        'plain text with "_aws"',
        line(DIRECTIVE, Service="cart", latency=1),  # Zone is missing
        line(DIRECTIVE, Service="cart", Zone="a", latency="12"),
        line(DIRECTIVE, Service="cart", Zone="a", latency=list(range(101))),
        line({**DIRECTIVE, "Metrics": [{"Name": f"m{n}"} for n in range(101)]}, Service="c", Zone="a"),
        '{"_aws": {"CloudWatchMetrics": []}}',
    ],
)
def test_a_line_that_breaks_the_specification_has_no_metrics(message: str) -> None:
    assert embedded_metrics.read(message) == []


def events(*messages: str, at_s: float = 60.0) -> list[dict[str, Any]]:
    return [{"timestamp": int(at_s * 1000), "message": message} for message in messages]


def filter_of(pattern: str, **transformation: Any) -> dict[str, Any]:
    named = {"metricName": "errors", "metricNamespace": "Shop", "metricValue": "1", **transformation}
    return {"filterPattern": pattern, "metricTransformations": [named]}


def test_a_match_counts_its_value_and_the_default_counts_once_in_a_minute_without_one() -> None:
    record = filter_of("ERROR", defaultValue=0.0, unit="Count")
    both = [*events("ERROR", "fine", at_s=60), *events("fine", "fine", at_s=120)]
    assert [(d.value, d.at_s, d.unit) for d in metric_filters.published(record, both)] == [
        (1.0, 60.0, "Count"),
        (0.0, 120.0, "Count"),
    ]


def test_values_and_dimensions_come_from_the_event() -> None:
    record = filter_of("{ $.ms > 0 }", metricValue="$.ms", dimensions={"Service": "$.service"})
    found = list(
        metric_filters.published(record, events('{"ms": 12, "service": "cart"}', '{"ms": 13}', '{"service": "x"}'))
    )
    assert [(d.value, d.dimensions) for d in found] == [(12.0, (("Service", "cart"),))]
    fields = filter_of("[ip, status, bytes]", metricValue="$bytes")
    assert [d.value for d in metric_filters.published(fields, events("1.1.1.1 200 512"))] == [512.0]


@pytest.mark.parametrize(
    ("pattern", "transformation", "said"),
    [
        ("{ $.a = 1 }", {"dimensions": {"a": "$.a"}, "defaultValue": 0}, "exclude"),
        ("{ $.a = 1 }", {"dimensions": {str(n): "$.a" for n in range(4)}}, "at most 3"),
        ("ERROR", {"metricValue": "$.a"}, "only JSON"),
        ("ERROR", {"metricValue": "many"}, "no number"),
    ],
)
def test_a_transformation_that_cannot_be_is_refused(pattern: str, transformation: dict[str, Any], said: str) -> None:
    record = filter_of(pattern, **transformation)
    with pytest.raises(metric_filters.TransformationError, match=said):
        metric_filters.check(pattern, record["metricTransformations"])
