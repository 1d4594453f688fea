"""Wallets: a FIFO queue keeps each customer's order, books each entry once, and its dead letters are sent again."""

import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pytest

pytestmark = [pytest.mark.part("payments"), pytest.mark.blackstart_covers("lambda")]


@dataclass(frozen=True)
class Wallets:
    """The wallets, and the queue in front of them."""

    outputs: dict[str, Any]
    aws: Any

    def open(self, customer: str) -> None:
        item = {**_balance(customer), "cents": {"N": "0"}, "entries": {"L": []}}
        self.aws("dynamodb").put_item(TableName=self.outputs["wallets_table"], Item=item)

    def send(self, customer: str, entries: Iterable[tuple[str, str, int]]) -> None:
        for entry_id, kind, cents in entries:
            body = {"customer": customer, "entry_id": entry_id, "kind": kind, "cents": cents}
            self.aws("sqs").send_message(
                QueueUrl=self.outputs["payments_queue_url"],
                MessageBody=json.dumps(body),
                MessageGroupId=customer,
                MessageDeduplicationId=f"{customer}/{entry_id}",
            )

    def booked(self, customer: str) -> list[str]:
        """`id STATUS` of every entry, in the order of booking."""
        return [entry["S"] for entry in self._item(customer)["entries"]["L"]]

    def cents(self, customer: str) -> int:
        return int(self._item(customer)["cents"]["N"])

    def _item(self, customer: str) -> dict[str, Any]:
        table = self.outputs["wallets_table"]
        found = self.aws("dynamodb").get_item(TableName=table, Key=_balance(customer), ConsistentRead=True)
        item: dict[str, Any] = found["Item"]
        return item


def _balance(customer: str) -> dict[str, Any]:
    return {"pk": {"S": f"WALLET#{customer}"}, "sk": {"S": "BALANCE"}}


@pytest.fixture
def wallets(shop: Any) -> Wallets:
    return Wallets(shop.outputs, shop.aws)


def somebody() -> str:
    return f"customer-{uuid.uuid4().hex[:12]}"


def test_entries_are_booked_in_the_order_in_which_they_were_sent(wallets: Wallets, eventually: Any) -> None:
    """Each charge is covered by what came just before it, so any other order refuses some of them."""
    customers = [somebody() for _ in range(3)]
    entries = [(f"e{n:02}", "deposit" if n % 2 == 0 else "charge", 100 + n // 2) for n in range(12)]
    for customer in customers:
        wallets.open(customer)
    for entry in entries:  # the customers' entries lie interleaved in the queue
        for customer in customers:
            wallets.send(customer, [entry])
    for customer in customers:
        eventually(lambda c=customer: len(wallets.booked(c)) == 12, within_s=60, what=f"12 entries of {customer}")
        assert wallets.booked(customer) == [f"{entry_id} BOOKED" for entry_id, _, _ in entries]
        assert wallets.cents(customer) == 0


def test_an_entry_sent_twice_is_booked_once(wallets: Wallets, eventually: Any) -> None:
    """SQS drops the second within its five minutes; the entry's id would, hours later."""
    customer = somebody()
    wallets.open(customer)
    wallets.send(customer, [("gift", "deposit", 500), ("gift", "deposit", 500), ("last", "charge", 200)])
    eventually(lambda: len(wallets.booked(customer)) >= 2, within_s=60, what="both entries")
    assert wallets.booked(customer) == ["gift BOOKED", "last BOOKED"]
    assert wallets.cents(customer) == 300


def test_a_charge_that_is_not_covered_is_refused_and_kept(wallets: Wallets, eventually: Any) -> None:
    customer = somebody()
    wallets.open(customer)
    wallets.send(customer, [("a", "deposit", 100), ("b", "charge", 101), ("c", "charge", 100)])
    eventually(lambda: len(wallets.booked(customer)) == 3, within_s=60, what="three entries")
    assert wallets.booked(customer) == ["a BOOKED", "b REFUSED", "c BOOKED"]
    assert wallets.cents(customer) == 0


@pytest.mark.blackstart_requires("message-moves")
def test_dead_letters_are_sent_again_once_their_cause_is_gone(
    shop: Any, wallets: Wallets, blackstart_aws: Any, eventually: Any
) -> None:
    """Entries of somebody without a wallet are given up; other customers go on; a redrive books them."""
    sqs = blackstart_aws("sqs")
    late, other = somebody(), somebody()
    wallets.open(other)
    wallets.send(late, [("welcome", "deposit", 700)])
    wallets.send(other, [("a", "deposit", 1)])
    eventually(lambda: wallets.booked(other) == ["a BOOKED"], within_s=60, what="the other customer's entry")

    def buried() -> bool:
        url = shop.outputs["payments_dlq_url"]
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return any(json.loads(message["Body"])["customer"] == late for message in answer.get("Messages", ()))

    eventually(buried, within_s=60, what="the entry among the dead letters")
    wallets.open(late)
    sqs.start_message_move_task(SourceArn=shop.outputs["payments_dlq_arn"])
    eventually(lambda: wallets.booked(late) == ["welcome BOOKED"], within_s=60, what="the entry booked after all")
    assert wallets.cents(late) == 700
