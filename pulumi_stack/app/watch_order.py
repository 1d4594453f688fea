"""The routes of the WebSocket: a customer connects, says which order to watch, and goes.

The answer to `watch` is the order's status as it is now: read after the watcher is kept, so that no change falls
between the two.
"""

import json
import os
import time
from typing import Any

import time_budget
from aws import client
from items import wire
from structured_log import log

WATCHERS = os.environ["WATCHERS_TABLE"]
ORDERS = os.environ["ORDERS_TABLE"]

_LONGEST_S = 2 * 3600
"""API Gateway ends a connection after two hours."""


@time_budget.begun
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """200 with what the customer is told, if anything."""
    about = event["requestContext"]
    connection = about["connectionId"]
    if about["routeKey"] == "$connect":
        return {"statusCode": 200}
    if about["routeKey"] == "$disconnect":
        client("dynamodb").delete_item(TableName=WATCHERS, Key=wire({"connection_id": connection}))
        log("watcher gone", connection=connection)
        return {"statusCode": 200}
    if about["routeKey"] == "watch":
        return {"statusCode": 200, "body": json.dumps(_watch(event, connection))}
    return {"statusCode": 200, "body": json.dumps({"error": 'say {"action": "watch", "order_id": "…"}'})}


def _watch(event: dict[str, Any], connection: str) -> dict[str, Any]:
    order_id = str(json.loads(event["body"]).get("order_id", ""))
    watcher = {"connection_id": connection, "order_id": order_id, "expires_at": int(time.time()) + _LONGEST_S}
    if not order_id:
        return {"error": "order_id is missing"}
    client("dynamodb").put_item(TableName=WATCHERS, Item=wire(watcher))
    order = client("dynamodb").get_item(TableName=ORDERS, Key=wire({"order_id": order_id}), ConsistentRead=True)
    customer = event["requestContext"]["authorizer"]["principalId"]
    if order.get("Item", {}).get("customer", {}).get("S") != customer:
        client("dynamodb").delete_item(TableName=WATCHERS, Key=wire({"connection_id": connection}))
        return {"error": "no such order"}
    return {"order_id": order_id, "status": order["Item"]["status"]["S"]}
