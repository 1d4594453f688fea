"""What the dashboards show is there: each is well formed, and every metric that it names has data after an order."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

pytestmark = [
    pytest.mark.part("payments", "storefront"),
    pytest.mark.blackstart_requires("ecs"),
    pytest.mark.blackstart_covers("lambda", "sqs", "dynamodb"),
]

ONLY_WHEN_WRONG = frozenset({"HTTPCode_Target_5XX_Count"})
"""Load balancers publish no zeros. That the dimensions are right is known by other metrics with the same."""

Row = tuple[str, str, tuple[tuple[str, str], ...], str]
"""Namespace, name, dimensions, statistic."""


def board(shop: Any, name: str) -> list[dict[str, Any]]:
    """The widgets of a dashboard."""
    widgets: list[dict[str, Any]] = json.loads(
        shop.aws("cloudwatch").get_dashboard(DashboardName=name)["DashboardBody"]
    )["widgets"]
    return widgets


def rows(widgets: list[dict[str, Any]]) -> Iterator[Row]:
    """The metrics that are drawn."""
    for widget in widgets:
        for namespace, name, *dimensions, options in widget["properties"].get("metrics", ()):
            pairs = zip(dimensions[::2], dimensions[1::2], strict=True)
            yield namespace, name, tuple(sorted(pairs)), options["stat"]


def without_data(shop: Any, wanted: set[Row]) -> set[Row]:
    """Those of which CloudWatch has had nothing in the last quarter of an hour."""
    now, numbered = datetime.now(UTC), dict(enumerate(sorted(wanted)))
    queries = [
        {
            "Id": f"m{number}",
            "MetricStat": {
                "Metric": {
                    "Namespace": namespace,
                    "MetricName": name,
                    "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions],
                },
                "Period": 60,
                "Stat": statistic,
            },
        }
        for number, (namespace, name, dimensions, statistic) in numbered.items()
    ]
    pages = shop.aws("cloudwatch").get_paginator("get_metric_data").paginate(
        MetricDataQueries=queries, StartTime=now - timedelta(minutes=15), EndTime=now + timedelta(minutes=1)
    )  # fmt: skip
    empty = set(wanted)
    for page in pages:
        empty -= {numbered[int(one["Id"][1:])] for one in page["MetricDataResults"] if one["Values"]}
    return empty


def test_every_metric_of_the_dashboards_has_data_after_an_order(shop: Any, http: Any, eventually: Any) -> None:
    order_id = shop.place(("tea", 2)).body["order_id"]
    shop.order(order_id)
    page = f"{shop.outputs['storefront_url']}/orders/{order_id}"
    eventually(lambda: http("GET", page).status == 200, what="the order's page, which may be too busy at first")
    drawn = {row for name in shop.outputs["dashboards"] for row in rows(board(shop, name))}
    assert len(drawn) >= 30

    def missing() -> list[Row]:
        return sorted(row for row in without_data(shop, drawn) if row[1] not in ONLY_WHEN_WRONG)

    eventually(lambda: not missing(), what="data of every metric on a dashboard")
    dimensions = {row[2] for row in drawn if row[1] not in ONLY_WHEN_WRONG}
    assert {row[2] for row in drawn} == dimensions


def test_an_order_is_counted_once_with_what_it_cost(shop: Any, eventually: Any) -> None:
    """The line of the log that makes the metrics is found by the order's id."""
    key = f"scenario-dashboards-{datetime.now(UTC).timestamp()}"
    order_id = shop.place(("tea", 2), ("cup", 1), key=key).body["order_id"]
    eventually(lambda: shop.status(order_id) == "FULFILLED", what="the order fulfilled")
    assert shop.place(("tea", 2), ("cup", 1), key=key).status == 200

    def told() -> dict[str, list[Any]]:
        lines = []
        for function in ("place", "fulfil"):
            group = f"/aws/lambda/{shop.outputs['functions'][function]}"
            found = shop.aws("logs").filter_log_events(logGroupName=group, filterPattern=f'"{order_id}"')["events"]
            lines += [json.loads(event["message"]) for event in found]
        counted: dict[str, list[Any]] = {}
        for line in lines:
            for directive in line.get("_aws", {}).get("CloudWatchMetrics", ()):
                for metric in directive["Metrics"]:
                    counted.setdefault(metric["Name"], []).append(line[metric["Name"]])
        return counted

    eventually(lambda: "OrdersFulfilled" in told(), what="the order's lines in the log")
    took_s = told().pop("FulfilmentTime")[0]
    assert told() == {
        "OrdersPlaced": [1],
        "OrdersFulfilled": [1],
        "RevenueCents": [2 * 350 + 900],
        "FulfilmentTime": [took_s],
        "FulfilmentFailures": [0],
    }
    assert took_s > 0


def test_the_dashboards_are_drawn_as_cloudwatch_wants_them(shop: Any) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html."""
    for name in shop.outputs["dashboards"]:
        widgets, taken = board(shop, name), set[tuple[int, int]]()
        for widget in widgets:
            x, y, width, height = (widget[side] for side in ("x", "y", "width", "height"))
            assert widget["type"] in {"metric", "alarm"}
            assert x >= 0
            assert y >= 0
            assert x + width <= 24
            assert 1 <= height <= 1000
            places = {(column, row) for column in range(x, x + width) for row in range(y, y + height)}
            assert not places & taken, f"{name}: {widget['properties']['title']} lies on another widget"
            taken |= places
            shown = widget["properties"]
            if widget["type"] == "metric":
                assert shown["region"] == shop.outputs["region"]
                assert shown["view"] in {"timeSeries", "singleValue", "gauge", "bar", "pie"}
                assert shown["period"] % 60 == 0
            else:
                found = shop.aws("cloudwatch").describe_alarms(AlarmNames=[a.split(":")[-1] for a in shown["alarms"]])
                assert {alarm["AlarmArn"] for alarm in found["MetricAlarms"]} == set(shown["alarms"])
