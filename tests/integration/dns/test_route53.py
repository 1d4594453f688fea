"""Route 53: names are answered, endpoints are asked, and a client goes through a failover."""

import socket
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from tests.integration.dns.conftest import Site, Zone
from tests.waiting import awaited

NO_SUCH_NAME, REFUSED = 3, 5
NO_CHANGE = {
    "Action": "UPSERT",
    "ResourceRecordSet": {"Name": "x", "Type": "A", "TTL": 1, "ResourceRecords": [{"Value": "192.0.2.1"}]},
}


@pytest.mark.parametrize("tcp", [False, True])
def test_records_are_answered_over_udp_and_tcp(zone: Zone, tcp: bool) -> None:
    zone.put("www", values=["192.0.2.1", "192.0.2.2"], TTL=77)
    code, count, message = zone.query("www", tcp=tcp)
    assert (code, count) == (0, 2)
    assert b"\xc0\x00\x02\x01" in message
    assert (77).to_bytes(4) in message
    assert zone.query("nowhere", tcp=tcp)[0] == NO_SUCH_NAME
    assert Zone(zone.cloud, "not-ours.test").query("www", tcp=tcp)[0] == REFUSED


def test_the_api_tells_what_would_be_answered(zone: Zone) -> None:
    zone.put("mail", "CNAME", values=[f"www.{zone.name}"])
    zone.put("www", values=["192.0.2.9"])
    assert zone.test("mail") == ["192.0.2.9"]
    assert zone.test("mail", "CNAME") == [f"www.{zone.name}"]
    assert zone.test("nowhere") == []


def test_an_http_check_fails_and_recovers_with_its_endpoint(zone: Zone, site: Site) -> None:
    check = zone.check(Port=site.port, ResourcePath="/health")
    awaited(lambda: zone.status(check).startswith("Success: HTTP"))
    site.status = 503
    assert awaited(lambda: zone.status(check) == "Failure: HTTP Status Code 503")
    said = zone.route53.get_health_check_last_failure_reason(HealthCheckId=check)["HealthCheckObservations"]
    assert said[0]["StatusReport"]["Status"] == "Failure: HTTP Status Code 503"
    site.status = 200
    awaited(lambda: zone.status(check).startswith("Success: HTTP"))


def passes(zone: Zone, check: str) -> bool:
    """Whether a record with this check is answered, and not its secondary."""
    zone.put("probe", values=["192.0.2.1"], SetIdentifier="1", Failover="PRIMARY", HealthCheckId=check)
    zone.put("probe", values=["192.0.2.2"], SetIdentifier="2", Failover="SECONDARY")
    return zone.test("probe") == ["192.0.2.1"]


def test_other_kinds_of_checks_decide_what_is_answered(zone: Zone, site: Site) -> None:
    refusing = socket.socket()  # bound and not listening: nobody else gets the port meanwhile
    refusing.bind(("127.0.0.1", 0))
    gone = refusing.getsockname()[1]
    kinds: dict[str, tuple[dict[str, Any], bool]] = {
        "open port": ({"Type": "TCP", "Port": site.port}, True),
        "closed port": ({"Type": "TCP", "Port": gone}, False),
        "word": ({"Type": "HTTP_STR_MATCH", "Port": site.port, "ResourcePath": "/", "SearchString": "site"}, True),
        "no word": ({"Type": "HTTP_STR_MATCH", "Port": site.port, "ResourcePath": "/", "SearchString": "x"}, False),
        "inverted": ({"Port": gone, "Inverted": True}, True),
        "disabled": ({"Port": gone, "Disabled": True}, True),
    }
    checks = {name: zone.check(**config) for name, (config, _) in kinds.items()}
    for name, (_, wanted) in kinds.items():
        assert awaited(lambda name=name, wanted=wanted: passes(zone, checks[name]) == wanted), name
    children = [checks["open port"], checks["closed port"], checks["word"]]
    enough = zone.check(Type="CALCULATED", ChildHealthChecks=children, HealthThreshold=2, IPAddress="127.0.0.1")
    few = zone.check(Type="CALCULATED", ChildHealthChecks=children, HealthThreshold=3, IPAddress="127.0.0.1")
    assert awaited(lambda: (passes(zone, enough), passes(zone, few)) == (True, False))
    refusing.close()


def test_a_check_follows_an_alarm(zone: Zone) -> None:
    cloudwatch = zone.cloud.target.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName=zone.name, Namespace="n", MetricName="m", Statistic="Sum", Period=60, EvaluationPeriods=1,
        Threshold=1, ComparisonOperator="GreaterThanThreshold", TreatMissingData="ignore",
    )  # fmt: skip
    follows = {"Name": zone.name, "Region": "us-east-1"}
    check = zone.check(
        Type="CLOUDWATCH_METRIC",
        AlarmIdentifier=follows,
        InsufficientDataHealthStatus="Healthy",
        IPAddress="127.0.0.1",
    )
    for state, wanted in (("ALARM", False), ("OK", True)):
        cloudwatch.set_alarm_state(AlarmName=zone.name, StateValue=state, StateReason="the test says so")
        assert awaited(lambda wanted=wanted: passes(zone, check) == wanted)


def balancer(zone: Zone, region: str) -> str:
    """A load balancer of a region that says the region's name; returns its DNS name."""
    elb = zone.cloud.target.client("elbv2", region=region)
    (made,) = elb.create_load_balancer(
        Name=zone.name.partition(".")[0], Subnets=["subnet-00000001", "subnet-00000002"]
    )["LoadBalancers"]
    said = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200", "MessageBody": region}}
    elb.create_listener(LoadBalancerArn=made["LoadBalancerArn"], Port=80, Protocol="HTTP", DefaultActions=[said])
    return str(made["DNSName"])


def test_a_client_goes_to_the_other_region_when_its_own_is_lost_and_comes_back(zone: Zone) -> None:
    for region, role in (("us-east-1", "PRIMARY"), ("us-west-2", "SECONDARY")):
        target = {"HostedZoneId": "Z35SXDOTRQ7X7K", "DNSName": balancer(zone, region), "EvaluateTargetHealth": True}
        zone.put("shop", SetIdentifier=region, Failover=role, AliasTarget=target)
    assert zone.get("shop") == (200, "us-east-1")
    for number in (1, 2, 3):
        zone.cloud.control.cut_power(f"use1-az{number}", owner="test")
    assert awaited(lambda: zone.get("shop") == (200, "us-west-2"))
    assert changes_are_refused(zone)
    zone.cloud.control.heal()
    assert awaited(lambda: zone.get("shop") == (200, "us-east-1"))


def changes_are_refused(zone: Zone) -> bool:
    """Whether Route 53 and IAM go on and take no change: their control planes are in the region that is lost."""
    impatient = {"read_timeout": 1, "retries": {"total_max_attempts": 1}}
    far = {
        service: zone.cloud.target.client(service, region="us-west-2", **impatient) for service in ("route53", "iam")
    }
    assert zone.test("shop")
    assert zone.route53.list_resource_record_sets(HostedZoneId=zone.id)["ResourceRecordSets"]
    with pytest.raises(ReadTimeoutError):
        far["route53"].change_resource_record_sets(HostedZoneId=zone.id, ChangeBatch={"Changes": [NO_CHANGE]})
    with pytest.raises(ReadTimeoutError):
        far["iam"].create_role(RoleName=zone.name, AssumeRolePolicyDocument="{}")
    return True


def test_an_api_is_reached_and_checked_by_its_own_name_at_aws(zone: Zone) -> None:
    api = zone.cloud.target.client("apigatewayv2", region="us-west-2")
    made = api.create_api(Name=zone.name.partition(".")[0], ProtocolType="HTTP")["ApiId"]
    api.create_stage(ApiId=made, StageName="$default", AutoDeploy=True)
    name = f"{made}.execute-api.us-west-2.amazonaws.com"
    zone.put("api", "CNAME", values=[name])
    assert zone.get("api", "/orders") == (404, '{"message":"Not Found"}')
    check = zone.check(Type="HTTPS", FullyQualifiedDomainName=name, Port=443, ResourcePath="/", IPAddress=None)
    assert awaited(lambda: zone.status(check) == "Failure: HTTP Status Code 404")


def test_an_answer_is_kept_by_the_front_door_for_its_ttl(zone: Zone, site: Site) -> None:
    zone.put("old", values=["127.0.0.1"], TTL=3600)
    assert front(zone, "old", site) == "site /"
    zone.put("old", values=["192.0.2.1"], TTL=1)
    assert zone.test("old") == ["192.0.2.1"]
    assert front(zone, "old", site) == "site /"


def front(zone: Zone, name: str, site: Site) -> str:
    """What the site says through the front door under a name, with the port in the address."""
    import urllib.request

    proxy = urllib.request.ProxyHandler({"http": f"http://127.0.0.1:{zone.cloud.control.names_port()}"})
    opener = urllib.request.build_opener(proxy)
    with opener.open(f"http://{name}.{zone.name}:{site.port}/", timeout=60) as answer:
        return str(answer.read().decode())


def test_a_name_without_an_address_is_refused_with_the_reason(zone: Zone) -> None:
    status, said = zone.get("nowhere")
    assert status == 502
    assert f"nowhere.{zone.name} has no address in the hosted zones of this cloud" in said


def test_a_weighted_record_without_weight_gets_nothing(zone: Zone) -> None:
    zone.put("split", values=["192.0.2.1"], SetIdentifier="1", Weight=0)
    zone.put("split", values=["192.0.2.2"], SetIdentifier="2", Weight=5)
    assert {zone.test("split")[0] for _ in range(8)} == {"192.0.2.2"}
