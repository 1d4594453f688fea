"""The storefront, three tasks behind a load balancer, shows what was just ordered."""

from concurrent.futures import ThreadPoolExecutor, wait
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
def test_what_is_too_much_is_turned_away_and_no_task_is_taken_for_dead(
    shop: Any, http: Any, blackstart_faults: Any, eventually: Any
) -> None:
    """Load shedding: with the orders' table slow, a task takes on so many requests; the others come again later."""
    from harness.cloud.faults import Latency, Selector

    front = shop.outputs["storefront_url"]
    slow = Selector(service="dynamodb", operation="GetItem", caller_role="arn:aws:iam::*:role/storefront-task*")
    blackstart_faults.inject(slow, Latency(delay_s=20.0))
    with ThreadPoolExecutor(200) as crowd:  # as many as six tasks take on 32 each

        def shed() -> bool:
            asked = [crowd.submit(http, "GET", f"{front}/orders/none") for _ in range(200)]
            healthy = set[int]()
            while wait(asked, timeout=0.2).not_done:
                healthy.add(http("GET", f"{front}/health").status)
            replies = [one.result() for one in asked]
            assert min(reply.status for reply in replies) >= 500
            later = {reply.headers["retry-after"] for reply in replies if "retry-after" in reply.headers}
            assert later <= {"1", "2", "3"}
            return bool(later) and healthy == {200}

        eventually(shed, within_s=60, what="requests turned away at once, and health answered meanwhile")
    blackstart_faults.heal()
    eventually(lambda: http("GET", f"{front}/orders/none").status == 404, within_s=60, what="the orders again")


@pytest.mark.blackstart_requires("prompt-scaling")
def test_more_tasks_come_with_more_visitors_and_go_with_them(
    shop: Any, http: Any, visitors: Any, eventually: Any
) -> None:
    """Auto scaling by requests per target, out at once and in with care; nobody is turned away meanwhile."""
    cluster, service = shop.outputs["storefront_cluster"], shop.outputs["storefront_service"]
    ecs, scaling = shop.aws("ecs"), shop.aws("application-autoscaling")
    page = f"{shop.outputs['storefront_url']}/health"
    resource = {"ServiceNamespace": "ecs", "ResourceId": f"service/{cluster}/{service}"}
    (limits,) = scaling.describe_scalable_targets(
        ServiceNamespace="ecs", ResourceIds=[resource["ResourceId"]]
    )["ScalableTargets"]  # fmt: skip
    least, most = limits["MinCapacity"], limits["MaxCapacity"]

    def running() -> int:
        (told,) = ecs.describe_services(cluster=cluster, services=[service])["services"]
        return int(told["runningCount"]) if told["runningCount"] == told["desiredCount"] else 0

    def ask() -> Any:
        return http("GET", page)

    with visitors(ask, 1, pause_s=0.3) as some:
        eventually(lambda: running() == least, what=f"{least} tasks for a few visitors")
        with visitors(ask, 6, pause_s=0.02) as many:
            eventually(lambda: least < running() <= most, what=f"more than {least} tasks for many visitors")
        eventually(lambda: running() == least, within_s=120, what=f"{least} tasks again")
    assert {*some, *many} == {200}
    did = scaling.describe_scaling_activities(**resource)["ScalingActivities"]
    assert {activity["StatusCode"] for activity in did} == {"Successful"}
    assert did[0]["Description"] == f"Setting desired count to {least}."
