"""PUT and DELETE /me/cart/{sku}, GET /me/cart: what a customer means to buy, kept for a week after the last change.

DynamoDB deletes what has expired when it finds the time, so that what is read may be past it: it is left out here.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ttl-expired-items.html
"""

import json
import os
import time
from typing import Any

from aws import client
from items import plain, wire
from web import answer, claims_of, in_time

TABLE = os.environ["CATALOGUE_TABLE"]
KEPT_S = int(os.environ["KEPT_DAYS"]) * 86_400
MOST = 99


@in_time
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Answer 200 with the cart, 400 when a quantity is none."""
    customer, method = str(claims_of(event)["sub"]), event["requestContext"]["http"]["method"]
    sku = (event.get("pathParameters") or {}).get("sku", "")
    if method == "PUT":
        quantity = _quantity(event.get("body") or "")
        if quantity is None:
            return answer(400, {"error": f"quantity must be a whole number from 1 to {MOST}"})
        _put(customer, sku, quantity)
    elif method == "DELETE":
        client("dynamodb").delete_item(TableName=TABLE, Key=_key(customer, sku))
    return answer(200, {"lines": _lines(customer)})


def _quantity(body: str) -> int | None:
    try:
        found = json.loads(body)["quantity"]
    except (ValueError, KeyError, TypeError):
        return None
    return found if type(found) is int and 1 <= found <= MOST else None


def _put(customer: str, sku: str, quantity: int) -> None:
    line = {"customer": customer, "sku": sku, "quantity": quantity, "expires_at": int(time.time()) + KEPT_S}
    client("dynamodb").put_item(TableName=TABLE, Item={**_key(customer, sku), **wire(line)})


def _key(customer: str, sku: str) -> dict[str, Any]:
    return wire({"pk": f"CUSTOMER#{customer}", "sk": f"CART#{sku}"})


def _lines(customer: str) -> list[dict[str, Any]]:
    found = client("dynamodb").query(
        TableName=TABLE,
        KeyConditionExpression="pk = :customer AND begins_with(sk, :cart)",
        FilterExpression="expires_at > :now",
        ExpressionAttributeValues=wire(
            {":customer": f"CUSTOMER#{customer}", ":cart": "CART#", ":now": int(time.time())}
        ),
        ConsistentRead=True,
    )
    return [{"sku": line["sku"], "quantity": line["quantity"]} for line in map(plain, found["Items"])]
