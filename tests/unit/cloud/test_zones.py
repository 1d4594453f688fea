"""Zones: AWS's names and ids, power with owners and leases."""

from typing import Any

import pytest

from harness.cloud.evidence import Evidence
from harness.cloud.zones import Zone, ZoneKeeper, zones_of
from harness.errors import UsageError


class House:
    """A resident with three processes in every zone."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def power_lost(self, zone: Zone, *, owner: str) -> int:
        self.told.append(f"lost {zone.id} {owner}")
        return 3

    def power_restored(self, zone: Zone, *, owner: str) -> None:
        self.told.append(f"lit {zone.id}")


@pytest.fixture
def keeper(clock: Any) -> ZoneKeeper:
    return ZoneKeeper((*zones_of("us-east-1", 3), *zones_of("ap-southeast-2", 2)), Evidence(clock))


@pytest.mark.parametrize(
    ("region", "last"),
    [
        ("us-east-1", "use1-az3"),
        ("ap-southeast-2", "apse2-az3"),
        ("eu-central-1", "euc1-az3"),
        ("us-gov-west-1", "usgw1-az3"),
    ],
)
def test_zone_ids_are_those_of_aws(region: str, last: str) -> None:
    zones = zones_of(region, 3)
    assert [zone.name for zone in zones] == [f"{region}a", f"{region}b", f"{region}c"]
    assert zones[2].id == last


def test_a_zone_is_found_by_name_or_id_and_a_typo_gets_the_nearest(keeper: ZoneKeeper) -> None:
    assert keeper.find("use1-az2") is keeper.find("us-east-1b")
    with pytest.raises(UsageError) as caught:
        keeper.find("use1-az4")
    assert "use1-az" in caught.value.hint


def test_power_is_lost_once_and_comes_back_when_the_last_owner_gives_it_back(keeper: ZoneKeeper) -> None:
    house = House()
    keeper.add_resident(house)
    zone = keeper.find("use1-az2")
    assert keeper.cut_power(zone, owner="EXP1") == 3
    assert keeper.cut_power(zone, owner="EXP2") == 0
    assert keeper.dark() == {"use1-az2": ["EXP1", "EXP2"]}
    assert not keeper.restore_power(zone, owner="EXP1")
    assert not keeper.powered(zone)
    assert keeper.restore_power(zone, owner="EXP2")
    assert not keeper.restore_power(zone, owner="EXP2")
    assert keeper.powered(zone)
    assert house.told == ["lost use1-az2 EXP1", "lit use1-az2"]


def test_a_cut_dies_with_its_lease(keeper: ZoneKeeper, clock: Any) -> None:
    zone = keeper.find("use1-az1")
    keeper.cut_power(zone, owner="EXP1", lease_s=30.0)
    clock.at_s += 20
    assert keeper.renew("EXP1", 30.0) == 1
    clock.at_s += 20
    keeper.expire()
    assert not keeper.powered(zone)
    clock.at_s += 11
    keeper.expire()
    assert keeper.powered(zone)


def test_healing_lights_everything_and_may_be_repeated(keeper: ZoneKeeper) -> None:
    for name in ("use1-az1", "apse2-az2"):
        keeper.cut_power(keeper.find(name), owner=f"by {name}")
    assert keeper.heal(owner="by use1-az1") == ["use1-az1"]
    assert keeper.heal() == ["apse2-az2"]
    assert keeper.heal() == []
    assert keeper.dark() == {}


def test_zones_that_are_lost_together_are_all_dark_before_anybody_in_them_dies(keeper: ZoneKeeper) -> None:
    class Witness(House):
        def power_lost(self, zone: Zone, *, owner: str) -> int:
            self.told.append("region lost" if keeper.lost("us-east-1") else "region lives")
            return super().power_lost(zone, owner=owner)

    house = Witness()
    keeper.add_resident(house)
    assert keeper.cut_together(keeper.in_region("us-east-1"), owner="EXP1") == 9
    assert house.told.count("region lost") == 3
    assert "region lives" not in house.told
    assert keeper.cut_together(keeper.in_region("us-east-1"), owner="EXP1") == 0
