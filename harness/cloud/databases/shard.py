"""A shard of ElastiCache: a primary, its replicas, and what happens when one is lost.

Replication is asynchronous: what the primary acknowledged and no replica has yet is lost with it. The replica that is
promoted is the one with the most of the stream, as on AWS
(https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/AutoFailover.html). Nodes keep nothing on disk: one that
starts again is empty until it has synchronised.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from harness.cloud.databases.endpoint import Endpoint
from harness.cloud.databases.link import Link
from harness.cloud.databases.placing import place
from harness.cloud.databases.site import Site
from harness.cloud.databases.valkey import Valkey
from harness.cloud.databases.watched import Watched
from harness.cloud.databases.worker import Worker
from harness.cloud.links import Place
from harness.cloud.zones import Zone, ZoneKeeper
from harness.errors import NotReadyError


@dataclass(slots=True, kw_only=True, eq=False)
class Node:
    """A cache node: a Valkey server in a zone, with an endpoint of its own that outlives its process."""

    name: str
    resource: str
    """The ARN of its replication group, whose nodes in a zone may lose their power alone."""
    zone: Zone
    server: Valkey
    endpoint: Endpoint
    keeper: ZoneKeeper
    subnet: str = ""

    @property
    def door(self) -> str:
        """None: it is no PostgreSQL."""
        return ""

    def has_role(self, user: str, role: str) -> bool:
        """It knows no roles."""
        del user, role
        return False

    @property
    def place(self) -> Place:
        """Where it is."""
        return self.zone.place(self.subnet)

    @property
    def backend_port(self) -> int:
        """Where its server listens; 0 when it does not run."""
        return self.server.port if self.server.alive else 0

    @property
    def dark(self) -> bool:
        """True while its zone has no power, or its group has none there."""
        return not (self.keeper.powered(self.zone) and self.keeper.of_resources.powered(self.resource, self.zone))

    @property
    def alive(self) -> bool:
        """True while its process runs."""
        return self.server.alive


@dataclass(slots=True, kw_only=True, eq=False)
class Shard:
    """One shard, or a cache cluster of one node.

    Args:
        name: the replication group's id and the node group's, or the cache cluster's id.
        resource: the ARN of the replication group or cache cluster.
        automatic_failover: whether a replica takes over when the primary is lost.
        tls: transit encryption; the endpoints end it.
        changed: called after every change, on the shard's thread.
    """

    name: str
    resource: str
    region: str
    folder: Path
    site: Site
    password: str = field(default="", repr=False)
    tls: bool = False
    automatic_failover: bool = False
    changed: Callable[[], None]
    nodes: dict[str, Node] = field(default_factory=dict)
    primary: Node | None = None
    failing_over: bool = False
    subnets: Mapping[str, str] = field(default_factory=dict)
    """The name of a zone → the subnet of its group there."""
    placed: dict[str, Zone] = field(default_factory=dict)
    """Where each node is or is about to be."""
    worker: Worker = field(init=False)
    primary_endpoint: Endpoint = field(init=False)
    reader_endpoint: Endpoint = field(init=False)
    link: Link | None = None

    def __post_init__(self) -> None:
        self.worker = Worker(self.name, self.changed)
        self.primary_endpoint, self.reader_endpoint = self._open(), self._open()

    def _open(self) -> Endpoint:
        (endpoint,) = self.site.endpoints.open("tls" if self.tls else "plain")
        return endpoint

    # -- nodes -------------------------------------------------------------------------------------------------

    def join(self, name: str, zones: Sequence[Zone]) -> Future[None]:
        """A new node in the emptiest of `zones`, later on the shard's thread. From any thread."""
        self.placed[name] = zone = place(zones, self.placed.values(), self.site.zones)
        return self.worker.do(partial(self.add, name, zone))

    def leave(self, name: str) -> Future[None]:
        """`remove`, later on the shard's thread. From any thread."""
        del self.placed[name]
        return self.worker.do(partial(self.remove, name))

    def add(self, name: str, zone: Zone) -> None:
        """A new node; the first one becomes the primary. On the shard's thread.

        Raises:
            NotReadyError: its process does not start.
        """
        process = Watched(
            name=f"valkey {name}",
            registry=self.site.registry,
            log=self.folder / "logs" / f"{name}.log",
            on_exit=lambda: self._died(name),
        )
        server = Valkey(process=process, folder=self.folder / "nodes" / name, password=self.password)
        endpoint, keeper = self._open(), self.site.zones
        node = Node(
            name=name, resource=self.resource, zone=zone, server=server, endpoint=endpoint, keeper=keeper,
            subnet=self.subnets.get(zone.name, ""),
        )  # fmt: skip
        node.endpoint.point([node])
        self.nodes[name] = node
        if not node.dark:
            self._start(node)
        self._point(after_s=0.0)

    def _start(self, node: Node) -> None:
        if self.primary is None or self.primary is node:
            node.server.start()
            self.primary = node
            self._note("cache_primary", node)
        else:
            node.server.start(self._source_port(self.primary))
            node.server.await_synchronised(self.primary.server)
            self._note("cache_replica", node)

    def remove(self, name: str) -> None:
        """A node is deleted; a primary hands over first. On the shard's thread."""
        node = self.nodes.pop(name, None)
        if node is None:
            return
        if node is self.primary and (best := self._best()):
            self._promote(best)
        elif node is self.primary:
            self.primary = None
        node.server.remove()
        self.site.endpoints.close([node.endpoint])
        self._point(after_s=0.0)

    # -- loss and recovery -------------------------------------------------------------------------------------

    def power_lost(self, zone: Zone) -> int:
        """Kill every node in the zone now; returns how many died. From any thread."""
        return sum(node.server.crash() for node in list(self.nodes.values()) if node.zone == zone)

    def power_restored(self, zone: Zone) -> None:
        """Nodes in the zone start again. On the shard's thread."""
        for node in [node for node in self.nodes.values() if node.zone == zone]:
            self._recover(node)

    def _died(self, name: str) -> None:
        node = self.nodes.get(name)
        if node is None or self.worker.closed:
            return
        self._note("cache_node_died", node)
        self.worker.later(self.site.timing.detection_s, partial(self._recover, node))

    def _recover(self, node: Node) -> None:
        """What AWS does once it has noticed: a replica takes over, and the lost node is replaced."""
        if self.worker.closed or node.name not in self.nodes:
            return
        try:
            self._take_over(node)
        except Exception:
            self.failing_over = False
            self.worker.later(self.site.timing.detection_s, partial(self._recover, node))  # AWS does not give up
            raise

    def _take_over(self, node: Node) -> None:
        if self.primary is not None and not self.primary.alive and self.automatic_failover and (best := self._best()):
            self._promote(best)
        for other in sorted(self.nodes.values(), key=lambda one: one is not self.primary):
            if not other.alive and not other.dark:
                self._start(other)
        if node is self.primary and node.alive:
            self._follow_primary()
        self._point(after_s=self.site.timing.dns_s)

    def _best(self) -> Node | None:
        """The replica with the most of the stream."""
        alive = [node for node in self.nodes.values() if node is not self.primary and node.alive and not node.dark]
        return max(alive, key=lambda node: node.server.offset, default=None)

    def fail_over(self, target: str = "") -> None:
        """TestFailover: the primary dies, the best replica takes over, the old primary comes back as one.

        Raises:
            NotReadyError: there is no replica that could.
        """
        chosen = self.nodes.get(target) if target else self._best()
        if chosen is None or chosen is self.primary or not chosen.alive:
            self.failing_over = False
            raise NotReadyError(f"no replica of {self.name} can be promoted")
        old = self.primary
        if old is not None:
            old.server.kill()
        self._promote(chosen)
        if old is not None and not old.dark:
            self._start(old)
        self._point(after_s=self.site.timing.dns_s)

    def _promote(self, chosen: Node) -> None:
        old, self.failing_over = self.primary, True
        self.changed()
        if old is not None:
            old.server.kill()  # whoever was cut off must not go on taking writes
        chosen.server.promote()
        self.primary, self.failing_over = chosen, False
        self.changed()  # before the names follow: who reaches the new primary is told that it is one
        self._point(after_s=self.site.timing.dns_s)
        self._follow_primary()
        self._note("cache_failover", chosen, old=old.name if old else "", offset=chosen.server.offset)

    def _source_port(self, primary: Node) -> int:
        """Where replicas read the primary's stream: a link, as long as caches are behind."""
        if self.link is None:
            self.link = self.site.endpoints.link(
                partial(self.site.lags.draw, "elasticache", self.region), held=lambda: False, speaks="valkey"
            )
        self.link.lead_to(primary)
        return self.link.port

    def _follow_primary(self) -> None:
        primary = self.primary
        for node in self.nodes.values():
            if primary is not None and node is not primary and node.alive:
                node.server.follow(self._source_port(primary))

    def _point(self, *, after_s: float) -> None:
        """Let the endpoints' names follow the roles."""
        if self.primary is None:
            return
        replicas = [node for node in self.nodes.values() if node is not self.primary]
        for endpoint, wanted in (
            (self.primary_endpoint, [self.primary]),
            (self.reader_endpoint, replicas or [self.primary]),
        ):
            endpoint.point(wanted, after_s=after_s if endpoint.targets else 0.0)

    def restart(self, name: str) -> None:
        """RebootCacheCluster: the node loses its data. On the shard's thread."""
        node = self.nodes[name]
        node.server.stop()
        if not node.dark:
            self._start(node)
            if node is self.primary:
                self._follow_primary()

    def close(self) -> None:
        """End every process and endpoint, and delete what is on disk. From any thread."""
        self.worker.close()
        for node in list(self.nodes.values()):
            node.server.kill()
        self.worker.join()
        for node in list(self.nodes.values()):
            node.server.kill()  # what was just starting
        self.site.endpoints.close(
            [self.primary_endpoint, self.reader_endpoint, *(node.endpoint for node in self.nodes.values())]
        )
        if self.link is not None:
            self.link.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _note(self, kind: str, node: Node, **detail: Any) -> None:
        self.site.evidence.add(kind, cluster=self.name, node=node.name, zone=node.zone.id, **detail)
