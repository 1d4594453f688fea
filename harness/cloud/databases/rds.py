"""RDS: ministack keeps the records and answers, real clusters follow what the records say.

Every call to RDS passes `answer`. Ministack answers it first; then the records of the caller's account and region are
compared with what runs, and what is missing is started, what is too much is ended. What runs writes itself back into
the records: endpoints, roles, zones, status.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from harness.cloud.databases import emulated, query
from harness.cloud.databases.backups import Backups
from harness.cloud.databases.cluster import Cluster
from harness.cloud.databases.emulated import Proceed, Record, ServiceAnswer, ServiceCall
from harness.cloud.databases.global_database import GlobalDatabase, TellLag
from harness.cloud.databases.instance import Instance
from harness.cloud.databases.logins import Logins
from harness.cloud.databases.placing import place, subnets_by_zone, zones_of_group
from harness.cloud.databases.records import ENGINES, write_cluster, write_single
from harness.cloud.databases.setup import Owner, set_password
from harness.cloud.databases.site import Site
from harness.cloud.databases.volume import Volume
from harness.cloud.zones import Zone

_STARTS_ENGINE = frozenset({"CreateDBCluster", "CreateDBInstance", "CreateGlobalCluster"})
_SHOWN_AGAIN = {
    "CreateDBInstance": ("DescribeDBInstances", "DBInstanceIdentifier", "DBInstance"),
    "CreateDBCluster": ("DescribeDBClusters", "DBClusterIdentifier", "DBCluster"),
}
"""Calls whose answer is made before anything runs → the call that shows the same resource afterwards."""

_TURNS_GLOBAL = frozenset({"SwitchoverGlobalCluster", "FailoverGlobalCluster", "RemoveFromGlobalCluster"})
_PATIENCE_S = 60.0

Key = tuple[str, str, str, str]
"""Account, region, `cluster` or `db`, identifier."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What a restored cluster begins with: a volume, as it was at the instant `until` ('' for as it is)."""

    volume: Volume
    until: str = ""


@dataclass(slots=True)
class Rds:
    """The clusters and DB instances of one cloud; a resident of its zones. Safe from any thread."""

    site: Site
    tell_lag: TellLag
    clusters: dict[Key, Cluster] = field(default_factory=dict)
    origins: dict[Key, Origin] = field(default_factory=dict)
    """What clusters that are about to be made begin with."""
    _instances: dict[Key, dict[str, Record]] = field(default_factory=dict)
    _records: dict[Key, Record] = field(default_factory=dict)
    writing: threading.RLock = field(default_factory=threading.RLock)
    """Held while the emulator's records are read or written."""
    _lock: threading.RLock = field(default_factory=threading.RLock)
    backups: Backups = field(init=False)
    globals: dict[tuple[str, str], GlobalDatabase] = field(default_factory=dict)
    """By account and identifier."""

    def __post_init__(self) -> None:
        self.backups = Backups(self)

    # -- calls -------------------------------------------------------------------------------------------------

    async def answer(self, call: ServiceCall, proceed: Proceed) -> ServiceAnswer:
        """Answer one call of the RDS API."""
        given = query.parameters(call)
        action = given.get("Action", "")
        refused = _refused(action, given)
        if refused is not None:
            return refused
        refused = self._refused_now(action, given)
        if refused is not None:
            return refused
        if action in self.backups.operations:
            return await self.backups.answer(call, proceed, given)
        return await self.plainly(call, proceed, given)

    def _refused_now(self, action: str, given: Mapping[str, str]) -> ServiceAnswer | None:
        """A failover while the cluster fails over already: its state is no longer `available`.

        Source: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_FailoverDBCluster.html (errors)
        """
        if action != "FailoverDBCluster":
            return None
        name = given.get("DBClusterIdentifier", "")
        found = self._find(*emulated.caller_scope(), name.rpartition(":")[2])
        if found is None or not found[0].failing_over:
            return None
        said = f"DB cluster {name} is not in available state: it is failing-over"
        return query.refusal("rds", "InvalidDBClusterStateFault", said, status=400)

    async def plainly(self, call: ServiceCall, proceed: Proceed, given: Mapping[str, str]) -> ServiceAnswer:
        """Let ministack answer, and what runs follow."""
        action = given.get("Action", "")
        if action.startswith("Describe"):
            await self._follow(action, given)
            return await proceed(call)
        answer = await _proceed(action, given, call, proceed)
        if answer[0] < 300:
            self._keep_roles(action, given)
            await self._follow(action, given)
            answer = await _shown_again(action, given, answer, call, proceed)
        return answer

    def _keep_roles(self, action: str, given: Mapping[str, str]) -> None:
        """The emulator names the next writer at once; nobody is to see it before it can write.

        Who waits for `available` must not be early either.
        """
        if action != "FailoverDBCluster":
            return
        found = self._find(*emulated.caller_scope(), given.get("DBClusterIdentifier", "").rpartition(":")[2])
        if found is not None:
            found[0].failing_over = True
            found[0].changed(found[0])

    async def _follow(self, action: str, given: Mapping[str, str]) -> None:
        waiting = await asyncio.to_thread(self.reconcile, action, given)
        if waiting:
            # What failed is told by the status of the instance; the worker logged why.
            gathered = asyncio.gather(*map(asyncio.wrap_future, waiting), return_exceptions=True)
            await asyncio.wait([gathered], timeout=_PATIENCE_S)

    # -- what the records say ----------------------------------------------------------------------------------

    def reconcile(self, action: str, given: Mapping[str, str]) -> list[Future[Any]]:
        """Start and end what the caller's records ask for; returns what is still under way."""
        account, region = emulated.caller_scope()
        clusters = emulated.database_records("clusters")
        instances = emulated.database_records("instances")
        with self._lock:
            under_way = self._drop_what_is_gone(account, region, clusters, instances)
            for name, record in clusters.items():
                if record.get("Engine") in ENGINES:
                    key = (account, region, "cluster", name)
                    self._ensure(key, record, record)
                    members = {n: r for n, r in instances.items() if r.get("DBClusterIdentifier") == name}
                    under_way += self._ensure_members(key, members, given)
            for name, record in instances.items():
                if record.get("Engine") in ENGINES and not record.get("DBClusterIdentifier"):
                    key = (account, region, "db", name)
                    self._ensure(key, record, record)
                    under_way += self._ensure_single(key, record, given)
            under_way += self._ensure_globals(account, region, clusters)
            return under_way + self._act(account, region, action, given)

    def _ensure(self, key: Key, record: Record, owner: Record) -> None:
        if key in self.clusters:
            return
        writer, reader = self.site.endpoints.open("postgres", reader=True)
        writer.logins = reader.logins = Logins(account=key[0], region=key[1], record=record)
        self._records[key], self._instances[key] = record, {}
        cluster = Cluster(
            name=key[3],
            region=key[1],
            folder=self.site.folder / "clusters" / "-".join(key),
            site=self.site,
            owner=Owner(
                user=owner.get("MasterUsername") or "postgres",
                password=owner.get("_MasterUserPassword") or "",
                database=owner.get("DatabaseName") or owner.get("DBName") or "",
            ),
            writer_endpoint=writer,
            reader_endpoint=reader,
            changed=lambda _cluster: self._publish(key),
        )
        self.clusters[key] = cluster
        if (origin := self.origins.pop(key, None)) is not None:
            cluster.restore_from(origin.volume, until=origin.until)
        cluster.worker.do(cluster.prepare)
        self._publish(key)

    def _ensure_members(self, key: Key, members: dict[str, Record], given: Mapping[str, str]) -> list[Future[Any]]:
        cluster, known = self.clusters[key], self._instances[key]
        self._instances[key] = members
        under_way: list[Future[Any]] = []
        for name, record in members.items():
            if (known_member := cluster.members.get(name)) is not None:
                known_member.tier = int(record.get("PromotionTier", 1))
            elif name not in known:
                zones = self._zones(cluster, key, self._records[key].get("DBSubnetGroup"))
                zone = self._zone(cluster, zones, _asked_zone(given, name))
                under_way.append(cluster.join(name, zone, tier=int(record.get("PromotionTier", 1))))
        if under_way:
            self._publish(key)
        under_way += [cluster.worker.do(partial(cluster.remove, name)) for name in known if name not in members]
        return under_way

    def _ensure_single(self, key: Key, record: Record, given: Mapping[str, str]) -> list[Future[Any]]:
        cluster, name = self.clusters[key], key[3]
        wanted = [name, f"{name}-standby"] if record.get("MultiAZ") else [name]
        zones = self._zones(cluster, key, record.get("DBSubnetGroup"))
        under_way: list[Future[Any]] = []
        for index, member in enumerate(wanted):
            if not cluster.has(member):
                zone = self._zone(cluster, zones, "" if index else _asked_zone(given, name))
                under_way.append(cluster.join(member, zone, tier=index, hidden=index > 0))
        return under_way

    def _ensure_globals(self, account: str, region: str, clusters: Mapping[str, Record]) -> list[Future[Any]]:
        records, under_way = emulated.database_records("global_clusters"), list[Future[Any]]()
        for gone in [one for one in self.globals if one[0] == account and one[1] not in records]:
            self.globals.pop(gone).close()
        for name, record in clusters.items():
            cluster = self.clusters.get((account, region, "cluster", name))
            group = record.get("GlobalClusterIdentifier", "")
            if cluster is None or group not in records:
                continue
            known = self.globals.get((account, group))
            if known is None:
                primary = self._by_arn(_writer_of(records[group])) or cluster
                known = GlobalDatabase(name=group, site=self.site, primary=primary, tell_lag=self.tell_lag)
                self.globals[account, group] = known
            if cluster not in known.clusters and cluster is not self._by_arn(_writer_of(records[group])):
                under_way.append(known.attach(cluster))
        return under_way

    def _by_arn(self, arn: str) -> Cluster | None:
        parts = arn.split(":")
        return self.clusters.get((parts[4], parts[3], "cluster", parts[6])) if len(parts) == 7 else None

    def _zones(self, cluster: Cluster, key: Key, group: Any) -> tuple[Zone, ...]:
        """`group` is a subnet group's name or record."""
        record = group if isinstance(group, dict) else emulated.database_records("subnet_groups").get(str(group), {})
        cluster.subnets = subnets_by_zone(record)
        return zones_of_group(cluster.subnets, key[1], self.site.zones)

    def _zone(self, cluster: Cluster, zones: tuple[Zone, ...], asked: str) -> Zone:
        explicit = next((zone for zone in self.site.zones.in_region(cluster.region) if zone.name == asked), None)
        return explicit or place(zones, cluster.taken(), self.site.zones)

    def serverless(self, key: Key, instance: str) -> tuple[float, float] | None:
        """The least and the most capacity units of an Aurora Serverless v2 instance; None for any other."""
        record = self._instances.get(key, {}).get(instance) or {}
        bounds = (self._records.get(key) or {}).get("ServerlessV2ScalingConfiguration")
        if record.get("DBInstanceClass") != "db.serverless" or not bounds:
            return None
        return float(bounds["MinCapacity"]), float(bounds["MaxCapacity"])

    def _drop_what_is_gone(
        self, account: str, region: str, clusters: Mapping[str, Record], instances: Mapping[str, Record]
    ) -> list[Future[Any]]:
        there = {"cluster": clusters, "db": instances}
        for key in [k for k in self.clusters if k[:2] == (account, region)]:
            if there[key[2]].get(key[3]) is not self._records[key]:
                self._forget(key)
        return []

    def _forget(self, key: Key) -> None:
        cluster = self.clusters.pop(key)
        del self._records[key], self._instances[key]
        for known in self.globals.values():
            known.drop(cluster)
        cluster.close()
        cluster.delete()

    # -- what a call asks for beyond the records ---------------------------------------------------------------

    def _act(self, account: str, region: str, action: str, given: Mapping[str, str]) -> list[Future[Any]]:
        act = {
            "FailoverDBCluster": self._fail_over,
            "RebootDBInstance": self._reboot,
            "StopDBCluster": self._halt,
            "StopDBInstance": self._halt,
            "StartDBCluster": self._resume,
            "StartDBInstance": self._resume,
            "ModifyDBCluster": self._modify,
            "ModifyDBInstance": self._modify,
        }.get(action)
        if action in _TURNS_GLOBAL:
            return self._act_globally(account, action, given)
        if act is None:
            return []
        name = given.get("DBClusterIdentifier") or given.get("DBInstanceIdentifier", "")
        found = self._find(account, region, name.rpartition(":")[2])
        return [] if found is None else act(*found, given)

    def _act_globally(self, account: str, action: str, given: Mapping[str, str]) -> list[Future[Any]]:
        known = self.globals.get((account, given.get("GlobalClusterIdentifier", "")))
        target = self._by_arn(given.get("TargetDbClusterIdentifier") or given.get("DbClusterIdentifier", ""))
        if known is None or target is None:
            return []
        if action == "RemoveFromGlobalCluster":
            return [known.detach(target)]
        planned = action == "SwitchoverGlobalCluster" or not query.flag(given, "AllowDataLoss")
        (known.switch_over if planned else known.fail_over)(target)
        return []

    def _find(self, account: str, region: str, name: str) -> tuple[Cluster, str] | None:
        """The cluster of that name, or of an instance of that name, and the instance ('' for the whole cluster)."""
        for key, cluster in list(self.clusters.items()):
            if key[:2] == (account, region):
                if key[3] == name:
                    return cluster, "" if key[2] == "cluster" else name
                if name in cluster.members:
                    return cluster, name
        return None

    def _fail_over(self, cluster: Cluster, _instance: str, given: Mapping[str, str]) -> list[Future[Any]]:
        cluster.worker.do(partial(cluster.fail_over, given.get("TargetDBInstanceIdentifier", "")))
        return []

    def _reboot(self, cluster: Cluster, instance: str, given: Mapping[str, str]) -> list[Future[Any]]:
        if query.flag(given, "ForceFailover"):
            return [cluster.worker.do(cluster.fail_over)]
        return [cluster.worker.do(partial(cluster.restart, instance))]

    def _halt(self, cluster: Cluster, instance: str, _given: Mapping[str, str]) -> list[Future[Any]]:
        return [cluster.worker.do(partial(cluster.halt, [instance] if instance else list(cluster.members)))]

    def _resume(self, cluster: Cluster, instance: str, _given: Mapping[str, str]) -> list[Future[Any]]:
        return [cluster.worker.do(partial(cluster.resume, [instance] if instance else list(cluster.members)))]

    def _modify(self, cluster: Cluster, _instance: str, given: Mapping[str, str]) -> list[Future[Any]]:
        password = given.get("MasterUserPassword")
        if not password or cluster.writer is None:
            return []
        return [cluster.worker.do(partial(set_password, cluster.writer.server, cluster.owner.user, password))]

    # -- what runs ---------------------------------------------------------------------------------------------

    def _publish(self, key: Key) -> None:
        cluster, record = self.clusters.get(key), self._records.get(key)
        if cluster is None or record is None:
            return
        with self.writing:
            if key[2] == "cluster":
                write_cluster(cluster, record, self._instances.get(key, {}))
            else:
                write_single(cluster, record)

    def found(self, key: Key) -> tuple[Cluster, Record] | None:
        """What runs under a key, and its record."""
        cluster = self.clusters.get(key)
        return None if cluster is None else (cluster, self._records[key])

    def instances(self) -> Iterable[tuple[Cluster, Instance]]:
        """Every instance with its cluster."""
        for cluster in list(self.clusters.values()):
            for member in list(cluster.members.values()):
                yield cluster, member

    # -- zones (a Resident) ------------------------------------------------------------------------------------

    def power_lost(self, zone: Zone, *, owner: str) -> int:
        """Kill every instance in the zone at once; returns how many died."""
        del owner
        return sum(cluster.power_lost(zone) for cluster in list(self.clusters.values()))

    def power_restored(self, zone: Zone, *, owner: str) -> None:
        """Instances in the zone start again."""
        del owner
        for cluster in list(self.clusters.values()):
            cluster.worker.do(partial(cluster.power_restored, zone))

    # -- the server --------------------------------------------------------------------------------------------

    def reset(self) -> None:
        """End and forget every cluster; new ones may be made."""
        self.backups.reset()
        with self._lock:
            while self.globals:
                self.globals.popitem()[1].close()
            for key in list(self.clusters):
                self._forget(key)


def _refused(action: str, given: Mapping[str, str]) -> ServiceAnswer | None:
    """Engines that do not run here are refused by name; a global cluster of no engine is one by its source."""
    engine = given.get("Engine", "")
    if action not in _STARTS_ENGINE or not engine or engine in ENGINES:
        return None
    return query.refusal(
        "rds",
        "InvalidParameterValue",
        f"Invalid DB engine: {engine}. This cloud runs PostgreSQL only: {', '.join(sorted(ENGINES))}",
        status=400,
    )


def _writer_of(record: Record) -> str:
    """The ARN of a global cluster's primary."""
    return next((str(m["DBClusterArn"]) for m in record.get("GlobalClusterMembers") or () if m.get("IsWriter")), "")


def _asked_zone(given: Mapping[str, str], name: str) -> str:
    asked = given.get("AvailabilityZone", "")
    return asked if given.get("DBInstanceIdentifier") == name else ""


async def _proceed(action: str, given: Mapping[str, str], call: ServiceCall, proceed: Proceed) -> ServiceAnswer:
    """Ministack's answer. It refuses planned switchovers of PostgreSQL; for its records they are forced ones."""
    if action not in {"SwitchoverGlobalCluster", "FailoverGlobalCluster"}:
        return await proceed(call)
    forced = {key: value for key, value in given.items() if key != "Switchover"}
    asked = {**forced, "Action": "FailoverGlobalCluster", "AllowDataLoss": "true"}
    status, headers, body = await proceed(query.changed(call, asked))
    if action == "SwitchoverGlobalCluster":
        body = body.replace(b"FailoverGlobalClusterRe", b"SwitchoverGlobalClusterRe")
        body = body.replace(b">failing-over<", b">switching-over<").replace(
            b"<IsDataLossAllowed>true<", b"<IsDataLossAllowed>false<"
        )
    return status, headers, body


async def _shown_again(
    action: str, given: Mapping[str, str], answer: ServiceAnswer, call: ServiceCall, proceed: Proceed
) -> ServiceAnswer:
    """The answer with the resource as it is now."""
    if action not in _SHOWN_AGAIN:
        return answer
    describe, identifier, tag = _SHOWN_AGAIN[action]
    shown = await proceed(
        query.changed(call, {"Action": describe, identifier: given[identifier], "Version": "2014-10-31"})
    )
    return query.with_element(answer, tag, query.element(shown, tag))
