"""A customer who got no answer sends the order again: there is still one order, one charge, one receipt."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

pytestmark = pytest.mark.blackstart_covers("execute-api", "lambda", "dynamodb", "events", "s3", "sns")


def test_the_same_key_twice_is_one_order(shop: Any, eventually: Any) -> None:
    key = f"again-{uuid.uuid4()}"
    first, second = shop.place(("tea", 1), key=key), shop.place(("tea", 1), key=key)
    assert (first.status, second.status) == (201, 200)
    order_id = first.body["order_id"]
    assert second.body["order_id"] == order_id
    eventually(lambda: shop.status(order_id) == "FULFILLED", what="the order fulfilled")
    assert shop.place(("tea", 1), key=key).body == {"order_id": order_id, "status": "FULFILLED"}
    assert (shop.charges(order_id), shop.receipts(order_id)) == (1, 1)


def test_the_same_key_at_the_same_time_is_one_order(shop: Any) -> None:
    key = f"race-{uuid.uuid4()}"
    with ThreadPoolExecutor(6) as pool:
        replies = list(pool.map(lambda _: shop.place(("tea", 1), key=key), range(6)))
    assert {reply.body["order_id"] for reply in replies} == {replies[0].body["order_id"]}
    assert sorted(reply.status for reply in replies) == [200] * 5 + [201]
