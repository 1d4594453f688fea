"""The topic of fulfilled orders → every connection that watches one; connections that are gone are forgotten.

What is late is dropped: who still waits has asked by then, and a backlog is worked off for those whom it still helps.
"""

import json
import os
import time
from datetime import datetime
from typing import Any

import time_budget
from aws import client
from items import plain, wire
from structured_log import log

WATCHERS = os.environ["WATCHERS_TABLE"]
STALE_S = 120


@time_budget.begun
def handler(event: dict[str, Any], _context: Any) -> None:
    """Tell the watchers of each order in the event."""
    for record in event["Records"]:
        told = json.loads(record["Sns"]["Message"])
        age_s = time.time() - datetime.fromisoformat(record["Sns"]["Timestamp"]).timestamp()
        if age_s > STALE_S:
            log("stale status dropped", order_id=told["order_id"], age_s=round(age_s))
            continue
        for connection in _watching(told["order_id"]):
            _push(connection, told)


def _watching(order_id: str) -> list[str]:
    found = client("dynamodb").query(
        TableName=WATCHERS,
        IndexName="by-order",
        KeyConditionExpression="order_id = :order",
        ExpressionAttributeValues=wire({":order": order_id}),
    )
    return [plain(item)["connection_id"] for item in found["Items"]]


def _push(connection: str, told: dict[str, Any]) -> None:
    words = {"order_id": told["order_id"], "status": told["status"]}
    connections = client("apigatewaymanagementapi", endpoint_url=os.environ["CONNECTIONS_URL"])
    try:
        connections.post_to_connection(ConnectionId=connection, Data=json.dumps(words).encode())
    except connections.exceptions.GoneException:
        client("dynamodb").delete_item(TableName=WATCHERS, Key=wire({"connection_id": connection}))
        log("watcher was gone", connection=connection, correlation_id=told.get("correlation_id", ""))
        return
    log("status pushed", order_id=told["order_id"], correlation_id=told.get("correlation_id", ""))
