"""Paying by card: the basket is priced while the customer waits, and a payment that fails is undone step by step."""

import json
import uuid
from dataclasses import dataclass
from typing import Any

import pytest

pytestmark = [
    pytest.mark.part("checkout"),
    pytest.mark.blackstart_requires("cognito-triggers"),
    pytest.mark.blackstart_covers("execute-api", "lambda", "stepfunctions", "dynamodb"),
]

GOOD, DECLINED, BUSY, BROKEN = "4242424242424242", "4000000000000002", "4000000000000044", "4000000000000099"


@dataclass(frozen=True)
class Till:
    """Somebody with a basket, and a product of their own so that nobody else moves its stock."""

    shop: Any
    http: Any
    customer: Any
    sku: str

    def pay(self, card: str, quantity: int = 2, headers: dict[str, str] | None = None) -> Any:
        basket = {"lines": [{"sku": self.sku, "quantity": quantity}], "card": card}
        return self.http("POST", f"{self.shop.url}/me/checkouts", basket, headers or self.customer.headers)

    def state(self, checkout_id: str) -> dict[str, Any]:
        found = self.http("GET", f"{self.shop.url}/me/checkouts/{checkout_id}", None, self.customer.headers)
        state: dict[str, Any] = found.body
        return state

    def settled(self, checkout_id: str) -> bool:
        return self.state(checkout_id)["status"] != "PENDING"

    def stock(self) -> int:
        table, key = self.shop.outputs["stock_table"], {"sku": {"S": self.sku}}
        item = self.shop.aws("dynamodb").get_item(TableName=table, Key=key, ConsistentRead=True)["Item"]
        return int(item["available"]["N"])

    def moves(self, action: str, checkout_id: str) -> int:
        """How often the card was really charged or refunded for a checkout."""
        table, key = self.shop.outputs["once_table"], {"id": {"S": f"COUNT#{action}s of {checkout_id}"}}
        item = self.shop.aws("dynamodb").get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")
        return 0 if item is None else int(item["times"]["N"])


@pytest.fixture
def till(shop: Any, http: Any, customer: Any) -> Till:
    """Ten of a new product at 350 cents."""
    sku, dynamodb = f"pot-{uuid.uuid4().hex[:8]}", shop.aws("dynamodb")
    dynamodb.put_item(
        TableName=shop.outputs["catalogue_table"],
        Item={"pk": {"S": f"PRODUCT#{sku}"}, "sk": {"S": "PRODUCT"}, "price_cents": {"N": "350"}},
    )
    stock = {"sku": {"S": sku}, "available": {"N": "10"}}
    dynamodb.put_item(TableName=shop.outputs["stock_table"], Item=stock)
    return Till(shop, http, customer, sku)


def test_a_basket_is_priced_paid_and_taken_from_the_stock(till: Till, eventually: Any) -> None:
    started = till.pay(GOOD, quantity=3)
    assert (started.status, started.body["total_cents"]) == (202, 1050)
    checkout = started.body["checkout_id"]
    eventually(lambda: till.settled(checkout), within_s=60, what="the checkout settled")
    assert till.state(checkout)["status"] == "PAID"
    assert (till.stock(), till.moves("charge", checkout)) == (7, 1)


def test_a_declined_card_puts_everything_back(till: Till, eventually: Any) -> None:
    checkout = till.pay(DECLINED).body["checkout_id"]
    eventually(lambda: till.settled(checkout), within_s=60, what="the checkout settled")
    assert (till.state(checkout)["status"], till.state(checkout)["reason"]) == ("FAILED", "card declined")
    assert (till.stock(), till.moves("charge", checkout)) == (10, 0)


def test_a_busy_gateway_is_asked_again_and_charges_once(till: Till, eventually: Any) -> None:
    """The named error is retried with backoff: the third try is taken."""
    checkout = till.pay(BUSY).body["checkout_id"]
    eventually(lambda: till.settled(checkout), within_s=60, what="the checkout settled")
    assert till.state(checkout)["status"] == "PAID"
    assert (till.stock(), till.moves("charge", checkout)) == (8, 1)


def test_a_broken_gateway_is_not_asked_again(till: Till, shop: Any, eventually: Any) -> None:
    """An error that is not named is not retried: the function was invoked once."""
    checkout = till.pay(BROKEN).body["checkout_id"]
    eventually(lambda: till.settled(checkout), within_s=60, what="the checkout settled")
    assert till.state(checkout)["reason"] == "no payment"
    assert till.stock() == 10
    execution = f"{shop.outputs['saga_arn'].replace(':stateMachine:', ':execution:')}:{checkout}"
    events = shop.aws("stepfunctions").get_execution_history(executionArn=execution, maxResults=1000)["events"]
    assert len([e for e in events if e["type"] in {"TaskFailed", "LambdaFunctionFailed"}]) == 1


def test_what_is_not_in_stock_is_not_charged(till: Till, eventually: Any) -> None:
    checkout = till.pay(GOOD, quantity=11).body["checkout_id"]
    eventually(lambda: till.settled(checkout), within_s=60, what="the checkout settled")
    assert till.state(checkout)["reason"] == "out of stock"
    assert (till.stock(), till.moves("charge", checkout)) == (10, 0)


def test_a_checkout_cancelled_meanwhile_is_refunded_and_released(till: Till, shop: Any, eventually: Any) -> None:
    """Compensation of two steps: the payment had been taken when the customer's cancellation was seen."""
    checkout, steps = str(uuid.uuid4()), shop.aws("stepfunctions")
    line = {"sku": till.sku, "quantity": 4}
    order = {"checkout_id": checkout, "customer": "gone", "card": GOOD, "lines": [line], "total_cents": 1400}
    cancelled = {"pk": {"S": "CUSTOMER#gone"}, "sk": {"S": f"CHECKOUT#{checkout}"}, "status": {"S": "CANCELLED"}}
    shop.aws("dynamodb").put_item(TableName=shop.outputs["catalogue_table"], Item=cancelled)
    arn = steps.start_execution(stateMachineArn=shop.outputs["saga_arn"], name=checkout, input=json.dumps(order))[
        "executionArn"
    ]
    ended = eventually(
        lambda: (e := steps.describe_execution(executionArn=arn))["status"] != "RUNNING" and e,
        within_s=60,
        what="the saga ended",
    )
    assert (ended["status"], ended["error"], ended["cause"]) == ("FAILED", "CheckoutFailed", "cancelled")
    assert (till.moves("charge", checkout), till.moves("refund", checkout), till.stock()) == (1, 1, 10)


def test_a_checkout_sent_again_is_one_checkout(till: Till, eventually: Any) -> None:
    headers = till.customer.headers
    first, again = till.pay(GOOD, headers=headers), till.pay(GOOD, headers=headers)
    assert (first.status, again.status) == (202, 202)
    assert first.body["checkout_id"] == again.body["checkout_id"]
    checkout = first.body["checkout_id"]
    eventually(lambda: till.settled(checkout), within_s=60, what="the checkout settled")
    assert (till.stock(), till.moves("charge", checkout)) == (8, 1)


def test_the_gateway_tells_a_retry_what_happened_the_first_time(shop: Any) -> None:
    """Powertools' idempotency: the same move twice, even by hand, charges once and answers the same."""
    move = {"action": "charge", "checkout_id": f"by-hand-{uuid.uuid4()}", "card": GOOD, "cents": 1}

    def charge() -> Any:
        answer = shop.aws("lambda").invoke(FunctionName=shop.outputs["card_function"], Payload=json.dumps(move))
        assert "FunctionError" not in answer
        return json.load(answer["Payload"])

    first = charge()
    assert first["moves"] == 1
    assert charge() == first


def test_a_basket_with_an_unknown_product_is_refused(till: Till) -> None:
    basket = {"lines": [{"sku": till.sku, "quantity": 1}, {"sku": "unicorn", "quantity": 1}], "card": GOOD}
    refused = till.http("POST", f"{till.shop.url}/me/checkouts", basket, till.customer.headers)
    assert (refused.status, refused.body["error"]) == (400, "UnknownProduct")


@pytest.mark.blackstart_requires("faults")
def test_a_customer_who_does_not_wait_for_ever_is_answered_in_time_and_asks_again(
    till: Till, blackstart_faults: Any, eventually: Any
) -> None:
    """Timeouts as a budget: the calls of the function share what the customer's app says it waits."""
    from harness.cloud.faults import Latency, Selector

    role = f"arn:aws:iam::*:role/{till.shop.outputs['roles']['checkout']}"
    slow = Selector(service="stepfunctions", operation="StartExecution", caller_role=role)
    blackstart_faults.inject(slow, Latency(delay_s=4.0))  # less than the function waits for a call by itself
    headers = {**till.customer.headers, "X-Patience-Ms": "2500"}

    def late() -> bool:
        reply = till.pay(GOOD, headers=headers)
        assert (reply.status, reply.headers.get("retry-after")) == (503, "1")
        return bool(blackstart_faults.fired())

    eventually(late, within_s=60, what="a checkout out of time while the payment is started")
    blackstart_faults.heal()
    again = till.pay(GOOD, headers={name: headers[name] for name in ("Authorization", "Idempotency-Key")})
    assert again.status == 202
    checkout = again.body["checkout_id"]
    eventually(lambda: till.settled(checkout), within_s=60, what="the checkout settled")
    assert (till.state(checkout)["status"], till.stock(), till.moves("charge", checkout)) == ("PAID", 8, 1)
