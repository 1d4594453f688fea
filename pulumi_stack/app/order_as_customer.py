"""POST and GET /me/orders: a signed-in customer orders, and sees the own orders and nobody else's."""

import json
import os
from typing import Any

import place_order
from aws import client
from items import plain, wire
from web import answer, claims_of, groups_of, in_time

TABLE = os.environ["CATALOGUE_TABLE"]


@in_time
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer 403 to who is no customer; else as POST /orders does, or 200 with the list."""
    claims = claims_of(event)
    if "customers" not in groups_of(claims):
        return answer(403, {"error": "only customers may order"})
    customer = str(claims["sub"])
    if event["requestContext"]["http"]["method"] == "GET":
        return answer(200, {"orders": _orders_of(customer)})
    return _place(event, context, customer)


def _place(event: dict[str, Any], context: Any, customer: str) -> dict[str, Any]:
    """Place it under the customer's own id, whatever the body says, then note it in the customer's list."""
    try:
        body = json.loads(event.get("body") or "")
    except ValueError:
        body = None
    if isinstance(body, dict):
        event = {**event, "body": json.dumps({**body, "customer": customer})}
    placed = place_order.handler(event, context)
    if placed["statusCode"] in {200, 201}:
        order_id = json.loads(placed["body"])["order_id"]
        note = {"pk": f"CUSTOMER#{customer}", "sk": f"ORDER#{order_id}", "order_id": order_id}
        client("dynamodb").put_item(TableName=TABLE, Item=wire(note))  # the same note when the order is sent again
    return placed


def _orders_of(customer: str) -> list[str]:
    found = client("dynamodb").query(
        TableName=TABLE,
        KeyConditionExpression="pk = :customer AND begins_with(sk, :order)",
        ExpressionAttributeValues=wire({":customer": f"CUSTOMER#{customer}", ":order": "ORDER#"}),
        ConsistentRead=True,
    )
    return [plain(item)["order_id"] for item in found["Items"]]
