"""POST /me/checkouts, GET /me/checkouts/{checkout_id}: a signed-in customer pays for a basket by card.

The basket is priced by an Express workflow while the customer waits; the payment is a Standard one that runs on.
A customer whose app says in `X-Patience-Ms` how long it waits is answered by then, if only that it should ask again.
"""

import json
import os
import uuid
from typing import Any

from aws import client
from botocore.exceptions import ClientError
from items import plain, wire
from structured_log import log
from tracing import annotate
from web import answer, claims_of, in_time

TABLE = os.environ["CATALOGUE_TABLE"]
PRICING, SAGA = os.environ["PRICING_ARN"], os.environ["SAGA_ARN"]

_NAMESPACE = uuid.UUID("b24b8f0e-5a49-4b0b-9d8c-6f0a8f3f1c55")


@in_time
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """202 with the checkout's id, 400 for a basket that cannot be priced; 200 with the state, 404; 503 too late."""
    customer = str(claims_of(event)["sub"])
    if event["requestContext"]["http"]["method"] == "GET":
        return _show(customer, event["pathParameters"]["checkout_id"])
    basket = json.loads(event["body"])
    priced = client("stepfunctions").start_sync_execution(
        stateMachineArn=PRICING, input=json.dumps({"lines": basket["lines"]})
    )
    if priced["status"] != "SUCCEEDED":
        return answer(400, {"error": priced.get("error", "the basket cannot be priced")})
    key = {name.lower(): value for name, value in event["headers"].items()}["idempotency-key"]
    checkout_id = str(uuid.uuid5(_NAMESPACE, f"{customer}\n{key}"))
    annotate(checkout_id=checkout_id)
    bill = json.loads(priced["output"])
    _keep(customer, checkout_id, bill["total_cents"])
    order = {"checkout_id": checkout_id, "customer": customer, "card": basket["card"], **bill}
    _start(checkout_id, order)
    return answer(202, {"checkout_id": checkout_id, "total_cents": bill["total_cents"]})


def _start(checkout_id: str, order: dict[str, Any]) -> None:
    """Start the payment, named by the checkout: what was started before, or has ended, is not started again."""
    try:
        client("stepfunctions").start_execution(stateMachineArn=SAGA, name=checkout_id, input=json.dumps(order))
    except ClientError as error:
        if error.response["Error"]["Code"] != "ExecutionAlreadyExists":
            raise
    log("checkout started", checkout=checkout_id)


def _keep(customer: str, checkout_id: str, cents: int) -> None:
    """The checkout, pending; nothing when it is there, because the customer sent it again."""
    item = {**_key(customer, checkout_id), "status": "PENDING", "total_cents": cents}
    try:
        client("dynamodb").put_item(TableName=TABLE, Item=wire(item), ConditionExpression="attribute_not_exists(pk)")
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise


def _show(customer: str, checkout_id: str) -> dict[str, Any]:
    """Under the customer's own key, so that another's checkout is not found."""
    key = wire(_key(customer, checkout_id))
    item = client("dynamodb").get_item(TableName=TABLE, Key=key, ConsistentRead=True).get("Item")
    if item is None:
        return answer(404, {"error": "no such checkout"})
    return answer(200, {name: value for name, value in plain(item).items() if name not in {"pk", "sk"}})


def _key(customer: str, checkout_id: str) -> dict[str, str]:
    return {"pk": f"CUSTOMER#{customer}", "sk": f"CHECKOUT#{checkout_id}"}
