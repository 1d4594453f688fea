"""A NAT gateway that lost its zone cuts the subnets behind it off, and no others, until the power is back."""

from typing import Any

import pytest

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


def test_a_subnet_without_a_default_route_reaches_what_its_vpc_has_an_endpoint_of(
    clock: Any, caplog: pytest.LogCaptureFixture
) -> None:
    ways = (
        WayOut(subnet="shut", endpoints=("dynamodb", "sync-states"), leads_out=False),
        WayOut(subnet="open", gateway_zone="us-east-1a"),
    )
    egress = Egress(RuleBook(clock, Evidence(clock)), lambda _region: ways)
    assert [egress.shut_in("us-east-1", "shut", one) for one in ("sqs", "dynamodb", "stepfunctions", "sqs")] == [
        True, False, False, True,
    ]  # fmt: skip
    assert not egress.shut_in("us-east-1", "open", "sqs")
    (told,) = (one.getMessage() for one in caplog.records)
    assert told.startswith("functions in shut cannot reach sqs: their route table needs a default route")
