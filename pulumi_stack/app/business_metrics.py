"""Business metrics in the embedded metric format: CloudWatch makes them of the log line that tells of the event.

So each value can be followed to the orders behind it, and nothing is called. Source:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import os
import time

NAMESPACE = "Shop"
UNITS = {
    "OrdersPlaced": "Count",
    "OrdersFulfilled": "Count",
    "RevenueCents": "None",
    "FulfilmentTime": "Seconds",
    "FulfilmentFailures": "Count",
    "StorefrontErrors": "Count",
}
BY_THE_SECOND = frozenset({"FulfilmentFailures", "StorefrontErrors"})
"""High resolution, for alarms that look every ten seconds."""


def metrics(**values: float) -> dict[str, object]:
    """Fields for a line of `structured_log`: the values, and what makes them metrics of this service."""
    listed = [
        {"Name": name, "Unit": UNITS[name], "StorageResolution": 1 if name in BY_THE_SECOND else 60}
        for name in values
    ]
    directive = {"Namespace": NAMESPACE, "Dimensions": [["service"]], "Metrics": listed}
    meant = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}
    return {"_aws": meant, "service": os.environ.get("SERVICE", "orders"), **values}
