"""Metric filters: what a matching event publishes. Pure.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/MonitoringLogData.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.cloud.logs.embedded_metrics import Datum
from harness.cloud.logs.patterns import compile_pattern, value_at

MOST_DIMENSIONS = 3


class TransformationError(ValueError):
    """A metric transformation that CloudWatch refuses; says why."""


def check(pattern: str, transformations: Sequence[Mapping[str, Any]]) -> None:  # wire JSON
    """Refuse what PutMetricFilter refuses.

    Raises:
        PatternError: the pattern is none.
        TransformationError: a transformation cannot be.
    """
    compiled = compile_pattern(pattern)
    if len(transformations) != 1:
        raise TransformationError("exactly one metricTransformation must be given")
    for one in transformations:
        dimensions = one.get("dimensions") or {}
        if dimensions and one.get("defaultValue") is not None:
            raise TransformationError("Invalid metric transformation: dimensions and defaultValue exclude each other")
        if len(dimensions) > MOST_DIMENSIONS:
            raise TransformationError(f"a metric filter has at most {MOST_DIMENSIONS} dimensions")
        value = str(one.get("metricValue", ""))
        selectors = [text for text in (value, *dimensions.values()) if str(text).startswith("$")]
        if not value.startswith("$") and _number(value) is None:
            raise TransformationError(
                f"Invalid metric transformation: metricValue {value!r} is no number and no $field"
            )
        if selectors and not compiled.is_json and not pattern.strip().startswith("["):
            raise TransformationError(f"{selectors[0]}: only JSON and space-delimited patterns have fields")


def published(record: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> Iterator[Datum]:
    """What one filter publishes for events of its group; `record` is what PutMetricFilter was given.

    In each minute without a match the default value counts once, where there is one.
    """
    pattern = compile_pattern(str(record.get("filterPattern") or ""))
    for one in record["metricTransformations"]:
        unmatched_minutes: dict[int, float] = {}
        matched_minutes: set[int] = set()
        for event in events:
            at_s = event["timestamp"] / 1000
            fields = pattern.read(event["message"])
            if fields is None:
                unmatched_minutes.setdefault(int(at_s // 60), at_s)
                continue
            matched_minutes.add(int(at_s // 60))
            datum = _datum(one, fields, at_s)
            if datum is not None:
                yield datum
        if one.get("defaultValue") is not None:
            for minute, at_s in unmatched_minutes.items():
                if minute not in matched_minutes:
                    yield _named(one, float(one["defaultValue"]), at_s, ())


def _datum(one: Mapping[str, Any], fields: Any, at_s: float) -> Datum | None:
    """None when the event lacks the value or a dimension: CloudWatch publishes nothing then."""
    asked = str(one["metricValue"])
    value = _number(value_at(fields, asked) if asked.startswith("$") else asked)
    if value is None:
        return None
    dimensions = []
    for name, selector in sorted((one.get("dimensions") or {}).items()):
        found = value_at(fields, selector)
        if found is None:
            return None
        dimensions.append((name, str(found)))
    return _named(one, value, at_s, tuple(dimensions))


def _named(one: Mapping[str, Any], value: float, at_s: float, dimensions: tuple[tuple[str, str], ...]) -> Datum:
    unit = str(one.get("unit") or "None")
    return Datum(str(one["metricNamespace"]), str(one["metricName"]), dimensions, value, at_s, unit)


def _number(text: Any) -> float | None:
    try:
        return None if isinstance(text, bool) or text is None else float(text)
    except (TypeError, ValueError):
        return None
