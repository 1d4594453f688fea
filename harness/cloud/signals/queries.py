"""Metric data queries, of GetMetricData and of alarms: statistics of metrics, and math on them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.cloud.signals.metric_math import MathError, Points, parse
from harness.cloud.signals.series import MetricId, MetricStore
from harness.cloud.signals.statistics import by_period, is_statistic


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One query: either a metric with its statistic, or an expression over other queries, in their periods."""

    id: str
    label: str
    return_data: bool = True
    metric: MetricId | None = None
    statistic: str = "Average"
    period_s: int = 0
    expression: str = ""


def read_queries(raw: Sequence[Mapping[str, Any]], *, account: str, region: str) -> list[Query]:  # wire JSON
    """The queries of a request, or of an alarm's `Metrics`.

    Raises:
        ValueError: a query that cannot be, with its id.
    """
    found = []
    for entry in raw:
        name = str(entry.get("Id", ""))
        stat = entry.get("MetricStat")
        shown = str(entry.get("ReturnData", True)).lower() != "false"
        if stat is None:
            if not entry.get("Expression"):
                raise ValueError(f"query {name!r} has neither MetricStat nor Expression")
            found.append(
                Query(
                    id=name,
                    label=str(entry.get("Label") or name),
                    return_data=shown,
                    expression=str(entry["Expression"]),
                )
            )
            continue
        metric = metric_of(stat["Metric"], account=account, region=region)
        if not is_statistic(str(stat["Stat"])):
            raise ValueError(f"the statistic {stat['Stat']} of query {name!r} is not supported here")
        found.append(
            Query(
                id=name,
                label=str(entry.get("Label") or metric.name),
                return_data=shown,
                metric=metric,
                statistic=str(stat["Stat"]),
                period_s=int(stat["Period"]),
            )
        )
    return found


def metric_of(raw: Mapping[str, Any], *, account: str, region: str) -> MetricId:  # wire JSON
    """The metric that `Namespace`, `MetricName` and `Dimensions` name."""
    dimensions = tuple(sorted((str(d["Name"]), str(d.get("Value", ""))) for d in raw.get("Dimensions") or ()))
    return MetricId(account, region, str(raw.get("Namespace", "")), str(raw.get("MetricName", "")), dimensions)


def answer(
    queries: Sequence[Query], store: MetricStore, *, start_s: float, end_s: float, aligned: bool = True
) -> dict[str, Points]:
    """The time series of every query, by id.

    `aligned` starts periods at whole multiples, as GetMetricData does; an alarm's end where it is evaluated.

    Raises:
        MathError: an expression cannot be evaluated, or queries refer to each other in a circle.
    """
    found: dict[str, Points] = {}
    for query in queries:
        if query.metric is not None:
            first_s = math.floor(start_s / query.period_s) * query.period_s if aligned else start_s
            found[query.id] = by_period(
                store, query.metric, query.statistic, start_s=first_s, end_s=end_s, period_s=query.period_s
            )
    period_s = max((query.period_s for query in queries), default=0) or 60
    waiting = [(query, parse(query.expression)) for query in queries if query.metric is None]
    metrics = {name: points for name, points in found.items() if not name.startswith("_")}
    while waiting:
        ready = [(q, e) for q, e in waiting if not (e.uses & {w.id for w, _ in waiting})]
        if not ready:
            raise MathError(f"expressions refer to each other: {', '.join(q.id for q, _ in waiting)}")
        for query, expression in ready:
            known = metrics if expression.uses_all and not expression.uses else found
            found[query.id] = expression.evaluate(known, period_s=period_s)
        waiting = [entry for entry in waiting if entry not in ready]
    return found
