"""Everybody wants one product: DynamoDB throttles its key and no other, who tries again gets through, shards help.

One partition key takes 1,000 write units a second, whatever its table may do. The item is large, so that a handful
of writes is as much: 390 KB are 390 units.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

pytestmark = [
    pytest.mark.blackstart_requires("throttling"),
    pytest.mark.blackstart_covers("dynamodb", "execute-api", "lambda"),
]

ITEM_BYTES = 390_000
MOST_WRITES = 60
"""23 times what a key takes in a second: it is throttled long before."""


@dataclass(frozen=True)
class Stock:
    """Large items of the stock's table, by name, and two who write to them: one gives up at once, one does not."""

    shop: Any
    names: tuple[str, ...]

    @property
    def table(self) -> str:
        return str(self.shop.outputs["stock_table"])

    def writer(self, attempts: int) -> Any:
        """A client with the SDK's backoff and full jitter between its attempts."""
        return self.shop.aws("dynamodb", attempts=attempts)

    def sell(self, writer: Any, name: str) -> None:
        writer.update_item(
            TableName=self.table,
            Key={"sku": {"S": name}},
            UpdateExpression="SET available = available - :one",
            ExpressionAttributeValues={":one": {"N": "1"}},
        )

    def sold(self, name: str) -> int:
        key = {"sku": {"S": name}}
        item = self.shop.aws("dynamodb").get_item(TableName=self.table, Key=key, ConsistentRead=True)["Item"]
        return 1_000 - int(item["available"]["N"])


@pytest.fixture(scope="module")
def stock(shop: Any) -> Iterator[Stock]:
    """A thousand of each of eight new products with a long description."""
    made = Stock(shop, tuple(f"hot-{uuid.uuid4().hex[:8]}" for _ in range(8)))
    patient = made.writer(10)
    for name in made.names:
        item = {"sku": {"S": name}, "available": {"N": "1000"}, "description": {"S": "x" * ITEM_BYTES}}
        patient.put_item(TableName=made.table, Item=item)
    yield made
    for name in made.names:
        patient.delete_item(TableName=made.table, Key={"sku": {"S": name}})


def hammer(stock: Stock, name: str) -> dict[str, Any]:
    """Write to one key until it is throttled; the error."""
    impatient = stock.writer(1)
    for _ in range(MOST_WRITES):
        try:
            stock.sell(impatient, name)
        except ClientError as error:
            found: dict[str, Any] = dict(error.response)
            return found
    return pytest.fail(f"{MOST_WRITES} writes of {ITEM_BYTES} bytes to one key, and none was throttled")


def test_one_key_is_throttled_and_the_others_are_served(stock: Stock) -> None:
    hot, other = stock.names[:2]
    refused = hammer(stock, hot)
    assert refused["Error"]["Code"] == "ThrottlingException"  # as it is on demand
    (why,) = refused["throttlingReasons"]
    assert why["reason"] == "TableWriteKeyRangeThroughputExceeded"
    assert why["resource"].endswith(f"table/{stock.table}")
    stock.sell(stock.writer(1), other)
    assert stock.sold(other) == 1


def test_who_tries_again_with_backoff_gets_through(stock: Stock) -> None:
    hot, patient = stock.names[2], stock.writer(10)
    hammer(stock, hot)
    before = stock.sold(hot)
    for _ in range(4):
        stock.sell(patient, hot)
    assert stock.sold(hot) - before == 4


def test_an_order_of_the_hot_product_is_placed(stock: Stock, shop: Any, eventually: Any) -> None:
    """The function tries again (app/place_order.py), and so does its customer who is told to: the order is one."""
    hot, key = stock.names[3], f"scenario-hot-{uuid.uuid4().hex}"
    hammer(stock, hot)
    before = stock.sold(hot)

    def placed() -> bool:
        reply = shop.place((hot, 2), key=key)
        assert reply.status in {200, 201, 503}, reply
        assert reply.status != 503 or reply.headers["retry-after"] == "1"
        return bool(reply.status != 503)

    eventually(placed, what="the order placed")
    assert stock.sold(hot) - before == 2


def test_the_same_writes_over_shards_of_the_key_are_not_throttled(stock: Stock) -> None:
    """As many as throttle one key. The number in stock would be the sum of the shards'."""
    impatient, shards = stock.writer(1), stock.names[4:]
    for turn in range(4):
        stock.sell(impatient, shards[turn % len(shards)])
    assert sum(stock.sold(shard) for shard in shards) == 4
