"""The orders table's stream → the bus: every new order becomes one OrderPlaced event, at least once.

The stream keeps a batch until it is accepted, so raising is enough to have it sent again. What listens to
the bus must cope with seeing an order twice.
"""

import json
import os
from typing import Any

import time_budget
from aws import client
from structured_log import log
from tracing import annotate

BUS = os.environ["BUS_NAME"]
_BATCH = 10  # PutEvents takes as many


class NotAcceptedError(Exception):
    """The bus refused some events."""


@time_budget.begun
def handler(event: dict[str, Any], _context: Any) -> None:
    """Publish every inserted order of the batch; raises when the bus did not take all of them."""
    images = [record["dynamodb"]["NewImage"] for record in event["Records"] if record["eventName"] == "INSERT"]
    for image in images:
        annotate(order_id=image["order_id"]["S"], correlation_id=image["correlation_id"]["S"])
    for start in range(0, len(images), _BATCH):
        entries = [_entry(image) for image in images[start : start + _BATCH]]
        answer = client("events").put_events(Entries=entries)
        if answer["FailedEntryCount"]:
            codes = sorted({entry["ErrorCode"] for entry in answer["Entries"] if "ErrorCode" in entry})
            raise NotAcceptedError(f"{answer['FailedEntryCount']} events refused: {', '.join(codes)}")
    for image in images:
        log("order published", correlation_id=image["correlation_id"]["S"], order_id=image["order_id"]["S"])


def _entry(image: dict[str, Any]) -> dict[str, str]:
    detail = {"order_id": image["order_id"]["S"], "correlation_id": image["correlation_id"]["S"]}
    return {"EventBusName": BUS, "Source": "orders", "DetailType": "OrderPlaced", "Detail": json.dumps(detail)}
