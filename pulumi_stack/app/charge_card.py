"""The card gateway, as far as the shop sees it: charges and refunds, each done once for a checkout.

Like the test cards of real gateways, the number says what happens. Powertools keeps the answer of each checkout, so
that a retry after a lost answer is told what happened the first time.
"""

import os
from typing import Any

import time_budget
from aws import client
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from items import plain, wire
from structured_log import log

TABLE = os.environ["IDEMPOTENCY_TABLE"]
DECLINED, BUSY, BROKEN = "4000000000000002", "4000000000000044", "4000000000000099"

_STORE = DynamoDBPersistenceLayer(table_name=TABLE, boto3_client=client("dynamodb"))
_ONCE = IdempotencyConfig(event_key_jmespath="[action, checkout_id]", expires_after_seconds=86_400)


class CardDeclinedError(Exception):
    """The bank says no: asking again does not help."""


class GatewayBusyError(Exception):
    """The gateway says later: asking again helps."""


class GatewayBrokenError(Exception):
    """The gateway is down for longer than anybody waits."""


@time_budget.begun
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """`{action: charge|refund, checkout_id, card, cents}` → `{reference}`, the same for the same checkout."""
    _ONCE.register_lambda_context(context)
    found: dict[str, Any] = _once(move=event)
    return found


@idempotent_function(data_keyword_argument="move", persistence_store=_STORE, config=_ONCE)
def _once(move: dict[str, Any]) -> dict[str, Any]:
    card, checkout = move["card"], move["checkout_id"]
    if move["action"] == "charge":
        if card == DECLINED:
            raise CardDeclinedError(f"card ending {card[-4:]} was declined")
        if card == BROKEN:
            raise GatewayBrokenError("no answer")
        if card == BUSY and _tries(checkout) < 3:
            raise GatewayBusyError("too many requests")
    moves = _count(f"{move['action']}s of {checkout}")
    log("card moved", action=move["action"], checkout=checkout, cents=move["cents"])
    return {"reference": f"{move['action']}-{checkout}", "moves": moves}


def _tries(checkout: str) -> int:
    return _count(f"tries of {checkout}")


def _count(what: str) -> int:
    """One more; returns how many there were by now."""
    found = client("dynamodb").update_item(
        TableName=TABLE,
        Key=wire({"id": f"COUNT#{what}"}),
        UpdateExpression="ADD times :one",
        ExpressionAttributeValues=wire({":one": 1}),
        ReturnValues="ALL_NEW",
    )
    return int(plain(found["Attributes"])["times"])
