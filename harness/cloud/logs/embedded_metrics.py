"""The embedded metric format: log lines that carry metrics. Pure.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

MARK = '"_aws"'
MOST_DIMENSIONS, MOST_METRICS, MOST_VALUES = 30, 100, 100


class Datum(NamedTuple):
    """One value of one metric. `dimensions` are sorted pairs; `resolution_s` is 1 or 60."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    value: float
    at_s: float
    unit: str = "None"
    resolution_s: int = 60


def read(message: str) -> list[Datum]:
    """The metrics that one log line carries.

    None when it breaks the specification: CloudWatch drops such a line.
    """
    if MARK not in message:
        return []
    try:
        line = msgspec.json.decode(message)
        return list(_data(line))
    except (msgspec.DecodeError, KeyError, TypeError, ValueError):
        return []


def _data(line: Mapping[str, Any]) -> Iterator[Datum]:  # what an application wrote
    at_s = float(line["_aws"]["Timestamp"]) / 1000
    for directive in line["_aws"]["CloudWatchMetrics"]:
        namespace, metrics = str(directive["Namespace"]), directive["Metrics"]
        if len(metrics) > MOST_METRICS:
            raise ValueError(f"more than {MOST_METRICS} metrics")
        sets = [_dimensions(line, names) for names in directive.get("Dimensions") or [[]]]
        for metric in metrics:
            unit, resolution_s = str(metric.get("Unit") or "None"), int(metric.get("StorageResolution") or 60)
            for value in _values(line.get(metric["Name"])):
                for dimensions in sets:
                    yield Datum(namespace, metric["Name"], dimensions, value, at_s, unit, resolution_s)


def _dimensions(line: Mapping[str, Any], names: list[str]) -> tuple[tuple[str, str], ...]:
    if len(names) > MOST_DIMENSIONS:
        raise ValueError(f"more than {MOST_DIMENSIONS} dimensions")
    return tuple(sorted((name, str(line[name])) for name in names))


def _values(given: Any) -> list[float]:
    """A member's numbers: one, or up to a hundred; a metric that the line does not have has none."""
    listed = given if isinstance(given, list) else [] if given is None else [given]
    if len(listed) > MOST_VALUES or any(isinstance(value, bool | str) for value in listed):
        raise ValueError("metrics are numbers, up to a hundred at once")
    return [float(value) for value in listed]
