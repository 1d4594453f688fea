"""AWS/RDS and AWS/ElastiCache: what DB instances and cache nodes say of themselves, and what their processes use.

Every figure is measured: the processes' CPU and the machine's free memory by the kernel, connections, input and
output by PostgreSQL, the rest by Valkey's `INFO`. What has no honest measure here (CommitLatency: nothing waits for a
disk) is not published.
RDS: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-metrics.html
Aurora: https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Aurora.AuroraMonitoring.Metrics.html
ElastiCache: https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/CacheMetrics.Redis.html
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import psutil

from harness.cloud.databases.cluster import Cluster
from harness.cloud.databases.elasticache import ElastiCache
from harness.cloud.databases.instance import Instance
from harness.cloud.databases.rds import Key, Rds
from harness.cloud.databases.serverless import capacity_units
from harness.cloud.databases.shard import Node
from harness.cloud.signals.series import MetricId, MetricStore
from harness.cloud.ticker import Ticker
from harness.processes import family

Sample = tuple[str, float, str]  # name, value, unit
Place = tuple[str, str]  # account id and region
Dimensions = Mapping[str, str]

_ASKED = """
SELECT (SELECT count(*) FROM pg_stat_activity
        WHERE backend_type = 'client backend' AND pid <> pg_backend_pid())::float8 AS connections,
       (SELECT coalesce(sum(xact_commit), 0) FROM pg_stat_database)::float8 AS commits,
       coalesce(sum(reads), 0)::float8 AS reads, coalesce(sum(read_time), 0)::float8 AS reads_ms,
       coalesce(sum(writes), 0)::float8 AS writes, coalesce(sum(write_time), 0)::float8 AS writes_ms,
       CASE WHEN NOT pg_is_in_recovery() THEN NULL
            WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
            ELSE extract(epoch FROM now() - pg_last_xact_replay_timestamp()) END::float8 AS behind_s
FROM pg_stat_io
"""


@dataclass(frozen=True, slots=True)
class Counters:
    """What only grows, at an instant; a server that started anew begins at nothing."""

    at_s: float
    values: Mapping[str, float]

    def since(self, before: Counters | None, name: str) -> float | None:
        """How much more since then; None for the first look, or after a start."""
        if before is None or self.values[name] < before.values.get(name, 0.0):
            return None
        return self.values[name] - before.values.get(name, 0.0)


@dataclass(slots=True, kw_only=True)
class DatabaseMetrics:
    """Looks every `every_s` seconds at what runs, from a thread of its own."""

    store: MetricStore
    rds: Rds
    caches: ElastiCache
    every_s: float
    _before: dict[int, Counters] = field(default_factory=dict)  # by process id
    _ticker: Ticker = field(init=False)

    def __post_init__(self) -> None:
        self._ticker = Ticker("database metrics", self.every_s, self._look)

    def start(self) -> None:
        """Begin."""
        self._ticker.start()

    def stop(self) -> None:
        """End."""
        self._ticker.stop()

    def _look(self) -> None:
        if self.rds.clusters or self.caches.shards:
            self.look()

    def look(self) -> None:
        """Measure and publish once; a server that ends in the meantime is left out."""
        import psycopg
        import valkey

        seen: dict[int, Counters] = {}
        for call in [*self._instances(seen), *self._nodes(seen)]:
            try:
                call()
            except (psycopg.Error, valkey.ValkeyError, psutil.Error, OSError):
                continue
        self._before = seen

    # -- RDS and Aurora ----------------------------------------------------------------------------------------

    def _instances(self, seen: dict[int, Counters]) -> Iterator[Callable[[], None]]:
        for key, cluster in list(self.rds.clusters.items()):
            for member in list(cluster.members.values()):
                if member.alive:
                    name = cluster.name if key[2] == "cluster" else ""
                    yield partial(self._instance, key, cluster, member, seen, cluster_id=name)

    def _instance(
        self, key: Key, cluster: Cluster, member: Instance, seen: dict[int, Counters], *, cluster_id: str
    ) -> None:
        pid = member.server.process.pid
        said = _asked(member)
        now = Counters(time.monotonic(), {"cpu_s": cpu_s(pid), **{k: v for k, v in said.items() if v is not None}})
        seen[pid], before = now, self._before.get(pid)
        samples = [*_gauges(said), *_rates(now, before)]
        if member is not cluster.writer and cluster_id and said["behind_s"] is not None:
            samples.append(("AuroraReplicaLag", said["behind_s"] * 1000, "Milliseconds"))
        cores, bounds = _cores(now, before), self.rds.serverless(key, member.name)
        if bounds and cores is not None:
            units = capacity_units(cores, _rss(pid), *bounds)
            samples += [
                ("ServerlessDatabaseCapacity", units, "Count"),
                ("ACUUtilization", 100 * units / bounds[1], "Percent"),
            ]
        sets: list[Dimensions] = [{"DBInstanceIdentifier": member.name}]
        if cluster_id:
            role = "WRITER" if member is cluster.writer else "READER"
            sets += [{"DBClusterIdentifier": cluster_id}, {"DBClusterIdentifier": cluster_id, "Role": role}]
        self._publish(key[:2], "AWS/RDS", samples, sets)

    # -- ElastiCache -------------------------------------------------------------------------------------------

    def _nodes(self, seen: dict[int, Counters]) -> Iterator[Callable[[], None]]:
        for key, shard in list(self.caches.shards.items()):
            for node in list(shard.nodes.values()):
                if node.alive:
                    yield partial(self._node, key[:2], node, seen)

    def _node(self, place: Place, node: Node, seen: dict[int, Counters]) -> None:
        pid = node.server.process.pid
        with node.server.client() as client:
            info: dict[str, Any] = dict(client.info())
        now = Counters(
            time.monotonic(),
            {name: float(info[name]) for name in _COUNTED}
            | {"cpu_s": cpu_s(pid), "engine_s": float(info["used_cpu_user"]) + float(info["used_cpu_sys"])},
        )
        seen[pid], before = now, self._before.get(pid)
        samples = list(_cache_gauges(info))
        for name, metric in _COUNTED.items():
            grown = now.since(before, name)
            if grown is not None:
                samples.append((metric, grown, "Bytes" if "Bytes" in metric else "Count"))
        engine = now.since(before, "engine_s")
        if engine is not None and before is not None:
            samples.append(("EngineCPUUtilization", 100 * engine / (now.at_s - before.at_s), "Percent"))
        cores = _cores(now, before)
        if cores is not None:
            samples.append(("CPUUtilization", 100 * cores / _CPUS, "Percent"))
        one = {"CacheClusterId": node.name}
        self._publish(place, "AWS/ElastiCache", samples, [one, {**one, "CacheNodeId": "0001"}])

    def _publish(self, place: Place, namespace: str, samples: list[Sample], sets: list[Dimensions]) -> None:
        at_s = time.time()
        for name, value, unit in samples:
            for dimensions in sets:
                metric = MetricId(*place, namespace, name, tuple(sorted(dimensions.items())))
                self.store.value(metric, float(value), at_s, unit=unit)


_CPUS = os.cpu_count() or 1
_COUNTED = {
    "keyspace_hits": "CacheHits", "keyspace_misses": "CacheMisses", "evicted_keys": "Evictions",
    "expired_keys": "Reclaimed", "total_connections_received": "NewConnections",
    "total_net_input_bytes": "NetworkBytesIn", "total_net_output_bytes": "NetworkBytesOut",
}  # fmt: skip
"""Counters of `INFO` and their metrics, of what came since the last look."""


def _asked(member: Instance) -> dict[str, float | None]:
    import psycopg
    from psycopg.rows import dict_row

    address = f"{member.server.address()} connect_timeout=2 options='-c statement_timeout=2s'"
    with psycopg.connect(address, autocommit=True, row_factory=dict_row) as connection:
        found = connection.execute(_ASKED).fetchone()
    return dict(found or {})


def _gauges(said: Mapping[str, float | None]) -> Iterator[Sample]:
    yield "DatabaseConnections", said["connections"] or 0.0, "Count"
    yield "FreeableMemory", float(psutil.virtual_memory().available), "Bytes"


def _rates(now: Counters, before: Counters | None) -> Iterator[Sample]:
    """What was done a second since the last look, and how long a read and a write took."""
    cores = _cores(now, before)
    if before is None or cores is None:
        return
    yield "CPUUtilization", 100 * cores / _CPUS, "Percent"
    took_s = now.at_s - before.at_s
    commits = now.since(before, "commits")
    if commits is not None:
        yield "CommitThroughput", commits / took_s, "Count/Second"
    for name, counted in (("Read", "reads"), ("Write", "writes")):
        count, took_ms = now.since(before, counted), now.since(before, f"{counted}_ms")
        if count is None or took_ms is None:
            continue
        yield f"{name}IOPS", count / took_s, "Count/Second"
        if count:
            yield f"{name}Latency", took_ms / 1000 / count, "Seconds"


def _cache_gauges(info: Mapping[str, Any]) -> Iterator[Sample]:
    yield "CurrConnections", max(0, int(info["connected_clients"]) - 1), "Count"  # but for the one that asks
    yield "BytesUsedForCache", float(info["used_memory"]), "Bytes"
    yield (
        "CurrItems",
        sum(one["keys"] for name, one in info.items() if name.startswith("db") and name[2:].isdigit()),
        "Count",
    )
    if info.get("maxmemory"):
        share = float(info["used_memory"]) / float(info["maxmemory"])
        yield "DatabaseMemoryUsagePercentage", 100 * share, "Percent"
    yield "FreeableMemory", float(psutil.virtual_memory().available), "Bytes"
    if info.get("role") == "slave":
        yield "ReplicationLag", max(0.0, float(info.get("master_last_io_seconds_ago", 0))), "Seconds"


def _cores(now: Counters, before: Counters | None) -> float | None:
    """Cores that a server's processes kept busy since the last look."""
    used = now.since(before, "cpu_s")
    return None if used is None or before is None else used / max(1e-3, now.at_s - before.at_s)


def cpu_s(pid: int) -> float:
    """CPU seconds of a server with all its processes, of those that ended too."""
    total = 0.0
    for number, process in enumerate(family(pid)):
        try:
            times = process.cpu_times()
        except psutil.Error:
            if not number:
                raise
            continue
        total += times.user + times.system + (0.0 if number else times.children_user + times.children_system)
    return total


def _rss(pid: int) -> int:
    total = 0
    for process in family(pid):
        try:
            total += process.memory_info().rss
        except psutil.Error:
            continue
    return total
