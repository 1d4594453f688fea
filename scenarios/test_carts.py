"""A cart is kept for a week; what is left behind expires by itself, and the customer is reminded of it."""

import json
import time
import uuid
from dataclasses import dataclass
from typing import Any

import pytest

pytestmark = [
    pytest.mark.part("carts"),
    pytest.mark.blackstart_requires("cognito-triggers"),
    pytest.mark.blackstart_covers("execute-api", "lambda", "dynamodb", "pipes", "events", "sqs"),
]


@dataclass(frozen=True)
class Cart:
    """One customer's cart, as the customer and as the operator sees it."""

    shop: Any
    http: Any
    customer: Any

    def ask(self, method: str, sku: str = "", body: Any = None) -> Any:
        path = f"{self.shop.url}/me/cart" + (f"/{sku}" if sku else "")
        return self.http(method, path, body, self.customer.headers)

    def lines(self) -> dict[str, int]:
        return {line["sku"]: line["quantity"] for line in self.ask("GET").body["lines"]}

    def key(self, sku: str) -> dict[str, Any]:
        return {"pk": {"S": f"CUSTOMER#{self.customer.sub}"}, "sk": {"S": f"CART#{sku}"}}

    def item(self, sku: str) -> dict[str, Any] | None:
        table, dynamodb = self.shop.outputs["catalogue_table"], self.shop.aws("dynamodb")
        found: dict[str, Any] | None = dynamodb.get_item(TableName=table, Key=self.key(sku), ConsistentRead=True).get(
            "Item"
        )
        return found

    def age(self, sku: str) -> None:
        """What a week without a change does."""
        self.shop.aws("dynamodb").update_item(
            TableName=self.shop.outputs["catalogue_table"],
            Key=self.key(sku),
            UpdateExpression="SET expires_at = :now",
            ExpressionAttributeValues={":now": {"N": str(int(time.time()))}},
        )

    def reminders(self) -> list[str]:
        """The skus of this customer that somebody is to be reminded of; they stay in the queue for others to see."""
        answer = self.shop.aws("sqs").receive_message(
            QueueUrl=self.shop.outputs["cart_reminders_url"], MaxNumberOfMessages=10, VisibilityTimeout=0
        )
        told = [json.loads(message["Body"])["detail"] for message in answer.get("Messages", ())]
        return [detail["sku"] for detail in told if detail["customer"] == self.customer.sub]


@pytest.fixture
def cart(shop: Any, http: Any, accounts: Any) -> Cart:
    return Cart(shop, http, accounts.new_customer())


def test_a_cart_is_filled_changed_and_emptied(cart: Cart) -> None:
    assert cart.ask("PUT", "tea", {"quantity": 2}).body["lines"] == [{"sku": "tea", "quantity": 2}]
    assert [cart.ask("PUT", "tea", body).status for body in ({"quantity": 0}, {"quantity": True}, [], "no")] == [
        400
    ] * 4
    cart.ask("PUT", "tea", {"quantity": 3})
    cart.ask("PUT", "cup", {"quantity": 1})
    assert cart.lines() == {"tea": 3, "cup": 1}
    assert cart.ask("DELETE", "tea").body["lines"] == [{"sku": "cup", "quantity": 1}]


@pytest.mark.blackstart_requires("prompt-expiry", "cognito-triggers")
def test_what_is_left_behind_expires_and_the_customer_is_reminded(cart: Cart, eventually: Any) -> None:
    """Nobody is reminded of what was taken out: only deletes that DynamoDB makes by itself become events."""
    left, out = f"left-{uuid.uuid4().hex[:8]}", f"out-{uuid.uuid4().hex[:8]}"
    for sku in (left, out, "tea"):
        cart.ask("PUT", sku, {"quantity": 1})
    cart.ask("DELETE", out)
    cart.age(left)
    eventually(lambda: cart.lines() == {"tea": 1}, what="the cart without what expired")  # from the next second on
    heard: set[str] = set()
    eventually(lambda: heard.update(cart.reminders()) or left in heard, within_s=60, what="the reminder")
    assert heard == {left}  # what was taken out went before, in the same stream
    assert cart.item(left) is None
    assert cart.item("tea") is not None
