"""GET /orders/{order_id}: the order as it is now. GET /health: whether orders can be read here."""

import json
import os
from typing import Any

from aws import client
from web import in_time

ORDERS = os.environ["ORDERS_TABLE"]


@in_time
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Answer 200 with the order, or 404. Strongly consistent: a customer reads what they have just placed."""
    if event.get("rawPath") == "/health":
        return _health()
    order_id = (event.get("pathParameters") or {}).get("order_id", "")
    found = client("dynamodb").get_item(TableName=ORDERS, Key={"order_id": {"S": order_id}}, ConsistentRead=True)
    item = found.get("Item")
    if item is None:
        return _answer(404, {"error": "no such order"})
    body = {"order_id": order_id, "status": item["status"]["S"], "customer": item["customer"]["S"]}
    return _answer(200, body)


def _health() -> dict[str, Any]:
    """Answer 200 where the table answers: an order that is not there is enough."""
    client("dynamodb").get_item(TableName=ORDERS, Key={"order_id": {"S": "health"}})
    return _answer(200, {"region": os.environ["AWS_REGION"]})


def _answer(status: int, body: dict[str, Any]) -> dict[str, Any]:
    return {"statusCode": status, "headers": {"Content-Type": "application/json"}, "body": json.dumps(body)}
