"""Asking as any client does: a URL, and CloudWatch what was counted."""

import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any


def ask(url: str, *, body: bytes | None = None, **headers: str) -> tuple[int, str]:
    """The status and the text of an answer, whatever the status is."""
    request = urllib.request.Request(url, data=body, headers=headers)  # noqa: S310 - our own loopback
    try:
        with urllib.request.urlopen(request) as response:  # noqa: S310
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def total(cloud: Any, namespace: str, name: str, **dimensions: str) -> float:
    """The sum of a metric in the last hour."""
    now = datetime.now(UTC)
    points = cloud.target.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=name,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=2),
        Period=3600,
        Statistics=["Sum"],
    )["Datapoints"]
    return float(sum(point["Sum"] for point in points))
