"""What is not there cannot be ordered, and nothing else of that order is taken from the stock."""

from typing import Any

import pytest

pytestmark = pytest.mark.blackstart_covers("execute-api", "lambda", "dynamodb")


def available(shop: Any, aws: Any, sku: str) -> int:
    key = {"sku": {"S": sku}}
    item = aws("dynamodb").get_item(TableName=shop.outputs["stock_table"], Key=key, ConsistentRead=True)["Item"]
    return int(item["available"]["N"])


def test_an_order_with_one_sold_out_item_takes_nothing(shop: Any, blackstart_aws: Any) -> None:
    reply = shop.place(("sold-out", 1), key="")
    assert reply.status == 409
    assert reply.body["error"] == "out of stock: sold-out"
    before = available(shop, blackstart_aws, "sold-out")
    assert shop.place(("cup", 1), ("sold-out", 1)).status == 409
    assert available(shop, blackstart_aws, "sold-out") == before == 0


def test_an_unknown_article_is_out_of_stock(shop: Any) -> None:
    assert shop.place(("unicorn", 1)).status == 409
