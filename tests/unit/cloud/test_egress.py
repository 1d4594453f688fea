"""A NAT gateway that lost its zone cuts the subnets behind it off, and no others, until the power is back."""

from typing import Any

from harness.cloud.call import AwsCall, Caller
from harness.cloud.egress import Egress, WayOut
from harness.cloud.evidence import Evidence
from harness.cloud.faults import Blackhole, RuleBook
from harness.cloud.zones import Zone

HERE, THERE = Zone("us-east-1", "us-east-1a", "use1-az1"), Zone("us-east-1", "us-east-1b", "use1-az2")


def lost(rules: RuleBook, subnet: str, service: str = "dynamodb") -> bool:
    caller = Caller(zone_id="use1-az1", subnet_id=subnet)
    call = AwsCall(service=service, operation="List", region="us-east-1", account="000000000000", caller=caller)
    return any(isinstance(effect, Blackhole) for effect in rules.decide(call))


def test_subnets_behind_a_lost_gateway_have_no_way_out_but_their_endpoints(clock: Any) -> None:
    rules = RuleBook(clock, Evidence(clock))
    egress = Egress(
        rules,
        lambda _region: (
            WayOut(subnet="far", gateway_zone="us-east-1b", endpoints=("s3",)),
            WayOut(subnet="near", gateway_zone="us-east-1a"),
        ),
    )
    assert egress.power_lost(THERE, owner="x") == 0
    assert lost(rules, "far")
    assert not lost(rules, "far", "s3")
    assert not lost(rules, "near")
    egress.power_restored(HERE, owner="x")
    assert lost(rules, "far")
    egress.power_restored(THERE, owner="x")
    assert not lost(rules, "far")
    egress.power_restored(THERE, owner="x")
