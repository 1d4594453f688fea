"""Blue/green: a good release takes all visitors and loses none; a bad one is taken back when its alarm goes off."""

import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytestmark = [pytest.mark.part("releases"), pytest.mark.blackstart_requires("ecs")]


class Releases:
    """The storefront as those see it who release it."""

    def __init__(self, shop: Any, http: Callable[..., Any]) -> None:
        self._shop, self._http = shop, http
        self._ecs, self._alarms = shop.aws("ecs"), shop.aws("cloudwatch")
        self._where = {"cluster": shop.outputs["storefront_cluster"]}
        self._service = shop.outputs["storefront_service"]
        self.page = f"{shop.outputs['storefront_url']}/orders/{shop.place(('tea', 1)).body['order_id']}"

    def ask(self) -> Any:
        return self._http("GET", self.page)

    def seen(self, times: int = 6) -> Counter[tuple[int, str]]:
        """Status and release of so many answers."""
        answers = [self.ask() for _ in range(times)]
        return Counter((answer.status, answer.headers["x-release"]) for answer in answers)

    def told(self) -> dict[str, Any]:
        (found,) = self._ecs.describe_services(**self._where, services=[self._service])["services"]
        return dict(found)

    def settled_on(self, definition: str) -> bool:
        """Whether only this one is left, and is released for good."""
        told = self.told()
        states = [one["rolloutState"] for one in told["deployments"]]
        return bool(told["taskDefinition"] == definition and states == ["COMPLETED"])

    def alarm(self) -> str:
        found = self._alarms.describe_alarms(AlarmNames=[self._shop.outputs["release_alarm"]])["MetricAlarms"]
        return str(found[0]["StateValue"])

    def define(self, **environment: str) -> str:
        """A version of the storefront with other settings."""
        now = self._ecs.describe_task_definition(taskDefinition=self.told()["taskDefinition"])["taskDefinition"]
        (web,) = now["containerDefinitions"]
        settings = {one["name"]: one["value"] for one in web["environment"]} | environment
        web["environment"] = [{"name": name, "value": value} for name, value in settings.items()]
        kept = (
            "family",
            "taskRoleArn",
            "executionRoleArn",
            "networkMode",
            "cpu",
            "memory",
            "requiresCompatibilities",
        )
        made = self._ecs.register_task_definition(
            containerDefinitions=[web], **{name: now[name] for name in kept if name in now}
        )
        return str(made["taskDefinition"]["taskDefinitionArn"])

    def release(self, definition: str, *, bake_minutes: int) -> None:
        """Both versions stay for the bake time, in which the alarm can take the new one back."""
        how = {**self.told()["deploymentConfiguration"], "bakeTimeInMinutes": bake_minutes}
        self.update(taskDefinition=definition, deploymentConfiguration=how)

    def update(self, **settings: Any) -> None:
        self._ecs.update_service(**self._where, service=self._service, **settings)


@pytest.fixture
def releases(shop: Any, http: Any, eventually: Any) -> Iterator[Releases]:
    """The storefront at rest; afterwards it is again what it was."""
    made = Releases(shop, http)
    told = made.told()
    before, how = told["taskDefinition"], told["deploymentConfiguration"]
    eventually(lambda: made.settled_on(before), what="no release under way")
    eventually(lambda: made.alarm() != "ALARM", what="a quiet alarm")  # else it takes back any release
    yield made
    if made.told()["taskDefinition"] != before:
        made.release(before, bake_minutes=0)
    eventually(lambda: made.settled_on(before), what="the storefront as it was")
    made.update(deploymentConfiguration=how)


def test_a_good_release_takes_all_visitors_and_loses_none(releases: Releases, visitors: Any, eventually: Any) -> None:
    ((_, old),) = releases.seen(1)
    new = uuid.uuid4().hex[:8]
    definition = releases.define(RELEASE=new)
    with visitors(releases.ask, 2, pause_s=0.05) as statuses:
        releases.release(definition, bake_minutes=0)
        eventually(lambda: releases.seen() == {(200, new): 6}, what="all visitors at the new release")
        eventually(lambda: releases.settled_on(definition), what="the old release gone")
        assert releases.seen() == {(200, new): 6}
    assert old != new
    assert set(statuses) == {200}


def test_a_release_supersedes_another_in_its_bake_time(releases: Releases, visitors: Any, eventually: Any) -> None:
    """Nobody waits for the bake time of what is to go: visitors stay with it until the next one is ready."""
    hasty, better = uuid.uuid4().hex[:8], uuid.uuid4().hex[:8]
    releases.release(releases.define(RELEASE=hasty), bake_minutes=5)
    eventually(lambda: releases.seen() == {(200, hasty): 6}, what="all visitors at the first release")
    definition = releases.define(RELEASE=better)
    with visitors(releases.ask, 1, pause_s=0.05) as statuses:
        releases.release(definition, bake_minutes=0)
        eventually(lambda: releases.settled_on(definition), what="the second release")
    assert releases.seen() == {(200, better): 6}
    assert set(statuses) == {200}


def test_a_bad_release_is_taken_back_when_its_alarm_goes_off(
    releases: Releases, visitors: Any, eventually: Any
) -> None:
    """It is healthy, and cannot answer: only the errors that it counts itself tell."""
    before, ((_, old),) = releases.told()["taskDefinition"], releases.seen(1)
    new = uuid.uuid4().hex[:8]
    definition = releases.define(RELEASE=new, ORDERS_TABLE="no-such-table")
    with visitors(releases.ask, 2, pause_s=0.05) as statuses:
        releases.release(definition, bake_minutes=5)
        eventually(lambda: (503, new) in releases.seen(), what="visitors at the bad release")
        eventually(lambda: releases.alarm() == "ALARM", what="the alarm of its errors")
        eventually(lambda: releases.seen() == {(200, old): 6}, what="all visitors back at the old release")
    assert set(statuses) == {200, 503}
    eventually(lambda: releases.settled_on(before), what="the bad release gone")
