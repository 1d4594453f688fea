"""ElastiCache: ministack keeps the records and answers, real shards follow what the records say. See `rds.py`."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from harness.cloud.databases import emulated, query
from harness.cloud.databases.emulated import Proceed, Record, ServiceAnswer, ServiceCall
from harness.cloud.databases.endpoint import Endpoint
from harness.cloud.databases.placing import subnets_by_zone, zones_of_group
from harness.cloud.databases.shard import Node, Shard
from harness.cloud.databases.site import Site
from harness.cloud.zones import Zone

ENGINES = frozenset({"redis", "valkey"})
_STARTS_ENGINE = frozenset({"CreateCacheCluster", "CreateReplicationGroup", "CreateServerlessCache"})
_VERSION = "2015-02-02"
_SHOWN_AGAIN = {
    "CreateReplicationGroup": ("DescribeReplicationGroups", "ReplicationGroupId", "ReplicationGroup", {}),
    "IncreaseReplicaCount": ("DescribeReplicationGroups", "ReplicationGroupId", "ReplicationGroup", {}),
    "CreateCacheCluster": ("DescribeCacheClusters", "CacheClusterId", "CacheCluster", {"ShowCacheNodeInfo": "true"}),
}
_PATIENCE_S = 60.0

Key = tuple[str, str, str, str]
"""Account, region, replication group or cache cluster, node group ('' for a single cache cluster)."""


@dataclass(slots=True)
class ElastiCache:
    """The shards of one cloud; a resident of its zones. Safe from any thread."""

    site: Site
    shards: dict[Key, Shard] = field(default_factory=dict)
    _shown: dict[Key, tuple[Record, list[Record], dict[str, Record]]] = field(default_factory=dict)
    """The node group or cache cluster, its members, and the cache clusters by their ids."""
    writing: threading.RLock = field(default_factory=threading.RLock)
    """Held while the emulator's records are read or written."""
    _lock: threading.RLock = field(default_factory=threading.RLock)

    # -- calls -------------------------------------------------------------------------------------------------

    async def answer(self, call: ServiceCall, proceed: Proceed) -> ServiceAnswer:
        """Answer one call of the ElastiCache API."""
        given = query.parameters(call)
        action = given.get("Action", "")
        refused = _refused(action, given)
        if refused is not None:
            return refused
        if action == "TestFailover":
            return await self._test_failover(call, proceed, given)
        if action.startswith("Describe"):
            await self._follow(action, given)
            return await proceed(call)
        answer = await proceed(call)
        if answer[0] < 300:
            await self._follow(action, given)
            if action in _SHOWN_AGAIN:
                describe, identifier, tag, extra = _SHOWN_AGAIN[action]
                asked = {"Action": describe, identifier: given[identifier], "Version": _VERSION, **extra}
                shown = await proceed(query.changed(call, asked))
                answer = query.with_element(answer, tag, query.element(shown, tag))
        return answer

    async def _follow(self, action: str, given: Mapping[str, str]) -> None:
        waiting = await asyncio.to_thread(self.reconcile, action, given)
        if waiting:
            gathered = asyncio.gather(*map(asyncio.wrap_future, waiting), return_exceptions=True)
            await asyncio.wait([gathered], timeout=_PATIENCE_S)  # what failed, the worker logged

    async def _test_failover(self, call: ServiceCall, proceed: Proceed, given: Mapping[str, str]) -> ServiceAnswer:
        """An operation that ministack lacks.

        Source: https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_TestFailover.html
        """
        account, region = emulated.caller_scope()
        group, node_group = given.get("ReplicationGroupId", ""), given.get("NodeGroupId", "")
        asked = {"Action": "DescribeReplicationGroups", "ReplicationGroupId": group, "Version": _VERSION}
        shown = await proceed(query.changed(call, asked))
        if shown[0] >= 300:
            return shown
        shard = self.shards.get((account, region, group, node_group))
        if shard is None:
            return query.refusal("elasticache", "NodeGroupNotFoundFault", f"Node group {node_group} not found")
        if not shard.automatic_failover:
            said = "Automatic failover is not enabled for the replication group"
            return query.refusal("elasticache", "TestFailoverNotAvailableFault", said)
        shard.failing_over = True
        self._publish((account, region, group, node_group))
        shown = await proceed(query.changed(call, asked))
        shard.worker.do(shard.fail_over)
        found = query.element(shown, "ReplicationGroup")
        body = f"<TestFailoverResponse><TestFailoverResult>{found}</TestFailoverResult></TestFailoverResponse>"
        return 200, {"Content-Type": "text/xml"}, body.encode()

    # -- what the records say ----------------------------------------------------------------------------------

    def reconcile(self, action: str, given: Mapping[str, str]) -> list[Future[Any]]:
        """Start and end what the caller's records ask for; returns what is still under way."""
        account, region = emulated.caller_scope()
        clusters = emulated.cache_records("clusters")
        under_way: list[Future[Any]] = []
        with self._lock:
            wanted: dict[Key, tuple[Record, Record, list[Record]]] = {}
            for name, group in emulated.cache_records("replication_groups").items():
                for node_group in group["NodeGroups"]:
                    key = (account, region, name, node_group["NodeGroupId"])
                    wanted[key] = (group, node_group, node_group["NodeGroupMembers"])
            for name, cluster in clusters.items():
                if not cluster.get("ReplicationGroupId") and cluster["Engine"] in ENGINES:
                    wanted[account, region, name, ""] = (cluster, cluster, [cluster])
            for key in [k for k in self.shards if k[:2] == (account, region)]:
                if key not in wanted or wanted[key][1] is not self._shown[key][0]:
                    self._forget(key)
            for key, (owner, shown, members) in wanted.items():
                self._shown[key] = (shown, members, clusters)
                under_way += self._ensure(key, owner, members)
            return under_way + self._act(account, region, action, given)

    def _ensure(self, key: Key, owner: Record, members: list[Record]) -> list[Future[Any]]:
        shard = self.shards.get(key)
        if shard is None:
            tokens = owner.get("_auth_tokens") or [""]
            shard = self.shards[key] = Shard(
                name=f"{key[2]}-{key[3]}" if key[3] else key[2],
                resource=_arn(key),
                region=key[1],
                folder=self.site.folder / "clusters" / "-".join(("cache", *key)),
                site=self.site,
                password=tokens[-1],
                tls=bool(owner.get("TransitEncryptionEnabled")),
                changed=lambda: self._publish(key),
            )
        shard.automatic_failover = owner.get("AutomaticFailover") == "enabled"
        group = emulated.cache_records("subnet_groups").get(owner.get("CacheSubnetGroupName", ""), {})
        shard.subnets = subnets_by_zone(group)
        zones = zones_of_group(shard.subnets, key[1], self.site.zones)
        names = [member["CacheClusterId"] for member in members]
        under_way = [shard.join(name, zones) for name in names if name not in shard.placed]
        under_way += [shard.leave(name) for name in list(shard.placed) if name not in names]
        self._publish(key)
        return under_way

    def _forget(self, key: Key) -> None:
        del self._shown[key]
        self.shards.pop(key).close()

    def _act(self, account: str, region: str, action: str, given: Mapping[str, str]) -> list[Future[Any]]:
        """What a call asks for beyond the records."""
        if action == "RebootCacheCluster":
            name = given.get("CacheClusterId", "")
            return [s.worker.do(partial(s.restart, name)) for s in self._of(account, region) if name in s.nodes]
        if action == "ModifyReplicationGroup" and (target := given.get("PrimaryClusterId")):
            found = [s for s in self._of(account, region) if target in s.nodes and s.primary is not s.nodes[target]]
            return [shard.worker.do(partial(shard.fail_over, target)) for shard in found]
        return []

    def _of(self, account: str, region: str) -> list[Shard]:
        return [shard for key, shard in list(self.shards.items()) if key[:2] == (account, region)]

    # -- what runs ---------------------------------------------------------------------------------------------

    def _publish(self, key: Key) -> None:
        shard, shown = self.shards.get(key), self._shown.get(key)
        if shard is None or shown is None:
            return
        with self.writing:
            self._write(key, shard, *shown)

    @staticmethod
    def _write(key: Key, shard: Shard, record: Record, members: list[Record], clusters: dict[str, Record]) -> None:
        if key[3]:
            record["PrimaryEndpoint"] = _address(shard.primary_endpoint)
            record["ReaderEndpoint"] = _address(shard.reader_endpoint)
            record["Status"] = "modifying" if shard.failing_over else "available"
        for member in members:
            node = shard.nodes.get(member["CacheClusterId"])
            if node is not None:
                _write_member(member, node, is_primary=node is shard.primary)
                _write_cluster(clusters.get(member["CacheClusterId"], {}), node)

    # -- zones (a Resident) ------------------------------------------------------------------------------------

    def power_lost(self, zone: Zone, *, owner: str) -> int:
        """Kill every node in the zone at once; returns how many died."""
        del owner
        return sum(shard.power_lost(zone) for shard in list(self.shards.values()))

    def power_restored(self, zone: Zone, *, owner: str) -> None:
        """Nodes in the zone start again."""
        del owner
        for shard in list(self.shards.values()):
            shard.worker.do(partial(shard.power_restored, zone))

    def resource_power_lost(self, resource: str, zone: Zone) -> int:
        """Kill one group's nodes in the zone; returns how many died."""
        return sum(shard.power_lost(zone) for shard in list(self.shards.values()) if shard.resource == resource)

    def resource_power_restored(self, resource: str, zone: Zone) -> None:
        """One group's nodes in the zone start again."""
        for shard in list(self.shards.values()):
            if shard.resource == resource:
                shard.worker.do(partial(shard.power_restored, zone))

    # -- the server --------------------------------------------------------------------------------------------

    def reset(self) -> None:
        """End and forget every shard; new ones may be made."""
        with self._lock:
            for key in list(self.shards):
                self._forget(key)


def _arn(key: Key) -> str:
    account, region, name, node_group = key
    kind = "replicationgroup" if node_group else "cluster"
    return f"arn:aws:elasticache:{region}:{account}:{kind}:{name}"


def _write_member(member: Record, node: Node, *, is_primary: bool) -> None:
    if "CurrentRole" in member:
        member["CurrentRole"] = "primary" if is_primary else "replica"
        member["ReadEndpoint"] = _address(node.endpoint)
    member["PreferredAvailabilityZone"] = node.zone.name


def _write_cluster(cluster: Record, node: Node) -> None:
    status = "available" if node.alive else "rebooting cluster nodes"
    cluster["CacheClusterStatus"] = status
    cluster["PreferredAvailabilityZone"] = node.zone.name
    for shown in cluster.get("CacheNodes") or ():
        shown["Endpoint"] = _address(node.endpoint)
        shown["CacheNodeStatus"] = status


def _address(endpoint: Endpoint) -> dict[str, object]:
    return {"Address": endpoint.host, "Port": endpoint.port}


def _refused(action: str, given: Mapping[str, str]) -> ServiceAnswer | None:
    """What does not run here is refused by name: other engines, and cluster mode with several shards."""
    if action not in _STARTS_ENGINE:
        return None
    engine, groups = given.get("Engine", "redis"), int(given.get("NumNodeGroups") or 1)
    said = ""
    if engine not in ENGINES:
        said = f"Invalid engine: {engine}. This cloud runs {' and '.join(sorted(ENGINES))}"
    elif action == "CreateServerlessCache":
        said = "Serverless caches do not run here; create a replication group"
    elif groups > 1:
        said = "Cluster mode with several node groups does not run here; NumNodeGroups must be 1"
    elif action == "CreateCacheCluster" and int(given.get("NumCacheNodes") or 1) > 1:
        said = f"NumCacheNodes must be 1 for the engine {engine}"
    return query.refusal("elasticache", "InvalidParameterValue", said, status=400) if said else None
