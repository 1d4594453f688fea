"""The databases and caches of one cloud: built here, joined to the emulator and to the zones."""

from __future__ import annotations

import functools
import shutil
import time
from dataclasses import dataclass
from functools import partial
from typing import Any

from harness import processes
from harness.cloud.databases import emulated
from harness.cloud.databases.certificate import server_context
from harness.cloud.databases.cluster import Cluster
from harness.cloud.databases.data_api import DataApi
from harness.cloud.databases.elasticache import ElastiCache
from harness.cloud.databases.endpoint import EndpointHost
from harness.cloud.databases.instance import Instance
from harness.cloud.databases.metrics import DatabaseMetrics
from harness.cloud.databases.rds import Rds
from harness.cloud.databases.shard import Node
from harness.cloud.databases.site import Site
from harness.cloud.databases.template import Template
from harness.cloud.databases.timing import Timing
from harness.cloud.doors import Doors
from harness.cloud.settings import CloudSettings
from harness.cloud.signals.series import MetricId, MetricStore


@dataclass(slots=True, kw_only=True)
class Databases:
    """What the server starts and ends. Nothing runs, and nothing heavy is imported, before the first resource."""

    site: Site
    rds: Rds
    caches: ElastiCache
    data_api: DataApi
    metrics: DatabaseMetrics

    @classmethod
    def install(cls, settings: CloudSettings, doors: Doors, metrics: MetricStore) -> Databases:
        """Build everything; from now on RDS and ElastiCache drive real processes, and zones reach them."""
        folder = settings.state_dir / "databases"
        for of_a_killed_cloud in ("clusters", "template"):  # the template knows that one's password, not ours
            shutil.rmtree(folder / of_a_killed_cloud, ignore_errors=True)
        site = Site(
            folder=folder,
            registry=folder / "processes",
            zones=doors.zones,
            evidence=doors.evidence,
            clock=doors.clock,
            timing=Timing(detection_s=settings.detection_s, dns_s=settings.dns_s),
            lags=doors.replication.lags,
            endpoints=EndpointHost(functools.cache(lambda: server_context(folder / "tls")), doors.zones.links),
            template=Template(folder / "template"),
        )
        rds = Rds(site, partial(_publish_lag, metrics, settings.account_id))
        caches = ElastiCache(site)
        watched = DatabaseMetrics(store=metrics, rds=rds, caches=caches, every_s=settings.gauges_every_s)
        made = cls(site=site, rds=rds, caches=caches, data_api=DataApi(rds), metrics=watched)
        watched.start()
        for name, service in (("rds", made.rds), ("elasticache", made.caches)):
            emulated.without_containers(name)
            emulated.one_at_a_time(name, service.writing)
            emulated.wrap_service(name, service.answer)
            doors.zones.add_resident(service)
        doors.zones.of_resources.add_resident(made.caches)
        emulated.wrap_service("rds_data", made.data_api.answer)
        return made

    def shown(self) -> list[dict[str, Any]]:  # JSON for the control API
        """Every DB instance and cache node, whether its process runs or not."""
        instances = [
            _row("database", cluster.name, one, role="writer" if one is cluster.writer else "reader")
            for cluster in list(self.rds.clusters.values())
            for one in list(cluster.members.values())
        ]
        return instances + [
            _row("cache", shard.name, one, role="primary" if one is shard.primary else "replica")
            for shard in list(self.caches.shards.values())
            for one in list(shard.nodes.values())
        ]

    def reset(self) -> None:
        """End every process and forget every resource; new ones may be made."""
        self.data_api.reset()
        self.rds.reset()
        self.caches.reset()

    def close(self) -> None:
        """End everything for good."""
        self.metrics.stop()
        self.reset()
        self.site.endpoints.stop()
        processes.reap(self.site.registry, everything=True, grace_s=0.0)
        shutil.rmtree(self.site.folder, ignore_errors=True)


def _row(kind: str, cluster: str, one: Instance | Node, *, role: str) -> dict[str, Any]:
    place = {"region": one.zone.region, "zone": one.zone.id}
    return {"kind": kind, "cluster": cluster, "name": one.name, "role": role, **place, "alive": one.alive}


def _publish_lag(metrics: MetricStore, account: str, cluster: Cluster, lag_s: float) -> None:
    """The metric of a global database's secondary, in milliseconds.

    Source: https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Aurora.AuroraMonitoring.Metrics.html
    """
    dimensions = (("DBClusterIdentifier", cluster.name),)
    metric = MetricId(account, cluster.region, "AWS/RDS", "AuroraGlobalDBReplicationLag", dimensions)
    metrics.value(metric, lag_s * 1000, time.time(), unit="Milliseconds")
