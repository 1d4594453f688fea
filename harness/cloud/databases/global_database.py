"""An Aurora global database: one region writes, others follow behind a link that takes its time.

What a region is behind is what is lost with the primary region. A planned switchover ends the writer in order, which
waits until every follower has everything; a forced failover takes what has arrived.
Source: https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-global-database-disaster-recovery.html
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial

from harness.cloud.databases.cluster import Cluster
from harness.cloud.databases.link import Link
from harness.cloud.databases.site import Site
from harness.cloud.databases.worker import Worker
from harness.cloud.links import Place

_PATIENCE_S = 60.0
_SAMPLE_S = 1.0
_LAG = """
SELECT application_name, max(extract(epoch FROM replay_lag))::float8 FROM pg_stat_replication
WHERE application_name LIKE 'global:%' GROUP BY 1
"""

TellLag = Callable[[Cluster, float], None]
"""Called about once a second for each secondary cluster with the seconds it is behind."""


@dataclass(frozen=True, slots=True)
class _Writer:
    """Whoever writes in a cluster at the moment, as the source of a link."""

    cluster: Cluster

    @property
    def backend_port(self) -> int:
        writer = self.cluster.writer
        return writer.backend_port if writer is not None else 0

    @property
    def dark(self) -> bool:
        writer = self.cluster.writer
        return writer is None or writer.dark

    @property
    def place(self) -> Place:
        writer = self.cluster.writer
        return writer.place if writer is not None else Place(region=self.cluster.region)


@dataclass(slots=True, kw_only=True, eq=False)
class GlobalDatabase:
    """A primary cluster and the clusters that follow it. Its changes happen on a thread of its own."""

    name: str
    site: Site
    primary: Cluster
    tell_lag: TellLag
    _links: dict[str, tuple[Cluster, Link]] = field(default_factory=dict)  # by the region of the secondary
    _worker: Worker = field(init=False)
    _closed: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._worker = Worker(f"global-{self.name}", lambda: None)
        threading.Thread(target=self._measure, name=f"lag-{self.name}", daemon=True).start()

    @property
    def clusters(self) -> list[Cluster]:
        """The primary and the secondaries."""
        return [self.primary, *(cluster for cluster, _ in list(self._links.values()))]

    def attach(self, cluster: Cluster) -> Future[None]:
        """Let a cluster of another region follow."""
        return self._worker.do(partial(self._follow, cluster))

    def _follow(self, cluster: Cluster) -> None:
        source, to = self.primary.region, cluster.region
        link = self.site.endpoints.link(
            partial(self.site.lags.draw, "aurora", source, to),
            held=partial(self.site.zones.links.cut_between, source, to),
            speaks="postgres",
        )
        link.lead_to(_Writer(self.primary))
        self._links[cluster.region] = (cluster, link)
        self.primary.worker.do(self.primary.save).result(_PATIENCE_S)
        volume = self.primary.volume
        cluster.worker.do(partial(cluster.become_secondary, link.port, volume)).result(_PATIENCE_S)

    def detach(self, cluster: Cluster) -> Future[None]:
        """RemoveFromGlobalCluster: a secondary goes on by itself, with what it has."""

        def job() -> None:
            if self._unlink(cluster):
                cluster.worker.do(cluster.become_primary).result(_PATIENCE_S)

        return self._worker.do(job)

    def drop(self, cluster: Cluster) -> None:
        """A member is deleted."""
        self._unlink(cluster)

    def _unlink(self, cluster: Cluster) -> bool:
        found = self._links.pop(cluster.region, None)
        if found is not None:
            found[1].close()
        return found is not None

    def switch_over(self, target: Cluster) -> Future[None]:
        """SwitchoverGlobalCluster: nothing is lost."""

        def job() -> None:
            self.primary.worker.do(self.primary.hand_over).result(_PATIENCE_S)
            self._turn(target)

        return self._worker.do(job)

    def fail_over(self, target: Cluster) -> Future[None]:
        """FailoverGlobalCluster with AllowDataLoss: what is under way to the target is lost."""

        def job() -> None:
            for _, link in list(self._links.values()):
                link.lead_to(None)
            self.primary.fence()
            self._turn(target)

        return self._worker.do(job)

    def _turn(self, target: Cluster) -> None:
        """The target becomes the primary; the others, the old primary among them, follow it."""
        others = [cluster for cluster in self.clusters if cluster is not target]
        for cluster in self.clusters:
            self._unlink(cluster)
        target.worker.do(target.become_primary).result(_PATIENCE_S)
        old, self.primary = self.primary, target
        self.site.evidence.add("global_database_failover", cluster=target.name, region=target.region, old=old.region)
        for cluster in others:
            self._follow(cluster)

    def _measure(self) -> None:
        """Ask the primary how far each secondary is behind; a heartbeat gives it something to tell."""
        import psycopg

        connection: psycopg.Connection[tuple[str, float | None]] | None = None
        asked = None
        while not self._closed.wait(_SAMPLE_S):
            writer = self.primary.writer
            if not self._links or writer is None or not writer.alive:
                continue
            try:
                if connection is None or connection.closed or asked is not writer:
                    connection, asked = psycopg.connect(writer.server.address(), autocommit=True), writer
                connection.execute("SELECT pg_logical_emit_message(false, 'blackstart', 'beat', true)")
                lags = dict(connection.execute(_LAG).fetchall())
            except psycopg.Error:
                connection = None
                continue
            for cluster, _ in list(self._links.values()):
                lag_s = lags.get(f"global:{cluster.region}:{cluster.name}")
                if lag_s is not None:
                    self.tell_lag(cluster, lag_s)
        if connection is not None:
            connection.close()

    def close(self) -> None:
        """End the links and the measuring; the clusters go on."""
        self._closed.set()
        self._worker.close()
        for cluster in self.clusters:
            self._unlink(cluster)
