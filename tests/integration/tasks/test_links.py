"""Links between zones, felt by flows between tasks, to caches, to load balancers and from them to their targets."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from harness.cloud.links import LinkFault
from tests.integration.tasks.conftest import Cluster, fetch, url_of
from tests.integration.tasks.test_balanced import Balanced
from tests.waiting import awaited

A, B = "us-east-1a", "us-east-1b"
SUBNETS = {A: "subnet-00000001", B: "subnet-00000002"}
PATIENT_S, IMPATIENT_S = 60, 1
NO_ANSWER = "no answer"


def network(zone: str) -> dict[str, Any]:
    return {"awsvpcConfiguration": {"subnets": [SUBNETS[zone]]}}


def port_of(task: dict[str, Any]) -> int:
    return int(task["containers"][0]["networkBindings"][0]["hostPort"])


class Tasks:
    """A task in each of two zones."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        definition = cluster.define()
        made = {zone: cluster.run(definition, networkConfiguration=network(zone)) for zone in SUBNETS}
        self.at = {zone: awaited(partial(self.running, one["taskArn"])) for zone, one in made.items()}

    def running(self, arn: str) -> dict[str, Any]:
        """The task once its server answers; nothing of it before."""
        task = self.cluster.task(arn)
        try:
            fetch(url_of(task, "/health"))
        except (OSError, LookupError):
            return {}
        return task

    def ask(self, zone: str, port: int, patience_s: int = PATIENT_S) -> str:
        """What the task in the zone hears from a port: seconds, or that there is no answer."""
        return fetch(url_of(self.at[zone], f"/reach/{port}/{patience_s}"), timeout_s=2 * PATIENT_S)

    def disturb(self, **fault: Any) -> None:
        """Between the two zones, unless it says otherwise."""
        given = {"near": A, "far": B, **fault}
        self.cluster.cloud.control.disturb_link(LinkFault(id="link", owner="test", lease_s=600, **given))

    def fired(self) -> int:
        (one,) = self.cluster.cloud.control.links()
        return int(one["fired"])


@pytest.fixture
def tasks(cluster: Cluster) -> Iterator[Tasks]:
    yield Tasks(cluster)
    cluster.cloud.control.heal()


def test_flows_between_tasks_and_to_a_cache_obey_the_link_between_their_zones(tasks: Tasks) -> None:
    cluster = tasks.cluster
    caches = cluster.cloud.target.client("elasticache")
    caches.create_cache_subnet_group(
        CacheSubnetGroupName=cluster.name, CacheSubnetGroupDescription="d", SubnetIds=[SUBNETS[B]]
    )
    made = caches.create_replication_group(
        ReplicationGroupId=cluster.name, ReplicationGroupDescription="d", Engine="valkey", NumCacheClusters=1,
        CacheSubnetGroupName=cluster.name,
    )["ReplicationGroup"]  # fmt: skip
    cache = made["NodeGroups"][0]["PrimaryEndpoint"]["Port"]
    other = port_of(tasks.at[B])
    tasks.disturb(latency_s=0.3)
    assert all(float(tasks.ask(A, port)) >= 0.6 for port in (other, cache))  # there and back
    assert tasks.fired() == 2
    assert [float(tasks.ask(B, port)) > 0 for port in (other, cache)] == [True, True]
    assert tasks.fired() == 2  # that flow crosses no such link
    tasks.disturb(cut=True)
    assert [tasks.ask(A, port, IMPATIENT_S) for port in (other, cache)] == [NO_ANSWER] * 2
    assert fetch(url_of(tasks.at[B], "/health"))  # from outside
    cluster.cloud.control.heal_links(owner="test")
    assert [float(tasks.ask(A, port)) > 0 for port in (other, cache)] == [True, True]
    caches.delete_replication_group(ReplicationGroupId=cluster.name)


def test_flows_through_a_load_balancer_obey_links_on_both_sides(tasks: Tasks) -> None:
    balanced = Balanced(tasks.cluster)
    balanced.make(subnets=[SUBNETS[A]])
    for task in tasks.at.values():
        address = next(one["value"] for one in task["attachments"][0]["details"] if "privateIPv4" in one["name"])
        balanced.elb.register_targets(TargetGroupArn=balanced.groups[0], Targets=[{"Id": address, "Port": 8080}])
    awaited(lambda: list(balanced.targets(balanced.groups[0]).values()) == ["healthy"] * 2)
    both = {balanced.get() for _ in range(4)}
    assert len(both) == 2
    front = int(balanced.dns.rpartition(":")[2])
    tasks.disturb(cut=True)
    assert tasks.ask(B, front, IMPATIENT_S) == NO_ANSWER  # a client in b, the node in a
    assert float(tasks.ask(A, front)) > 0
    awaited(lambda: len({balanced.get() for _ in range(4)}) == 1)  # the node no longer sees the target in b
    assert list(balanced.targets(balanced.groups[0]).values()) == ["healthy"] * 2
    tasks.cluster.cloud.control.heal_links(owner="test")
    awaited(lambda: {balanced.get() for _ in range(4)} == both)
    tasks.disturb(latency_s=0.3, share=0.5, seed=7)  # gray: health checks pass, and half of the flows are slow

    def some() -> bool:
        balanced.get()
        (one,) = tasks.cluster.cloud.control.links()
        return bool(0 < one["fired"] < one["matched"])

    awaited(some)
    balanced.elb.delete_load_balancer(LoadBalancerArn=balanced.arn)
