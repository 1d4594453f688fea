"""The payments queue → wallets: deposits, charges and refunds, booked once and in the order in which they were sent.

The queue is FIFO with one group for each customer. What comes after a failed entry of the same customer is not booked
before it: the rest of the group is handed back with it. An entry's id makes it one, however often it comes.
"""

import json
import os
from typing import Any

import time_budget
from aws import client
from botocore.exceptions import BotoCoreError, ClientError
from items import wire
from structured_log import log

TABLE = os.environ["WALLETS_TABLE"]
QUEUE = os.environ["QUEUE_URL"]
SIGNS = {"deposit": 1, "refund": 1, "charge": -1}


class NoWalletError(Exception):
    """The customer has no wallet (yet): nothing may be booked."""


@time_budget.begun
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Book every entry; reports what failed together with what stands behind it in its group."""
    stopped: set[str] = set()
    failed = []
    for record in event["Records"]:
        group = record["attributes"]["MessageGroupId"]
        try:
            if group not in stopped:
                _book(json.loads(record["body"]))
                continue
        except Exception as error:  # noqa: BLE001 - one customer's trouble is not another's
            log("entry not booked", error=f"{type(error).__name__}: {error}", message_id=record["messageId"])
            stopped.add(group)
        _come_again(record)
        failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}


def _book(entry: dict[str, Any]) -> None:
    """The entry and the balance change together, or not at all; a charge that is not covered is kept as refused."""
    cents = SIGNS[entry["kind"]] * entry["cents"]
    if _write(entry, cents, "BOOKED"):
        log("entry booked", entry=entry["entry_id"], kind=entry["kind"])
    elif not _write(entry, 0, "REFUSED"):
        raise NoWalletError(entry["customer"])


def _write(entry: dict[str, Any], cents: int, status: str) -> bool:
    """True once the entry is there; False where the wallet does not cover it, or is not there."""
    key = {"pk": f"WALLET#{entry['customer']}", "sk": f"ENTRY#{entry['entry_id']}"}
    put = {
        "TableName": TABLE,
        "Item": wire({**key, "kind": entry["kind"], "cents": entry["cents"], "status": status}),
        "ConditionExpression": "attribute_not_exists(pk)",
    }
    move = {
        "TableName": TABLE,
        "Key": wire({"pk": key["pk"], "sk": "BALANCE"}),
        "UpdateExpression": "SET cents = cents + :change, entries = list_append(entries, :entry)",
        "ConditionExpression": "cents >= :needed",
        "ExpressionAttributeValues": wire(
            {":change": cents, ":needed": max(0, -cents), ":entry": [f"{entry['entry_id']} {status}"]}
        ),
    }
    try:
        client("dynamodb").transact_write_items(TransactItems=[{"Put": put}, {"Update": move}])
    except ClientError as error:
        reasons = [reason.get("Code") for reason in error.response.get("CancellationReasons", [])]
        if reasons[:1] == ["ConditionalCheckFailed"]:
            return True  # booked before
        if "ConditionalCheckFailed" in reasons:
            return False
        raise
    return True


def _come_again(record: dict[str, Any]) -> None:
    """At once: a FIFO group waits for its first message, so there is no crowd to spread."""
    try:
        with time_budget.reserve():
            client("sqs").change_message_visibility(
                QueueUrl=QUEUE, ReceiptHandle=record["receiptHandle"], VisibilityTimeout=0
            )
    except (BotoCoreError, ClientError) as error:
        log("not back at once", error=str(error))  # then the visibility timeout brings it back
