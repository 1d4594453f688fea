"""Dashboards: what the business looks at, and what its operators look at first.

The structure of a dashboard:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws
from alarms import Metric

COLUMNS, WIDTH, HEIGHT = 3, 8, 6
"""Widgets side by side on a grid that is 24 wide."""


@dataclass(frozen=True)
class Panel:
    """One widget: metrics against time, each with its own statistic."""

    title: str
    metrics: Sequence[Metric]


@dataclass(frozen=True)
class DashboardArgs:
    """Panels from left to right, and above them, where there are any, the alarms' states."""

    region: str
    panels: Sequence[Panel]
    alarms: Sequence[pulumi.Input[str]] = ()


class Dashboard(pulumi.ComponentResource):
    """Outputs: `name`."""

    def __init__(self, name: str, args: DashboardArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("shop:index:Dashboard", name, None, opts)
        made = aws.cloudwatch.Dashboard(
            name,
            dashboard_name=f"{pulumi.get_project()}-{pulumi.get_stack()}-{name}",
            dashboard_body=pulumi.Output.json_dumps({"widgets": list(_widgets(args))}),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.name = made.dashboard_name
        self.register_outputs({"name": self.name})


def _widgets(args: DashboardArgs) -> list[dict[str, Any]]:
    below = 2 if args.alarms else 0
    states = {
        "type": "alarm",
        "x": 0,
        "y": 0,
        "width": COLUMNS * WIDTH,
        "height": below,
        "properties": {"title": "Alarms", "alarms": list(args.alarms)},
    }
    graphs = [
        {
            "type": "metric",
            "x": WIDTH * (at % COLUMNS),
            "y": below + HEIGHT * (at // COLUMNS),
            "width": WIDTH,
            "height": HEIGHT,
            "properties": {
                "title": panel.title,
                "region": args.region,
                "view": "timeSeries",
                "period": 60,
                "metrics": [_row(metric) for metric in panel.metrics],
            },
        }
        for at, panel in enumerate(args.panels)
    ]
    return [states, *graphs] if args.alarms else graphs


def _row(metric: Metric) -> list[Any]:
    dimensions = [part for pair in metric.dimensions.items() for part in pair]
    return [metric.namespace, metric.name, *dimensions, {"stat": metric.statistic}]


def business(service: str) -> list[Panel]:
    """Orders and revenue, as the functions count them (app/business_metrics.py)."""

    def of(name: str, *statistics: str) -> list[Metric]:
        return [Metric("Shop", name, {"service": service}, statistic) for statistic in statistics]

    return [
        Panel("Orders", [*of("OrdersPlaced", "Sum"), *of("OrdersFulfilled", "Sum")]),
        Panel("Revenue (cents)", of("RevenueCents", "Sum")),
        Panel("From placed to fulfilled (s)", of("FulfilmentTime", "p50", "p95")),
    ]


def of_api(api_id: pulumi.Input[str]) -> list[Panel]:
    """Traffic, errors and latency of an HTTP API."""
    api = {"ApiId": api_id}
    counts = [Metric("AWS/ApiGateway", name, api) for name in ("Count", "4xx", "5xx")]
    times = [Metric("AWS/ApiGateway", "Latency", api, statistic) for statistic in ("p50", "p95", "p99")]
    return [Panel("API: requests and errors", counts), Panel("API: latency (ms)", times)]


def of_functions(names: Sequence[pulumi.Input[str]]) -> list[Panel]:
    """How long functions take, and what goes wrong with them."""

    def each(name: str, statistic: str) -> list[Metric]:
        return [Metric("AWS/Lambda", name, {"FunctionName": one}, statistic) for one in names]

    wrong = [*each("Errors", "Sum"), *each("Throttles", "Sum")]
    return [Panel("Functions: p95 (ms)", each("Duration", "p95")), Panel("Functions: errors and throttles", wrong)]


def of_queue(title: str, queue: pulumi.Input[str], dead_letters: pulumi.Input[str]) -> Panel:
    """How old the oldest message is, how many wait, and how many were given up."""
    waiting = "ApproximateNumberOfMessagesVisible"
    return Panel(
        f"{title}: age (s) and messages",
        [
            Metric("AWS/SQS", "ApproximateAgeOfOldestMessage", {"QueueName": queue}, "Maximum"),
            Metric("AWS/SQS", waiting, {"QueueName": queue}, "Maximum"),
            Metric("AWS/SQS", waiting, {"QueueName": dead_letters}, "Maximum"),
        ],
    )


def of_balancer(title: str, balancer: aws.lb.LoadBalancer, group: aws.lb.TargetGroup) -> list[Panel]:
    """Requests, latency and healthy targets behind a load balancer."""
    front = {"LoadBalancer": balancer.arn_suffix}
    both = {**front, "TargetGroup": group.arn_suffix}
    asked = [
        Metric("AWS/ApplicationELB", "RequestCount", front),
        Metric("AWS/ApplicationELB", "RequestCountPerTarget", {"TargetGroup": group.arn_suffix}),
        Metric("AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", front),
    ]
    took = [Metric("AWS/ApplicationELB", "TargetResponseTime", front, statistic) for statistic in ("p50", "p95")]
    hosts = [
        Metric("AWS/ApplicationELB", name, both, statistic)
        for name, statistic in (("HealthyHostCount", "Minimum"), ("UnHealthyHostCount", "Maximum"))
    ]
    return [
        Panel(f"{title}: requests and errors", asked),
        Panel(f"{title}: latency (s)", took),
        Panel(f"{title}: targets", hosts),
    ]
