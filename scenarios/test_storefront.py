"""The storefront, three tasks behind a load balancer, shows what was just ordered."""

from concurrent.futures import ThreadPoolExecutor
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


@pytest.mark.blackstart_requires("faults")
def test_what_is_too_much_is_turned_away_and_no_task_is_lost(
    shop: Any, http: Any, blackstart_faults: Any, eventually: Any
) -> None:
    """Load shedding: with the orders' table slow, a task takes on so many requests; the others come again later."""
    from harness.cloud.faults import Latency, Selector

    cluster, ecs = shop.outputs["storefront_cluster"], shop.aws("ecs")
    page, tasks = f"{shop.outputs['storefront_url']}/orders/none", ecs.list_tasks(cluster=cluster)["taskArns"]
    slow = Selector(service="dynamodb", operation="GetItem", caller_role="arn:aws:iam::*:role/storefront-task*")
    blackstart_faults.inject(slow, Latency(delay_s=20.0))
    with ThreadPoolExecutor(128) as crowd:  # three tasks take on 32 each

        def shed() -> bool:
            replies = list(crowd.map(lambda _: http("GET", page), range(128)))
            assert {reply.status for reply in replies} == {503}
            later = {reply.headers["retry-after"] for reply in replies if "retry-after" in reply.headers}
            assert later <= {"1", "2", "3"}
            return bool(later)

        eventually(shed, within_s=60, what="a request turned away at once")
    blackstart_faults.heal()
    eventually(lambda: http("GET", page).status == 404, within_s=60, what="the orders again")
    assert set(ecs.list_tasks(cluster=cluster)["taskArns"]) == set(tasks)
