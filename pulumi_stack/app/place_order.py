"""POST /orders: place an order once, however often it is sent.

Order and stock change in one transaction, on the condition that the order does not exist yet. A client that
got no answer sends the same idempotency key again and gets the same order.

A transaction that meets another one, or a key that takes no more just now, is cancelled, and the SDK does not try it
again; the function does, with exponential backoff and full jitter, and at last asks the customer to come again.
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
"""

import json
import os
import time
from typing import Any

import time_budget
from aws import client
from botocore.exceptions import ClientError
from business_metrics import metrics
from order import InvalidOrderError, Item, Order, read_order
from structured_log import log
from tracing import annotate
from web import in_time

ORDERS = os.environ["ORDERS_TABLE"]
STOCK = os.environ["STOCK_TABLE"]

_PASSING = {"None", "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
"""Reasons of a cancelled transaction that are gone a moment later."""
_BACKOFF_S = (0.2, 0.4, 0.8)
"""The longest waits before the second try, the third and the last: less than a customer's patience."""


@in_time
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer 201 placed, 200 placed before, 400 not an order, 409 out of stock, 503 too busy: come again."""
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    correlation_id = headers.get("x-correlation-id") or context.aws_request_id
    try:
        order = read_order(event.get("body") or "", headers.get("idempotency-key", ""))
    except InvalidOrderError as error:
        log("order refused", correlation_id=correlation_id, reason=str(error))
        return _answer(400, {"error": str(error)})
    annotate(order_id=order.order_id, correlation_id=correlation_id)
    try:
        _place(order, correlation_id)
    except ClientError as error:
        if error.response["Error"]["Code"] != "TransactionCanceledException":
            raise
        return _cancelled(order, error, correlation_id)
    log("order placed", correlation_id=correlation_id, order_id=order.order_id, **metrics(OrdersPlaced=1))
    return _answer(201, {"order_id": order.order_id, "status": "PLACED"})


def _place(order: Order, correlation_id: str) -> None:
    record = {
        "order_id": {"S": order.order_id},
        "idempotency_key": {"S": order.idempotency_key},
        "customer": {"S": order.customer},
        "status": {"S": "PLACED"},
        "items": {"L": [{"M": {"sku": {"S": i.sku}, "quantity": {"N": str(i.quantity)}}} for i in order.items]},
        "correlation_id": {"S": correlation_id},
        "region": {"S": os.environ["AWS_REGION"]},
        "placed_at": {"N": str(round(time.time(), 3))},
        **({"channels": {"SS": list(order.channels)}} if order.channels else {}),
    }
    put = {"TableName": ORDERS, "Item": record, "ConditionExpression": "attribute_not_exists(order_id)"}
    # Without a token of our own the SDK draws a random one, and a retry after a lost answer would look like
    # another transaction; the condition above would then report the order as placed before, which it was.
    writes = [{"Put": put}, *(_take(item) for item in order.items)]
    for longest_s in _BACKOFF_S:
        try:
            client("dynamodb").transact_write_items(TransactItems=writes)
        except ClientError as error:
            if not _passes(error):
                raise
            time_budget.pause(longest_s)
        else:
            return
    client("dynamodb").transact_write_items(TransactItems=writes)


def _reasons(error: ClientError) -> list[str]:
    return [reason.get("Code", "None") for reason in error.response.get("CancellationReasons", [])]


def _passes(error: ClientError) -> bool:
    """Whether the transaction was cancelled for reasons that are gone a moment later."""
    return bool(_reasons(error)) and set(_reasons(error)) <= _PASSING


def _take(item: Item) -> dict[str, Any]:
    """Take so many out of the stock, if there are as many."""
    return {
        "Update": {
            "TableName": STOCK,
            "Key": {"sku": {"S": item.sku}},
            "UpdateExpression": "SET available = available - :n",
            "ConditionExpression": "available >= :n",
            "ExpressionAttributeValues": {":n": {"N": str(item.quantity)}},
        }
    }


def _cancelled(order: Order, error: ClientError, correlation_id: str) -> dict[str, Any]:
    """Placed before, out of stock, or too busy just now: then the customer may come again."""
    found = client("dynamodb").get_item(
        TableName=ORDERS, Key={"order_id": {"S": order.order_id}}, ConsistentRead=True
    )
    if "Item" in found:
        log("order was placed before", correlation_id=correlation_id, order_id=order.order_id)
        return _answer(200, {"order_id": order.order_id, "status": found["Item"]["status"]["S"]})
    reasons = _reasons(error)
    if "ConditionalCheckFailed" in reasons[1:]:
        missing = [
            i.sku for i, code in zip(order.items, reasons[1:], strict=False) if code == "ConditionalCheckFailed"
        ]
        log("out of stock", correlation_id=correlation_id, skus=missing)
        return _answer(409, {"error": f"out of stock: {', '.join(missing)}"})
    if not _passes(error):
        raise error
    log("too busy", correlation_id=correlation_id, order_id=order.order_id, reasons=reasons)
    return _answer(503, {"error": "too busy; try again"}, {"Retry-After": "1"})


def _answer(status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> dict[str, Any]:
    said = {"Content-Type": "application/json", **(headers or {})}
    return {"statusCode": status, "headers": said, "body": json.dumps(body)}
