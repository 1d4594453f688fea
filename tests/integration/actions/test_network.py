"""Network actions: a function in the target subnet gets no answer where the scope says so, and nowhere else."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError, ConnectTimeoutError, HTTPClientError, ReadTimeoutError

from harness.cloud.faults import FaultRule, Latency, Selector
from tests.integration.actions.conftest import function_in, lost
from tests.waiting import PATIENCE_S, awaited, until

TABLES, QUEUES, BUCKETS = ("dynamodb", "list_tables"), ("sqs", "list_queues"), ("s3", "list_buckets")
HERE = {"resourceType": "aws:ec2:subnet", "resourceTags": {"chaos": "ready"}}


@pytest.fixture
def endpoints(aws: Any, vpc: Any) -> Any:
    """Interface endpoints: for SQS in the first subnet's zone, for Step Functions in the other zone."""
    ec2 = aws.client("ec2")
    made = {
        service: ec2.create_vpc_endpoint(
            VpcId=vpc.id,
            VpcEndpointType="Interface",
            ServiceName=f"com.amazonaws.us-east-1.{service}",
            SubnetIds=[subnet],
        )["VpcEndpoint"]["VpcEndpointId"]
        for service, subnet in (("sqs", vpc.here), ("states", vpc.there))
    }
    yield made
    ec2.delete_vpc_endpoints(VpcEndpointIds=list(made.values()))


def test_a_subnet_without_a_way_out_reaches_only_what_has_an_endpoint(aws: Any, vpc: Any) -> None:
    ec2 = aws.client("ec2")
    (main,) = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc.id]}])["RouteTables"]
    company = next(one["GatewayId"] for one in main["Routes"] if one["GatewayId"].startswith("vgw-"))
    subnet = ec2.create_subnet(VpcId=vpc.id, CidrBlock="10.0.9.0/24", AvailabilityZone="us-east-1a")["Subnet"]
    table = ec2.create_route_table(VpcId=vpc.id)["RouteTable"]["RouteTableId"]
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet["SubnetId"])
    ec2.create_vpc_endpoint(VpcId=vpc.id, ServiceName="com.amazonaws.us-east-1.dynamodb", RouteTableIds=[table])
    shut_in = function_in(aws, "shut-in", [subnet["SubnetId"]])
    assert shut_in(*TABLES) == "ok"
    assert lost(shut_in, *QUEUES)
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=company)
    assert until(lambda: shut_in(*QUEUES) == "ok")


def disrupt(aws: Any, scope: str, **parameters: str) -> Any:
    return aws.running(aws.action("aws:network:disrupt-connectivity", scope=scope, **parameters), HERE)


def test_scope_all_cuts_one_subnet_off_and_lets_it_back(aws: Any, caller: Any, neighbour: Any) -> None:
    assert caller(*TABLES) == caller(*QUEUES) == "ok"
    with disrupt(aws, "all"):
        assert lost(caller, *TABLES)
        assert lost(caller, *QUEUES)
        assert neighbour(*TABLES) == "ok"
    assert caller(*TABLES) == caller(*QUEUES) == "ok"


@pytest.mark.parametrize(
    ("scope", "gone", "reached"),
    [("dynamodb", TABLES, BUCKETS), ("s3", BUCKETS, TABLES), ("s3express", None, BUCKETS)],
)
def test_service_scopes_cut_one_service_off(aws: Any, caller: Any, scope: str, gone: Any, reached: Any) -> None:
    with disrupt(aws, scope):
        assert caller(*reached) == "ok"
        if gone is None:
            assert lost(caller, "s3", "list_objects_v2", Bucket="orders--use1-az1--x-s3")
        else:
            assert lost(caller, *gone)
    assert gone is None or caller(*gone) == "ok"


def test_scope_vpc_leaves_the_interface_endpoints(aws: Any, caller: Any, endpoints: Any) -> None:
    with disrupt(aws, "vpc"):
        assert lost(caller, *TABLES)
        assert caller(*QUEUES) == caller("stepfunctions", "list_state_machines") == "ok"
    assert caller(*TABLES) == "ok"


def test_scope_all_leaves_the_endpoint_in_the_subnet_only(aws: Any, caller: Any, endpoints: Any) -> None:
    with disrupt(aws, "all"):
        assert caller(*QUEUES) == "ok"
        assert lost(caller, "stepfunctions", "list_state_machines")


def test_scope_availability_zone_cuts_endpoints_in_other_zones(aws: Any, caller: Any, endpoints: Any) -> None:
    with disrupt(aws, "availability-zone"):
        assert lost(caller, "stepfunctions", "list_state_machines")
        assert caller(*QUEUES) == caller(*TABLES) == "ok"


def test_scope_prefix_list_cuts_what_the_list_names(aws: Any, caller: Any, endpoints: Any) -> None:
    ec2 = aws.client("ec2")
    named = {"Name": "prefix-list-name", "Values": ["com.amazonaws.us-east-1.dynamodb"]}
    (managed,) = ec2.describe_managed_prefix_lists(Filters=[named])["PrefixLists"]
    with disrupt(aws, "prefix-list", prefixListIdentifier=managed["PrefixListId"]):
        assert lost(caller, *TABLES)
        assert caller(*BUCKETS) == "ok"
    own = ec2.create_managed_prefix_list(
        PrefixListName="there", AddressFamily="IPv4", MaxEntries=5, Entries=[{"Cidr": "10.0.1.0/24"}]
    )["PrefixList"]["PrefixListId"]
    with disrupt(aws, "prefix-list", prefixListIdentifier=own):
        assert lost(caller, "stepfunctions", "list_state_machines")
        assert caller(*QUEUES) == "ok"


def test_a_prefix_list_that_is_gone_fails_the_experiment(aws: Any, vpc: Any) -> None:
    action = aws.action("aws:network:disrupt-connectivity", scope="prefix-list", prefixListIdentifier="pl-gone")
    targets = {"t": {**HERE, "selectionMode": "ALL"}}
    experiment = aws.start({"a": {**action, "targets": {"Subnets": "t"}}}, targets)
    shown = aws.wait(experiment, "failed")
    assert "pl-gone" in shown["state"]["reason"]
    assert aws.cloud.control.rules() == []


def test_another_region_is_cut_off(aws: Any, caller: Any) -> None:
    action = aws.action("aws:network:route-table-disrupt-cross-region-connectivity", region="us-west-2")
    with aws.running(action, HERE):
        assert lost(caller, "dynamodb", "list_tables", "us-west-2")
        assert caller("dynamodb", "list_tables", "us-east-1") == "ok"
    assert caller("dynamodb", "list_tables", "us-west-2") == "ok"


def test_a_vpc_endpoint_is_cut_off_for_the_whole_vpc(aws: Any, caller: Any, neighbour: Any, endpoints: Any) -> None:
    arn = f"arn:aws:ec2:us-east-1:000000000000:vpc-endpoint/{endpoints['sqs']}"
    target = {"resourceType": "aws:ec2:vpc-endpoint", "resourceArns": [arn]}
    with aws.running(aws.action("aws:network:disrupt-vpc-endpoint"), target):
        assert lost(caller, *QUEUES)
        assert lost(neighbour, *QUEUES)
        assert caller(*TABLES) == "ok"
    assert caller(*QUEUES) == "ok"


def test_without_transit_gateways_the_action_is_skipped_or_fails(aws: Any) -> None:
    identity = "aws:network:transit-gateway-disrupt-cross-region-connectivity"
    actions = {"a": {**aws.action(identity, region="us-west-2"), "targets": {"TransitGateways": "t"}}}
    targets = {"t": {"resourceType": "aws:ec2:transit-gateway", "resourceTags": {"a": "b"}, "selectionMode": "ALL"}}
    skipped = aws.start(actions, targets, experimentOptions={"emptyTargetResolutionMode": "skip"})
    assert aws.wait(skipped, "completed")["actions"]["a"]["state"]["status"] == "skipped"
    assert aws.wait(aws.start(actions, targets), "failed")["state"]["error"]["code"] == "InvalidTarget"


def test_a_nat_gateway_takes_the_way_out_of_other_zones_along(
    aws: Any, vpc: Any, caller: Any, neighbour: Any
) -> None:
    """Both subnets go out through a gateway in the second zone, which loses its power; SQS has an endpoint."""
    ec2, until_s = aws.client("ec2"), time.monotonic() + PATIENCE_S
    nat = ec2.create_nat_gateway(SubnetId=vpc.there, ConnectivityType="private")["NatGateway"]["NatGatewayId"]
    table = ec2.create_route_table(VpcId=vpc.id)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat)
    association = ec2.associate_route_table(RouteTableId=table, SubnetId=vpc.here)["AssociationId"]
    endpoint = ec2.create_vpc_endpoint(
        VpcId=vpc.id, VpcEndpointType="Interface", ServiceName="com.amazonaws.us-east-1.sqs", SubnetIds=[vpc.here]
    )["VpcEndpoint"]["VpcEndpointId"]
    try:
        assert caller(*TABLES) == "ok"
        with aws.running(aws.action("blackstart:az:interrupt-power", availabilityZoneIdentifier="use1-az1")):
            pass  # the gateway is in the other zone
        assert caller(*TABLES) == "ok"
        with aws.running(aws.action("blackstart:az:interrupt-power", availabilityZoneIdentifier="use1-az2")):
            assert lost(caller, *TABLES)
            assert caller(*QUEUES) == "ok"
        while neighbour(*TABLES) != "ok":
            assert time.monotonic() < until_s
        assert caller(*TABLES) == "ok"
    finally:
        ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
        ec2.disassociate_route_table(AssociationId=association)
        ec2.delete_route_table(RouteTableId=table)
        ec2.delete_nat_gateway(NatGatewayId=nat)


def test_a_region_without_power_answers_nobody_and_the_other_goes_on(aws: Any) -> None:
    impatient = {"connect_timeout": 1.0, "read_timeout": 1.0, "retries": {"total_max_attempts": 1}}
    there = aws.cloud.target.client("dynamodb", region="us-west-2")
    there.list_tables()
    with aws.running(aws.action("blackstart:region:interrupt-power", region="us-west-2")):
        with pytest.raises((ConnectTimeoutError, ReadTimeoutError)):
            aws.cloud.target.client("dynamodb", region="us-west-2", **impatient).list_tables()
        aws.client("dynamodb").list_tables()
        dark = {zone["id"] for zone in aws.cloud.control.zones() if not zone["powered"]}
        assert dark == {"usw2-az1", "usw2-az2", "usw2-az3"}
    there.list_tables()
    assert all(zone["powered"] for zone in aws.cloud.control.zones())


def test_an_answer_under_way_does_not_leave_a_region_that_is_lost(aws: Any) -> None:
    patient = {"read_timeout": 600.0, "retries": {"total_max_attempts": 1}}
    there = aws.cloud.target.client("dynamodb", region="us-west-2", **patient)
    rule = FaultRule(
        id="slow", owner="test", selector=Selector(service="dynamodb"), effect=Latency(delay_s=600.0), lease_s=600.0
    )
    aws.cloud.control.put_rule(rule)
    with ThreadPoolExecutor(1) as beside:
        answer = beside.submit(there.list_tables)
        awaited(lambda: [one.matched for one in aws.cloud.control.rules() if one.rule.id == "slow"] == [1])
        with aws.running(aws.action("blackstart:region:interrupt-power", region="us-west-2")):
            aws.cloud.control.remove(owner="test")  # the call goes on, and is answered in the dark
            with pytest.raises((ConnectionClosedError, HTTPClientError)):
                answer.result()
    there.list_tables()
