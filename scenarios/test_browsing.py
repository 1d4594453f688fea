"""Browsing the catalogue: quick from the cache, fresh from the table, stale when that is out."""

import uuid
from typing import Any

import pytest

pytestmark = [
    pytest.mark.part("cache"),
    pytest.mark.blackstart_requires("elasticache"),
    pytest.mark.blackstart_covers("execute-api", "lambda", "dynamodb"),
]


@pytest.fixture
def shelf(shop: Any) -> str:
    """A category of its own with one product."""
    category = f"shelf-{uuid.uuid4().hex[:8]}"
    put(shop, category, f"jar-{category}", 300)
    return category


def put(shop: Any, category: str, sku: str, cents: int) -> None:
    item = {
        "pk": {"S": f"PRODUCT#{sku}"},
        "sk": {"S": "PRODUCT"},
        "sku": {"S": sku},
        "category": {"S": category},
        "price_cents": {"N": str(cents)},
        "category_pk": {"S": f"CATEGORY#{category}"},
        "category_sk": {"S": f"{cents:010d}#{sku}"},
    }
    shop.aws("dynamodb").put_item(TableName=shop.outputs["catalogue_table"], Item=item)


def browse(shop: Any, http: Any, category: str) -> Any:
    return http("GET", f"{shop.url}/catalogue/{category}")


def prices(reply: Any) -> list[int]:
    return [product["price_cents"] for product in reply.body["products"]]


def test_what_was_read_is_kept_and_read_anew_when_it_is_old(
    shop: Any, http: Any, shelf: str, eventually: Any
) -> None:
    first = browse(shop, http, shelf)
    assert (first.status, first.headers["x-served-from"], prices(first)) == (200, "store", [300])
    put(shop, shelf, f"jar-{shelf}", 250)
    eventually(lambda: prices(browse(shop, http, shelf)) == [250], within_s=60, what="the new price")

    def from_cache() -> bool:
        return bool(browse(shop, http, shelf).headers["x-served-from"] == "cache")

    eventually(from_cache, within_s=60, what="an answer from the cache")


@pytest.mark.blackstart_requires("faults", "elasticache")
def test_while_the_table_is_out_the_last_prices_are_served(
    shop: Any, http: Any, shelf: str, blackstart_faults: Any, eventually: Any
) -> None:
    """The breaker opens, customers get what was read last, and it closes again once the table is back."""
    from harness.cloud.faults import ApiError, Selector

    assert browse(shop, http, shelf).headers["x-served-from"] == "store"
    function = shop.outputs["browse_function"]
    out = Selector(service="dynamodb", operation="Query", caller_function=function)
    blackstart_faults.inject(out, ApiError(code="InternalServerError"))

    def opened() -> bool:
        reply = browse(shop, http, shelf)
        assert (reply.status, prices(reply)) == (200, [300])
        # Another environment's breaker may be open still, from an outage before this one.
        return bool(reply.headers["x-breaker"] == "open" and blackstart_faults.fired())

    eventually(opened, within_s=60, what="an open breaker")
    assert browse(shop, http, f"never-read-{shelf}").status == 503
    put(shop, shelf, f"jar-{shelf}", 275)
    blackstart_faults.heal()

    def closed() -> bool:
        reply = browse(shop, http, shelf)
        return bool(reply.headers["x-breaker"] == "closed" and prices(reply) == [275])

    eventually(closed, within_s=60, what="the breaker closed and the new price served")
