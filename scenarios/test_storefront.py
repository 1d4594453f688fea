"""The storefront, three tasks behind a load balancer, shows what was just ordered."""

from typing import Any

import pytest

pytestmark = [pytest.mark.part("storefront"), pytest.mark.blackstart_requires("ecs")]


def test_an_order_can_be_looked_at_by_every_task(shop: Any, http: Any) -> None:
    order_id = shop.place(("tea", 1)).body["order_id"]
    for _ in range(6):
        reply = http("GET", f"{shop.outputs['storefront_url']}/orders/{order_id}")
        assert (reply.status, reply.body["order_id"]) == (200, order_id)


def test_what_was_never_ordered_is_not_there(shop: Any, http: Any) -> None:
    assert http("GET", f"{shop.outputs['storefront_url']}/orders/none").status == 404
