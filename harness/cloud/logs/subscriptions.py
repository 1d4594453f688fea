"""What a subscription filter sends, and where it may send it. Pure.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
"""

from __future__ import annotations

import gzip
import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from harness.cloud.logs.patterns import compile_pattern

MOST_FILTERS = 2
DESTINATIONS = ("lambda", "kinesis", "firehose", "logs")


class DestinationError(ValueError):
    """A destination that CloudWatch Logs refuses; says why."""


def check_destination(arn: str, *, account: str, region: str) -> str:
    """The service of a destination.

    Raises:
        DestinationError: no such kind of destination, or one of another region, or of another account without a
            Logs destination in between.
    """
    parts = (arn.split(":") + [""] * 6)[:6]
    service = parts[2]
    if service not in DESTINATIONS:
        raise DestinationError(
            f"destinationArn {arn} is no Lambda function, Kinesis or Firehose stream, nor a destination"
        )
    if parts[3] != region:
        raise DestinationError(
            f"destinationArn for vendor {service} cannot be used with region {parts[3]}: subscriptions do not cross"
            f" regions; use a {service} in {region} that forwards"
        )
    if parts[4] != account and service != "logs":
        raise DestinationError(f"{arn} is of another account: subscribe a destination (PutDestination) there instead")
    return service


def compressed(
    record: Mapping[str, Any], events: Sequence[Mapping[str, Any]], *, owner: str, stream: str
) -> bytes | None:
    """The gzipped message for the events that match the filter `record`; None when none does."""
    pattern = compile_pattern(str(record.get("filterPattern") or ""))
    matched = [event for event in events if pattern.matches(event["message"])]
    if not matched:
        return None
    message = {
        "messageType": "DATA_MESSAGE",
        "owner": owner,
        "logGroup": record["logGroupName"],
        "logStream": stream,
        "subscriptionFilters": [record["filterName"]],
        "logEvents": [
            {"id": uuid.uuid4().hex, "timestamp": event["timestamp"], "message": event["message"]}
            for event in matched
        ],
    }
    return gzip.compress(json.dumps(message).encode(), compresslevel=1)
