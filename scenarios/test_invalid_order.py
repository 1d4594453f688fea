"""What is no order is refused with the reason, and nothing is stored."""

import uuid
from typing import Any

import pytest

pytestmark = pytest.mark.blackstart_covers("execute-api", "lambda")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("not json", "not JSON"),
        ({"items": [{"sku": "tea", "quantity": 1}]}, "customer"),
        ({"customer": "ada"}, "items"),
        ({"customer": "ada", "items": []}, "items"),
        ({"customer": "ada", "items": [{"sku": "tea", "quantity": 0}]}, "quantity"),
        ({"customer": "ada", "items": [{"sku": "tea", "quantity": "many"}]}, "quantity"),
        ({"customer": "ada", "items": [{"quantity": 1}]}, "sku"),
    ],
)
def test_a_wrong_order_is_refused_and_not_stored(shop: Any, blackstart_aws: Any, body: Any, says: str) -> None:
    key = f"wrong-{uuid.uuid4()}"
    reply = shop.place(body=body, key=key)
    assert reply.status == 400
    assert says in reply.body["error"]
    found = blackstart_aws("dynamodb").scan(
        TableName=shop.outputs["orders_table"],
        FilterExpression="idempotency_key = :key",
        ExpressionAttributeValues={":key": {"S": key}},
        ConsistentRead=True,
    )
    assert found["Count"] == 0


def test_an_order_nobody_placed_is_not_found(shop: Any) -> None:
    assert shop.order(str(uuid.uuid4())).status == 404
