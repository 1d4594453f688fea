"""A customer reads what they have just placed, at once."""

from typing import Any

import pytest

pytestmark = pytest.mark.blackstart_covers("execute-api", "lambda", "dynamodb")


def test_an_order_is_readable_as_soon_as_it_is_placed(shop: Any) -> None:
    for _ in range(10):
        order_id = shop.place(("tea", 1)).body["order_id"]
        reply = shop.order(order_id)
        assert reply.status == 200
        assert reply.body["order_id"] == order_id
        assert reply.body["status"] in {"PLACED", "FULFILLED"}
