"""FIS on databases: an experiment fails the cluster over or restarts an instance, and clients feel it."""

import time
from typing import Any

import psycopg
import pytest
import valkey

from chaos.fis.role import stand_in
from tests.waiting import PATIENCE_S, until

ROLE = "arn:aws:iam::000000000000:role/fis"


def settled(aurora: Any) -> None:
    """Return once the cluster takes connections again and every instance follows."""
    until_s = time.monotonic() + PATIENCE_S
    while True:
        try:
            aurora.settled()
        except psycopg.OperationalError:
            assert time.monotonic() < until_s
            time.sleep(0.1)
        else:
            return


@pytest.fixture
def run(aurora: Any) -> Any:
    stand_in(aurora.cloud.target, ROLE)
    fis = aurora.cloud.target.client("fis")

    def start(identity: str, slot: str, target: dict[str, Any], **parameters: str) -> dict[str, Any]:
        template = fis.create_experiment_template(
            description="d",
            roleArn=ROLE,
            stopConditions=[{"source": "none"}],
            targets={"t": {"selectionMode": "ALL", **target}},
            actions={"a": {"actionId": identity, "parameters": parameters, "targets": {slot: "t"}}},
        )["experimentTemplate"]["id"]
        experiment = fis.start_experiment(experimentTemplateId=template)["experiment"]["id"]
        until_s = time.monotonic() + PATIENCE_S
        while (shown := fis.get_experiment(id=experiment)["experiment"])["state"]["status"] not in {
            "completed",
            "failed",
        }:
            assert time.monotonic() < until_s
            time.sleep(0.02)
        return dict(shown)

    return start


def test_a_cluster_fails_over_when_its_writer_is_in_the_zone(aurora: Any, run: Any) -> None:
    settled(aurora)
    before, shown = aurora.writer, aurora.described()
    zone = aurora.instance(before)["AvailabilityZone"]
    elsewhere = next(z for z in ("us-east-1a", "us-east-1b", "us-east-1c") if z != zone)
    aurora.cloud.target.client("rds").add_tags_to_resource(
        ResourceName=shown["DBClusterArn"], Tags=[{"Key": "chaos", "Value": "ready"}]
    )
    by_zone = {"resourceType": "aws:rds:cluster", "resourceTags": {"chaos": "ready"}}
    missed = run(
        "aws:rds:failover-db-cluster",
        "Clusters",
        {**by_zone, "parameters": {"writerAvailabilityZoneIdentifiers": elsewhere}},
    )
    assert missed["state"]["error"]["code"] == "InvalidTarget"
    assert aurora.writer == before
    hit = run(
        "aws:rds:failover-db-cluster",
        "Clusters",
        {**by_zone, "parameters": {"writerAvailabilityZoneIdentifiers": zone}},
    )
    assert hit["state"]["status"] == "completed"
    fired = [e.detail for e in aurora.cloud.control.evidence(owner=hit["id"]) if e.kind == "fault_fired"]
    assert fired == [{"resource": shown["DBClusterArn"]}]
    until_s = time.monotonic() + PATIENCE_S
    while aurora.writer == before:
        assert time.monotonic() < until_s
        time.sleep(0.05)
    settled(aurora)


def test_a_replication_group_loses_one_zone_until_the_end(cloud: Any) -> None:
    stand_in(cloud.target, ROLE)
    api, fis = cloud.target.client("elasticache"), cloud.target.client("fis")
    arn = api.create_replication_group(
        ReplicationGroupId="fis-carts",
        ReplicationGroupDescription="carts",
        Engine="valkey",
        CacheNodeType="cache.t4g.small",
        NumCacheClusters=2,
        AutomaticFailoverEnabled=True,
        MultiAZEnabled=True,
        Tags=[{"Key": "chaos", "Value": "ready"}],
    )["ReplicationGroup"]["ARN"]

    def members() -> dict[str, dict[str, Any]]:
        groups = api.describe_replication_groups(ReplicationGroupId="fis-carts")["ReplicationGroups"]
        return {member["CurrentRole"]: member for member in groups[0]["NodeGroups"][0]["NodeGroupMembers"]}

    assert until(lambda: len(members()) == 2)
    before = members()
    zone = before["primary"]["PreferredAvailabilityZone"]
    target = {
        "resourceType": "aws:elasticache:replicationgroup",
        "resourceTags": {"chaos": "ready"},
        "parameters": {"availabilityZoneIdentifier": zone},
        "selectionMode": "ALL",
    }
    action = {
        "actionId": "aws:elasticache:replicationgroup-interrupt-az-power",
        "parameters": {"duration": "PT10M"},
        "targets": {"ReplicationGroups": "t"},
    }
    template = fis.create_experiment_template(
        description="d",
        roleArn=ROLE,
        stopConditions=[{"source": "none"}],
        targets={"t": target},
        actions={"a": action},
    )["experimentTemplate"]["id"]
    experiment = fis.start_experiment(experimentTemplateId=template)["experiment"]["id"]
    assert until(lambda: members()["primary"]["CacheClusterId"] != before["primary"]["CacheClusterId"])
    endpoint = members()["primary"]["ReadEndpoint"]
    with valkey.Valkey(host=endpoint["Address"], port=endpoint["Port"], decode_responses=True) as one:
        one.set("after", "failover")
        time.sleep(1.0)  # nothing replaces the lost node while the power is away
        assert one.info("replication")["connected_slaves"] == 0
        assert cloud.control.zones()[0]["powered"]
        fis.stop_experiment(id=experiment)
        assert until(lambda: one.info("replication")["connected_slaves"] == 1)
    killed = [
        e.detail["resource"] for e in cloud.control.evidence(owner=experiment) if e.kind == "environment_killed"
    ]
    assert killed == [arn]
    api.delete_replication_group(ReplicationGroupId="fis-carts")


def test_an_instance_is_rebooted(aurora: Any, run: Any) -> None:
    settled(aurora)
    members = aurora.described()["DBClusterMembers"]
    reader = next(m["DBInstanceIdentifier"] for m in members if not m["IsClusterWriter"])
    before = aurora.pid(reader)
    target = {"resourceType": "aws:rds:db", "resourceArns": [aurora.instance(reader)["DBInstanceArn"]]}
    assert run("aws:rds:reboot-db-instances", "DBInstances", target)["state"]["status"] == "completed"
    settled(aurora)
    assert aurora.pid(reader) != before
