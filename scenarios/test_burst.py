"""A hundred orders at once: every one is fulfilled, exactly once."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

pytestmark = pytest.mark.blackstart_covers("execute-api", "lambda", "dynamodb", "events", "sqs", "s3", "sns")

ORDERS = 100


def test_a_burst_is_fulfilled_exactly_once(shop: Any, eventually: Any) -> None:
    def bought(_number: int) -> Any:
        """Who is told to come again does so, with the same key."""
        key = f"burst-{uuid.uuid4()}"

        def answered() -> Any:
            reply = shop.place(("tea", 1), key=key)
            return None if reply.status == 503 and "retry-after" in reply.headers else reply

        return eventually(answered, what="an answer to an order")

    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(bought, range(ORDERS)))
    assert {reply.status for reply in replies} <= {200, 201}
    open_orders = {reply.body["order_id"] for reply in replies}
    placed = sorted(open_orders)
    assert len(placed) == ORDERS

    def all_fulfilled() -> bool:
        """Asked of the table in one call: a hundred questions to the API would be a load of their own."""
        asked = sorted(open_orders)[:100]
        keys = [{"order_id": {"S": order_id}} for order_id in asked]
        table = shop.outputs["orders_table"]
        wanted = {table: {"Keys": keys, "ConsistentRead": True}}
        found = shop.aws("dynamodb").batch_get_item(RequestItems=wanted)["Responses"][table]
        open_orders.difference_update(one["order_id"]["S"] for one in found if one["status"]["S"] == "FULFILLED")
        return not open_orders

    eventually(all_fulfilled, within_s=120, what=f"all {ORDERS} orders fulfilled")
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(shop.receipts, placed)) == {1}
        assert set(pool.map(shop.charges, placed)) == {1}
