"""ElastiCache over boto3 and a Valkey client: automatic failover, asynchronous loss, endpoints that follow."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest
import valkey
from botocore.exceptions import ClientError

from harness.cloud.client import RunningCloud
from tests.integration.databases.conftest import DETECTION_S, DNS_S, pid_of, published
from tests.waiting import PATIENCE_S, until


def client(endpoint: dict[str, Any], **options: Any) -> Any:
    given = {"socket_timeout": 90, "decode_responses": True, **options}
    return valkey.Valkey(host=endpoint["Address"], port=endpoint["Port"], **given)


class Group:
    """A replication group as a user sees it."""

    def __init__(self, cloud: RunningCloud) -> None:
        self.cloud, self.api = cloud, cloud.target.client("elasticache")

    @property
    def shown(self) -> dict[str, Any]:
        groups = self.api.describe_replication_groups(ReplicationGroupId="carts")["ReplicationGroups"]
        return dict(groups[0]["NodeGroups"][0])

    @property
    def primary(self) -> dict[str, Any]:
        return next(m for m in self.shown["NodeGroupMembers"] if m["CurrentRole"] == "primary")

    def pid(self, node: str) -> int:
        return pid_of(self.cloud, f"valkey {node}")

    def writes_again(self, endpoint: dict[str, Any], since_s: float, within_s: float = PATIENCE_S) -> float:
        """Seconds until a write through the endpoint is acknowledged by a primary."""
        while time.monotonic() < since_s + within_s:
            try:
                with client(endpoint, socket_timeout=5) as one:
                    one.set("alive", "yes")
                    return time.monotonic() - since_s
            except valkey.ValkeyError:
                time.sleep(0.01)
        pytest.fail(f"no write within {within_s} s: {self.shown}")

    def settled(self, replicas: int = 2) -> None:
        assert until(lambda: self._follow(replicas)), f"not settled: {self.shown}"

    def _follow(self, replicas: int) -> bool:
        with contextlib.suppress(valkey.ValkeyError), client(self.primary["ReadEndpoint"]) as one:
            return bool(one.info("replication")["connected_slaves"] == replicas)
        return False


@pytest.fixture(scope="module")
def group(cloud: RunningCloud) -> Iterator[Group]:
    api = cloud.target.client("elasticache")
    api.create_replication_group(
        ReplicationGroupId="carts",
        ReplicationGroupDescription="carts",
        Engine="valkey",
        CacheNodeType="cache.t4g.small",
        NumCacheClusters=3,
        AutomaticFailoverEnabled=True,
        MultiAZEnabled=True,
    )
    yield Group(cloud)
    api.delete_replication_group(ReplicationGroupId="carts")


def test_the_nodes_are_processes_in_three_zones_and_replicas_serve_the_reader_endpoint(group: Group) -> None:
    zones = [member["PreferredAvailabilityZone"] for member in group.shown["NodeGroupMembers"]]
    assert sorted(zones) == ["us-east-1a", "us-east-1b", "us-east-1c"]
    with client(group.shown["PrimaryEndpoint"]) as primary, client(group.shown["ReaderEndpoint"]) as reader:
        primary.set("cart", "full")
        assert primary.wait(2, 60_000) == 2
        assert reader.get("cart") == "full"
        with pytest.raises(valkey.exceptions.ReadOnlyError):
            reader.set("cart", "empty")


def test_nodes_publish_what_they_hold_serve_and_use(group: Group, cloud: RunningCloud) -> None:
    group.settled()
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(client(group.shown["PrimaryEndpoint"])) for _ in range(4)]
        for number, one in enumerate(clients):
            one.set(f"held-{number}", "x" * 100_000)
        node = group.primary["CacheClusterId"]
        replica = next(m["CacheClusterId"] for m in group.shown["NodeGroupMembers"] if m["CacheClusterId"] != node)

        def most(name: str, of: str = node) -> float:
            return max(published(cloud, "AWS/ElastiCache", name, CacheClusterId=of, CacheNodeId="0001"), default=-1.0)

        def seen() -> bool:
            """Hits and misses go on while it is looked."""
            clients[0].get("held-0")
            clients[0].get("nowhere")
            return most("CacheHits") > 0 and most("CacheMisses") > 0 and most("CurrConnections") >= 4

        assert until(seen), [most(name) for name in ("CacheHits", "CacheMisses", "CurrConnections")]
        assert most("BytesUsedForCache") > 400_000
        assert most("CurrItems") >= 4
        assert until(lambda: most("EngineCPUUtilization") > 0)
        assert until(lambda: most("ReplicationLag", replica) >= 0)


def test_a_killed_primary_is_replaced_after_the_modelled_delay_by_a_replica_with_its_data(group: Group) -> None:
    group.settled()
    old, endpoint = group.primary["CacheClusterId"], group.shown["PrimaryEndpoint"]
    with client(endpoint) as one:
        one.set("kept", "yes")
        assert one.wait(2, 60_000) == 2
    pid, killed_s = group.pid(old), time.monotonic()
    os.kill(pid, signal.SIGKILL)
    assert group.writes_again(endpoint, killed_s) >= DETECTION_S + DNS_S
    assert group.primary["CacheClusterId"] != old
    with client(endpoint) as one:
        assert one.get("kept") == "yes"
    group.settled()


def test_what_no_replica_had_yet_is_lost_with_the_primary(group: Group, cloud: RunningCloud) -> None:
    group.settled()
    endpoint = group.shown["PrimaryEndpoint"]
    with client(endpoint) as one:
        for number in range(30):
            one.set(f"write-{number}", "arrives")
        assert one.wait(2, 60_000) == 2
        cloud.control.set_lag("elasticache", "10m")  # what is written from now on stays under way
        for number in range(30, 60):
            one.set(f"write-{number}", "is under way")
        os.kill(group.pid(group.primary["CacheClusterId"]), signal.SIGKILL)
    cloud.control.set_lag("elasticache", "")
    group.writes_again(endpoint, time.monotonic())
    with client(endpoint) as one:
        there = [number for number in range(60) if one.get(f"write-{number}") is not None]
    assert there == list(range(30))
    group.settled()


def test_a_zone_takes_its_node_along_and_test_failover_moves_the_primary(group: Group, cloud: RunningCloud) -> None:
    group.settled()
    old = group.primary
    cloud.control.cut_power(old["PreferredAvailabilityZone"], owner="test")
    try:
        group.writes_again(group.shown["PrimaryEndpoint"], time.monotonic())
        assert group.primary["PreferredAvailabilityZone"] != old["PreferredAvailabilityZone"]
    finally:
        cloud.control.restore_power(old["PreferredAvailabilityZone"], owner="test")
    group.settled()
    before = group.primary["CacheClusterId"]
    answer = group.api.test_failover(ReplicationGroupId="carts", NodeGroupId=group.shown["NodeGroupId"])
    assert answer["ReplicationGroup"]["NodeGroups"][0]["Status"] == "modifying"
    assert until(lambda: group.primary["CacheClusterId"] != before)
    group.settled()


def test_an_auth_token_and_transit_encryption_are_enforced(cloud: RunningCloud) -> None:
    api = cloud.target.client("elasticache")
    token = "a-token-of-sixteen-characters"
    made = api.create_replication_group(
        ReplicationGroupId="private",
        ReplicationGroupDescription="private",
        Engine="valkey",
        NumCacheClusters=1,
        TransitEncryptionEnabled=True,
        AuthToken=token,
    )["ReplicationGroup"]
    endpoint = made["NodeGroups"][0]["PrimaryEndpoint"]
    ca = str(cloud.settings.state_dir / "databases" / "tls" / "ca.pem")
    with client(endpoint, ssl=True, ssl_ca_certs=ca, password=token) as one:
        assert one.ping()
    with client(endpoint, ssl=True, ssl_ca_certs=ca) as one, pytest.raises(valkey.AuthenticationError):
        one.ping()
    with client(endpoint, password=token) as one, pytest.raises(valkey.ValkeyError):
        one.ping()
    api.delete_replication_group(ReplicationGroupId="private")


def test_engines_and_modes_that_do_not_run_here_are_refused_by_name(cloud: RunningCloud) -> None:
    api = cloud.target.client("elasticache")
    with pytest.raises(ClientError, match="memcached"):
        api.create_cache_cluster(CacheClusterId="m", Engine="memcached", NumCacheNodes=1)
    with pytest.raises(ClientError, match="NumNodeGroups must be 1"):
        api.create_replication_group(
            ReplicationGroupId="many", ReplicationGroupDescription="many", Engine="valkey", NumNodeGroups=3
        )
