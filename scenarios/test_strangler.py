"""An old service is replaced route by route, by weight, while its users go on asking: no request is lost."""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any

import pytest

pytestmark = [pytest.mark.part("strangler"), pytest.mark.blackstart_requires("ecs")]


class Front:
    """The one address that users know."""

    def __init__(self, shop: Any, http: Any) -> None:
        self._given, self._http = shop.outputs["strangler"], http
        self._balancers, self._ecs = shop.aws("elbv2"), shop.aws("ecs")

    def ask(self, route: str, sku: str = "tea") -> Any:
        return self._http("GET", f"{self._given['url']}/{route}/{sku}")

    def served_by(self, route: str, times: int = 1) -> Counter[str]:
        return Counter(str(self.ask(route).headers.get("x-served-by")) for _ in range(times))

    def move(self, route: str, modern: int) -> None:
        """So many of a hundred requests go to the new service."""
        groups = self._given["groups"]
        weights = [
            {"TargetGroupArn": groups["legacy"], "Weight": 100 - modern},
            {"TargetGroupArn": groups["modern"], "Weight": modern},
        ]
        action = {"Type": "forward", "ForwardConfig": {"TargetGroups": weights}}
        self._balancers.modify_rule(RuleArn=self._given["rules"][route], Actions=[action])

    def run_legacy(self, count: int) -> None:
        service = self._given["services"]["legacy"]
        self._ecs.update_service(cluster=self._given["cluster"], service=service, desiredCount=count)

    def legacy_tasks(self) -> int:
        service = self._given["services"]["legacy"]
        found = self._ecs.describe_services(cluster=self._given["cluster"], services=[service])["services"][0]
        return int(found["runningCount"])


@pytest.fixture
def front(shop: Any, http: Any) -> Front:
    return Front(shop, http)


@pytest.fixture
def migration(front: Front, eventually: Any) -> Iterator[Front]:
    """The front with everything on the old service, and so again afterwards. Only one scenario may move routes."""

    def as_it_was() -> None:
        front.run_legacy(1)
        for route in ("prices", "delivery"):
            front.move(route, 0)

    as_it_was()
    eventually(lambda: front.served_by("prices") == {"legacy": 1}, within_s=60, what="the old service answering")
    yield front
    as_it_was()


@contextmanager
def users(front: Front) -> Iterator[Counter[int]]:
    """Somebody who asks both routes again and again; the statuses of all answers."""
    statuses, over = Counter[int](), threading.Event()

    def ask() -> None:
        while not over.is_set():
            for route in ("prices", "delivery"):
                statuses[front.ask(route).status] += 1

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield statuses
    finally:
        over.set()
        thread.join()


def test_routes_move_by_weight_the_old_path_is_retired_and_nobody_is_turned_away(
    migration: Front, eventually: Any
) -> None:
    before = {route: migration.ask(route).body for route in ("prices", "delivery")}
    with users(migration) as statuses:
        migration.move("prices", 100)
        assert migration.served_by("prices", 4) == {"modern": 4}
        migration.move("prices", 0)  # an unhappy move is taken back at once
        assert migration.served_by("prices", 4) == {"legacy": 4}

        migration.move("prices", 50)
        eventually(lambda: len(migration.served_by("prices", 8)) == 2, within_s=60, what="both services at work")
        assert migration.served_by("delivery", 8) == {"legacy": 8}  # one route at a time

        for route in before:
            migration.move(route, 100)
            assert migration.served_by(route, 8) == {"modern": 8}

        asked = sum(statuses.values())  # nobody is still waiting for the old service after two more rounds
        eventually(lambda: sum(statuses.values()) >= asked + 4, within_s=60, what="two more rounds of the users")
        migration.run_legacy(0)
        eventually(lambda: migration.legacy_tasks() == 0, within_s=60, what="the old service gone")
        assert {route: migration.ask(route).body for route in before} == before
    assert set(statuses) == {200}


def test_what_neither_knows_is_not_found_and_other_paths_reach_neither(front: Front, eventually: Any) -> None:
    # While the other scenario puts everything back, the old service may still be starting.
    eventually(lambda: front.ask("prices", "unicorn").status == 404, within_s=60, what="an answer that it is unknown")
    assert "x-served-by" not in front.ask("secrets").headers


@pytest.mark.blackstart_requires("faults")
def test_a_table_that_hangs_takes_the_prices_down_and_not_the_delivery(
    migration: Front, blackstart_faults: Any, eventually: Any
) -> None:
    """A bulkhead: prices may take so many places of the server, and no more; who finds none comes again later."""
    from harness.cloud.faults import Latency, Selector

    for route in ("prices", "delivery"):
        migration.move(route, 100)
    assert migration.served_by("prices") == {"modern": 1}
    modern = Selector(service="dynamodb", operation="GetItem", caller_role="arn:aws:iam::*:role/strangler-modern*")
    blackstart_faults.inject(modern, Latency(delay_s=20.0))
    with ThreadPoolExecutor(40) as crowd:  # more than the server takes on at once

        def turned_away() -> bool:
            asked = [crowd.submit(migration.ask, "prices") for _ in range(40)]
            deliveries = set[int | None]()
            while wait(asked, timeout=0.2).not_done:
                delivery = migration.ask("delivery")
                assert "retry-after" not in delivery.headers
                deliveries.add(delivery.body.get("days"))
            replies = [one.result() for one in asked]
            assert min(reply.status for reply in replies) >= 500
            return any("retry-after" in reply.headers for reply in replies) and deliveries == {2}

        eventually(turned_away, within_s=60, what="prices turned away at once, and delivery told meanwhile")
    blackstart_faults.heal()
    eventually(lambda: migration.ask("prices").body.get("cents") == 350, within_s=60, what="prices again")
