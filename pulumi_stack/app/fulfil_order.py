"""The queue → charge, receipt, notification, status: each effect once, however often a message comes.

Messages come at least once, in any order, and any step may fail half-way. So each step is one that may be
repeated: the charge and the receipt are written on the condition that there is none yet, the notification
carries the order's id for its readers to recognise it, and the status changes last.
"""

import json
import os
import random
import time
from typing import Any

import time_budget
from aws import client
from botocore.exceptions import BotoCoreError, ClientError
from business_metrics import metrics
from structured_log import log
from tracing import annotate

ORDERS = os.environ["ORDERS_TABLE"]
PAYMENTS = os.environ["PAYMENTS_TABLE"]
RECEIPTS = os.environ["RECEIPTS_BUCKET"]
TOPIC = os.environ["TOPIC_ARN"]
QUEUE = os.environ["QUEUE_URL"]
PRICES = json.loads(os.environ["PRICES"])

_LONGEST_BACKOFF_S = 4
_ORDER_S = 0.5
"""What an order may need: with less left it is not begun, and comes again."""
_UNKNOWN_BACKOFF_S = 1  # enough for a copy of the order to arrive from another region; nothing recovers with time


class UnknownOrderError(Exception):
    """A message about an order that does not exist: nothing can be done, it goes to the dead-letter queue soon."""


@time_budget.begun
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Fulfil every order of the batch; reports the messages that failed, so that only they come again."""
    failed = []
    for record in event["Records"]:
        try:
            time_budget.require(_ORDER_S)  # what is begun and not ended is told to the customer twice
            _fulfil(record)
        except Exception as error:  # noqa: BLE001 - one bad message must not take the batch with it
            what = {"error": f"{type(error).__name__}: {error}", "message_id": record["messageId"]}
            log("fulfilment failed", **what, **metrics(FulfilmentFailures=1))
            longest_s = _UNKNOWN_BACKOFF_S if isinstance(error, UnknownOrderError) else _LONGEST_BACKOFF_S
            _come_again_soon(record, longest_s)
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}


def _fulfil(record: dict[str, Any]) -> None:
    detail = json.loads(record["body"])["detail"]
    order_id, correlation_id = detail["order_id"], detail["correlation_id"]
    annotate(order_id=order_id, correlation_id=correlation_id)
    key = {"order_id": {"S": order_id}}
    order = client("dynamodb").get_item(TableName=ORDERS, Key=key, ConsistentRead=True).get("Item")
    if order is None:
        raise UnknownOrderError(order_id)
    if order["status"]["S"] == "FULFILLED":
        log("order was fulfilled before", correlation_id=correlation_id, order_id=order_id)
        return
    _charge(order, correlation_id)
    _write_receipt(order)
    _notify(order_id, correlation_id, order)
    _mark(order_id)
    took_s = round(time.time() - float(order["placed_at"]["N"]), 3)
    # A failure that did not happen counts as nothing, which is more than no data: the alarm clears at once.
    counted = metrics(OrdersFulfilled=1, FulfilmentTime=took_s, FulfilmentFailures=0)
    log("order fulfilled", correlation_id=correlation_id, order_id=order_id, **counted)


def _charge(order: dict[str, Any], correlation_id: str) -> None:
    """Charge once, and count it once: the payment's key is the order's."""
    order_id, cents = order["order_id"]["S"], _price(order)
    payment = {
        "order_id": {"S": order_id},
        "cents": {"N": str(cents)},
        "charged_at": {"N": str(round(time.time(), 3))},
    }
    with_none_yet = "attribute_not_exists(order_id)"
    try:
        client("dynamodb").put_item(TableName=PAYMENTS, Item=payment, ConditionExpression=with_none_yet)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return
    log("order charged", correlation_id=correlation_id, order_id=order_id, **metrics(RevenueCents=cents))


def _price(order: dict[str, Any]) -> int:
    """In cents; what has no list price is free."""
    items = [item["M"] for item in order["items"]["L"]]
    return sum(PRICES.get(item["sku"]["S"], 0) * int(item["quantity"]["N"]) for item in items)


def _write_receipt(order: dict[str, Any]) -> None:
    """One receipt, one version: S3 refuses a second put under `If-None-Match: *`."""
    order_id = order["order_id"]["S"]
    body = json.dumps({"order_id": order_id, "customer": order["customer"]["S"]})
    try:
        client("s3").put_object(
            Bucket=RECEIPTS, Key=f"receipts/{order_id}.json", Body=body.encode(), IfNoneMatch="*",
            ContentType="application/json",
        )  # fmt: skip
    except ClientError as error:
        if error.response["Error"]["Code"] != "PreconditionFailed":
            raise


def _notify(order_id: str, correlation_id: str, order: dict[str, Any]) -> None:
    """Tell the topic; subscribers filter by the channels that the customer chose."""
    customer, channels = order["customer"]["S"], order.get("channels", {}).get("SS", [])
    told = {"order_id": order_id, "correlation_id": correlation_id, "status": "FULFILLED", "customer": customer}
    attributes = {"channels": {"DataType": "String.Array", "StringValue": json.dumps(channels)}} if channels else {}
    client("sns").publish(TopicArn=TOPIC, Message=json.dumps(told), MessageAttributes=attributes)


def _mark(order_id: str) -> None:
    """It is fulfilled; this is what is kept time for, as until then all of it would be done again."""
    with time_budget.reserve():
        client("dynamodb").update_item(
            TableName=ORDERS,
            Key={"order_id": {"S": order_id}},
            UpdateExpression="SET #status = :fulfilled, fulfilled_at = :now",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues={":fulfilled": {"S": "FULFILLED"}, ":now": {"N": str(round(time.time(), 3))}},
        )


def _come_again_soon(record: dict[str, Any], longest_s: int) -> None:
    """Exponential backoff with full jitter for one message, instead of the queue's whole visibility timeout."""
    received = int(record["attributes"]["ApproximateReceiveCount"])
    ceiling_s = min(longest_s, 2 ** (received - 1))
    try:
        with time_budget.reserve():
            client("sqs").change_message_visibility(
                QueueUrl=QUEUE,
                ReceiptHandle=record["receiptHandle"],
                VisibilityTimeout=random.randint(0, ceiling_s),  # noqa: S311 - spreads load, keeps no secret
            )
    except (BotoCoreError, ClientError) as error:
        log("backoff not set", error=str(error))  # then the visibility timeout brings it back
