"""A resource's power in one zone: who cut it, until when, and who is told."""

from typing import Any

from harness.cloud.evidence import Evidence
from harness.cloud.zones import Zone, ZoneKeeper, zones_of

GROUP = "arn:aws:elasticache:us-east-1:000000000000:replicationgroup:carts"


class House:
    """Counts what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, str]] = []

    def resource_power_lost(self, resource: str, zone: Zone) -> int:
        self.told.append(("lost", resource, zone.id))
        return 2

    def resource_power_restored(self, resource: str, zone: Zone) -> None:
        self.told.append(("restored", resource, zone.id))


def keeper(clock: Any) -> tuple[ZoneKeeper, House, Zone, Zone]:
    zones = zones_of("us-east-1", 2)
    made, house = ZoneKeeper(zones, Evidence(clock)), House()
    made.of_resources.add_resident(house)
    return made, house, *zones


def test_a_cut_is_about_one_resource_in_one_zone_and_may_be_repeated(clock: Any) -> None:
    made, house, here, there = keeper(clock)
    assert made.of_resources.cut(GROUP, here, owner="EXP1") == 2
    assert made.of_resources.cut(GROUP, here, owner="EXP1") == 0
    assert not made.of_resources.powered(GROUP, here)
    assert made.of_resources.powered(GROUP, there)
    assert made.of_resources.powered("another", here)
    assert made.powered(here)
    assert made.of_resources.restore(GROUP, here, owner="EXP1")
    assert not made.of_resources.restore(GROUP, here, owner="EXP1")
    assert house.told == [("lost", GROUP, here.id), ("restored", GROUP, here.id)]


def test_the_power_is_back_when_the_last_owner_gives_it_back(clock: Any) -> None:
    made, house, here, _ = keeper(clock)
    for owner in ("EXP1", "EXP2"):
        made.of_resources.cut(GROUP, here, owner=owner)
    assert made.heal(owner="EXP1") == []
    assert not made.of_resources.powered(GROUP, here)
    assert made.heal() == [GROUP]
    assert made.of_resources.powered(GROUP, here)
    assert [what for what, *_ in house.told] == ["lost", "restored"]


def test_a_lease_that_nobody_renews_ends(clock: Any) -> None:
    made, _, here, _ = keeper(clock)
    made.of_resources.cut(GROUP, here, owner="EXP1", lease_s=5)
    clock.at_s += 4
    made.expire()
    assert not made.of_resources.powered(GROUP, here)
    clock.at_s += 2
    made.expire()
    assert made.of_resources.powered(GROUP, here)
