"""In which zone the next invocation runs, and how long a lost zone stays unnoticed."""

from dataclasses import dataclass
from typing import Any

import pytest

from harness.cloud.evidence import Evidence
from harness.cloud.functions.placement import Placement
from harness.cloud.zones import ZoneKeeper, zones_of

SUBNETS = {"subnet-a": "us-east-1a", "subnet-b": "use1-az2"}


@dataclass(frozen=True)
class Spec:
    """The part of a function that placement looks at."""

    arn: str = "arn:f"
    region: str = "us-east-1"
    subnets: tuple[str, ...] = ()


@pytest.fixture
def placement(clock: Any) -> Placement:
    keeper = ZoneKeeper((*zones_of("us-east-1", 3), *zones_of("us-west-2", 3)), Evidence(clock))
    return Placement(keeper, clock, 3.0, lambda subnet: SUBNETS.get(subnet, ""))


def dealt(placement: Placement, spec: Any, count: int = 6) -> list[str]:
    places = [placement.next_place(spec) for _ in range(count)]
    return [place.zone.id if place else "" for place in places]


def test_a_function_without_a_vpc_runs_in_every_zone_of_its_region_in_turn(placement: Placement) -> None:
    assert dealt(placement, Spec()) == ["use1-az1", "use1-az2", "use1-az3"] * 2
    assert set(dealt(placement, Spec(region="us-west-2"))) == {"usw2-az1", "usw2-az2", "usw2-az3"}


def test_a_vpc_function_runs_where_its_subnets_are(placement: Placement) -> None:
    spec: Any = Spec(subnets=("subnet-a", "subnet-b"))
    assert [place.subnet for place in placement.places(spec)] == ["subnet-a", "subnet-b"]
    assert set(dealt(placement, spec)) == {"use1-az1", "use1-az2"}


def test_a_subnet_that_is_gone_is_passed_over(placement: Placement) -> None:
    assert dealt(placement, Spec(subnets=("subnet-x",)), 1) == [""]
    assert set(dealt(placement, Spec(subnets=("subnet-x", "subnet-b")))) == {"use1-az2"}


def test_a_lost_zone_is_dealt_out_until_it_is_noticed_and_again_once_it_is_back(
    placement: Placement, clock: Any
) -> None:
    zone = placement.zones.find("use1-az2")
    placement.went_dark(zone)
    assert placement.is_dark(zone)
    assert "use1-az2" in dealt(placement, Spec())
    clock.at_s += 3.0
    assert placement.known_dark(zone)
    assert "use1-az2" not in dealt(placement, Spec())
    placement.lit_up(zone)
    assert "use1-az2" in dealt(placement, Spec())


def test_a_function_whose_zones_are_all_lost_has_no_place(placement: Placement, clock: Any) -> None:
    placement.went_dark(placement.zones.find("use1-az2"))
    clock.at_s += 3.0
    assert dealt(placement, Spec(subnets=("subnet-b",)), 1) == [""]
