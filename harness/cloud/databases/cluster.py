"""A cluster: which instance writes, who follows, and what happens when one is lost.

All changes of one cluster happen one after another, on a thread of its own; only `power_lost` acts at once, from the
thread that cut the power. A single RDS instance is a cluster of one, with Multi-AZ of two.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from harness.cloud.databases.endpoint import Endpoint
from harness.cloud.databases.instance import Instance
from harness.cloud.databases.postgres import Postgres, replication_address
from harness.cloud.databases.setup import Owner, set_up
from harness.cloud.databases.site import Site
from harness.cloud.databases.template import copy_data
from harness.cloud.databases.volume import Volume
from harness.cloud.databases.watched import Watched
from harness.cloud.databases.worker import Worker
from harness.cloud.zones import Zone
from harness.errors import NotReadyError

_LOG = logging.getLogger(__name__)
_HAND_OVER_S = 10.0
_STREAMING_S = 5.0


@dataclass(slots=True, kw_only=True, eq=False)
class Cluster:
    """One cluster and its processes below `folder`.

    Args:
        name: the DBClusterIdentifier, or the DBInstanceIdentifier of a single instance.
        owner: the master user and the first database, made when the first instance starts.
        changed: called after every change, on the cluster's thread.
    """

    name: str
    region: str
    folder: Path
    site: Site
    owner: Owner
    writer_endpoint: Endpoint
    reader_endpoint: Endpoint
    changed: Callable[[Cluster], None]
    members: dict[str, Instance] = field(default_factory=dict)
    writer: Instance | None = None
    failing_over: bool = False
    subnets: Mapping[str, str] = field(default_factory=dict)
    """The name of a zone → the subnet of its group there."""
    _joining: dict[str, Zone] = field(default_factory=dict)
    restore_to: str = ""
    upstream_port: int = 0
    """Where a secondary cluster of a global database reads the primary region's stream; 0 for any other."""
    _fresh: bool = True  # nobody has set the database up yet
    worker: Worker = field(init=False)

    def __post_init__(self) -> None:
        self.worker = Worker(self.name, lambda: self.changed(self))

    @property
    def volume(self) -> Volume:
        """The storage."""
        return Volume(self.folder / "volume")

    # -- members -----------------------------------------------------------------------------------------------

    def join(self, name: str, zone: Zone, *, tier: int, hidden: bool = False) -> Future[None]:
        """`add`, later on the cluster's thread; the zone counts as taken from now on. From any thread."""
        self._joining[name] = zone
        return self.worker.do(partial(self.add, name, zone, tier=tier, hidden=hidden))

    def has(self, name: str) -> bool:
        """Whether there is such an instance, or it is on its way."""
        return name in self._joining or name in self.members

    def taken(self) -> list[Zone]:
        """The zone of each instance, those on their way included."""
        return list({**self._joining, **{name: member.zone for name, member in list(self.members.items())}}.values())

    def prepare(self) -> None:
        """Have a base ready before the first instance is asked for. On the cluster's thread."""
        if not self.volume.base.exists():
            self.volume.create(self.site.template.data)

    def add(self, name: str, zone: Zone, *, tier: int, hidden: bool = False) -> None:
        """A new instance; the first one becomes the writer. On the cluster's thread.

        Raises:
            NotReadyError: its process does not start.
        """
        (endpoint,) = self.site.endpoints.open("postgres")
        endpoint.logins = self.writer_endpoint.logins
        process = Watched(
            name=f"postgres {name}",
            registry=self.site.registry,
            log=self.folder / "logs" / f"{name}.log",
            on_exit=lambda: self._died(name),
        )
        server = Postgres(
            process=process, data=self.folder / "instances" / name, password=self.site.template.password
        )
        member = Instance(
            name=name, zone=zone, tier=tier, server=server, endpoint=endpoint, keeper=self.site.zones, hidden=hidden,
            subnet=self.subnets.get(zone.name, ""),
        )  # fmt: skip
        endpoint.point([member])
        self.members[name] = member
        self._joining.pop(name, None)
        if member.dark:
            return
        try:
            if self.writer is None and not self.upstream_port:
                self._found(member)
            else:
                self._start_reader(member)
        except NotReadyError:
            member.failed = True
            raise
        self._point(after_s=0.0)

    def _found(self, member: Instance) -> None:
        """Start the first writer on what the volume holds."""
        self.prepare()
        copy_data(self.volume.base, member.server.data)
        settings = {**self._settings(None), **self._restore_to()}
        member.server.start(settings, "recovery" if self.volume.used else "primary")
        member.server.await_writable()
        member.server.configure(self._settings(None))
        self.writer = member
        self.save()  # with the timeline that recovery began, which readers must follow
        self.restore_to = ""
        member.stale = False
        if self._fresh:
            set_up(member.server, self.owner)
            self._fresh = False
        self._note("database_writer", member)

    def _restore_to(self) -> Mapping[str, str]:
        if not self.restore_to:
            return {}
        return {"recovery_target_time": self.restore_to, "recovery_target_action": "promote"}

    def restore_from(self, source: Volume, *, until: str = "") -> None:
        """Let the first instance begin with what `source` holds now, or held at the instant `until` (ISO 8601)."""
        self.volume.copy_of(source)
        self.restore_to, self._fresh = until, False

    def save(self) -> None:
        """Bring the volume up to this instant. On the cluster's thread."""
        if self.writer is None:
            return
        current = self.writer.server.finish_segment() if self.writer.alive else ""
        self.volume.adopt(self.writer.server.data, before=current)

    def _start_reader(self, member: Instance) -> None:
        if member.stale:
            copy_data(self.volume.base, member.server.data)
        member.server.start(self._settings(self.writer), "standby")
        member.stale = False
        if self.writer is not None and self.writer.alive:
            member.server.follow(self.writer.server)  # on Aurora a reader sees the shared storage from its start
        elif self.upstream_port:
            member.server.await_streaming(_STREAMING_S)
        self._note("database_reader", member)

    def _settings(self, source: Instance | None) -> Mapping[str, str]:
        volume = self.volume
        settings = {"archive_command": volume.archive_command, "restore_command": volume.restore_command}
        if source is not None:
            settings["primary_conninfo"] = source.server.replication_address()
        elif self.upstream_port:
            name = f"global:{self.region}:{self.name}"
            settings["primary_conninfo"] = replication_address(self.upstream_port, self.site.template.password, name)
            settings["archive_mode"] = "always"  # the region's own storage keeps what arrives
        return settings

    def remove(self, name: str) -> None:
        """An instance is deleted; when it was the writer, a reader takes over. On the cluster's thread."""
        member = self.members.pop(name, None)
        if member is None:
            return
        if member is self.writer:
            member.server.stop()
            self.volume.adopt(member.server.data)
            self.writer = None
            self._promote_best()
        member.server.remove()
        self.site.endpoints.close([member.endpoint])
        self._point(after_s=0.0)

    # -- loss and recovery -------------------------------------------------------------------------------------

    def power_lost(self, zone: Zone) -> int:
        """Kill every process in the zone now; returns how many died. From any thread."""
        return sum(member.server.crash() for member in list(self.members.values()) if member.zone == zone)

    def power_restored(self, zone: Zone) -> None:
        """Instances in the zone start again, as readers when somebody else writes by now. On the cluster's thread."""
        for member in [m for m in self.members.values() if m.zone == zone]:
            self._recover(member)

    def _died(self, name: str) -> None:
        """Called from the thread that waited for the process."""
        member = self.members.get(name)
        if member is None or self.worker.closed:
            return
        self._note("database_instance_died", member)
        self.worker.later(self.site.timing.detection_s, partial(self._recover, member))

    def _recover(self, member: Instance) -> None:
        """What AWS does once it has noticed: a reader takes over, and the lost instance starts again."""
        if self.worker.closed or member.name not in self.members:
            return
        try:
            self._take_over()
        except Exception:
            self.failing_over = False
            self.worker.later(self.site.timing.detection_s, partial(self._recover, member))  # AWS does not give up
            raise

    def _take_over(self) -> None:
        if not self.upstream_port and (self.writer is None or not (self.writer.alive or self.writer.stopped)):
            self._replace_writer()
        if self.writer is not None or self.upstream_port:
            self._start_readers()
        self._point(after_s=self.site.timing.dns_s)

    def _start_readers(self) -> None:
        for member in list(self.members.values()):
            if member is not self.writer and not (member.alive or member.stopped or member.dark):
                self._start_reader(member)

    def _replace_writer(self) -> None:
        lost = self.writer
        if self._best() is not None:
            self._fence(lost)
            self._promote_best()
        elif lost is not None and not lost.dark:
            self._fence(lost)
            lost.server.start(self._settings(None), "primary")
            self._note("database_writer", lost)
        elif lost is None and (first := next((m for m in self.members.values() if not m.dark), None)):
            self._found(first)

    def _fence(self, lost: Instance | None) -> None:
        """Nothing of the old writer may go on, and all it committed is the volume's."""
        if lost is not None:
            lost.server.kill()
            self.volume.adopt(lost.server.data)

    def fail_over(self, target: str = "") -> None:
        """FailoverDBCluster: the writer restarts as a reader, `target` or the best reader writes. On the thread.

        Raises:
            NotReadyError: there is no reader that could.
        """
        chosen = self.members.get(target) if target else self._best()
        if chosen is None or chosen is self.writer or not chosen.alive:
            self.failing_over = False
            raise NotReadyError(f"no instance of {self.name} can be promoted")
        old = self.writer
        if old is not None:
            old.server.stop()
            self.volume.adopt(old.server.data)
        self._promote(chosen)
        if old is not None and not old.dark:
            self._start_reader(old)

    def _best(self) -> Instance | None:
        """The reader to promote: lowest tier, then the order of creation.

        Source: https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Concepts.AuroraHighAvailability.html
        """
        alive = [m for m in self.members.values() if m is not self.writer and m.alive and not m.dark]
        return min(alive, key=lambda member: member.tier, default=None)

    def _promote_best(self) -> None:
        best = self._best()
        if best is not None:
            self._promote(best)

    def _promote(self, chosen: Instance) -> None:
        old, self.failing_over = self.writer, True
        self.changed(self)
        self._replay(chosen)
        chosen.server.promote()
        chosen.server.configure(self._settings(None))
        self.writer, self.failing_over = chosen, False
        self.changed(self)  # before the names follow: who reaches the new writer is told that it is one
        self._point(after_s=self.site.timing.dns_s)
        if old is not None:
            old.stale = True
        for member in self.members.values():
            if member is not chosen and member is not old and member.alive:
                member.server.configure(self._settings(chosen))
        self._note("database_failover", chosen, old=old.name if old else "")

    def _replay(self, chosen: Instance) -> None:
        """Let a reader have all that the volume holds: once asked to promote, it may not look there again."""
        last = self.volume.last_record()
        if last and not chosen.server.await_replayed(last):
            _LOG.error("%s is promoted without having replayed %s: commits may be lost", chosen.name, last)

    def _point(self, *, after_s: float) -> None:
        """Let the endpoints' names follow the roles."""
        if self.writer is None and not self.upstream_port:
            return
        writers = [] if self.writer is None else [self.writer]  # a secondary's cluster endpoint leads nowhere
        readers = [m for m in self.members.values() if m is not self.writer and not m.hidden and not m.stopped]
        for endpoint, wanted in (
            (self.writer_endpoint, writers),
            (self.reader_endpoint, readers or writers),
        ):
            endpoint.point(wanted, after_s=after_s if endpoint.targets else 0.0)

    # -- in a global database ----------------------------------------------------------------------------------

    def become_secondary(self, port: int, source: Volume) -> None:
        """Follow another region through the link on `port`, from a copy of its storage on. On the thread."""
        self.fence()
        self.writer, self.upstream_port, self._fresh = None, port, False
        self.volume.copy_of(source)
        for member in self.members.values():
            member.stale = True
        self._start_readers()
        self._point(after_s=self.site.timing.dns_s)

    def become_primary(self) -> None:
        """Write from now on, with what has arrived here. On the cluster's thread.

        Raises:
            NotReadyError: no instance runs.
        """
        best = max((m for m in self.members.values() if m.alive), key=lambda m: m.server.received(), default=None)
        if best is None:
            raise NotReadyError(f"no instance of {self.name} in {self.region} runs")
        self.upstream_port = 0
        self._promote(best)

    def hand_over(self) -> None:
        """End the writer once every follower has everything. On the cluster's thread."""
        if self.writer is not None:
            self.writer.server.stop(within_s=_HAND_OVER_S + 2 * self.site.lags.of("aurora", self.region).longest_s)
            self.volume.adopt(self.writer.server.data)

    def fence(self) -> None:
        """End every instance: nobody here may write. From any thread."""
        for member in list(self.members.values()):
            member.server.kill()

    # -- by request --------------------------------------------------------------------------------------------

    def restart(self, name: str) -> None:
        """RebootDBInstance. On the cluster's thread."""
        member = self.members[name]
        member.server.stop()
        if member.dark:
            return
        if member is self.writer:
            self._start_writer(member)
        else:
            self._start_reader(member)

    def _start_writer(self, member: Instance) -> None:
        """Start the writer again; it listens elsewhere, and whoever follows it must know."""
        member.server.start(self._settings(None), "primary")
        for other in self.members.values():
            if other is not member and other.alive:
                other.server.configure(self._settings(member))

    def halt(self, names: Sequence[str]) -> None:
        """Stop instances until `resume`. On the cluster's thread."""
        for name in names:
            member = self.members[name]
            member.stopped = True
            member.server.stop()

    def resume(self, names: Sequence[str]) -> None:
        """Start stopped instances, the writer first. On the cluster's thread."""
        members = sorted((self.members[name] for name in names), key=lambda member: member is not self.writer)
        for member in members:
            member.stopped = False
            if member.alive or member.dark:
                continue
            if member is self.writer:
                self._start_writer(member)
            else:
                self._start_reader(member)

    def close(self) -> None:
        """End every process and endpoint for good. From any thread."""
        self.worker.close()
        for member in list(self.members.values()):
            member.server.kill()
        self.worker.join()
        for member in list(self.members.values()):
            member.server.kill()  # what was just starting
        self.site.endpoints.close(
            [self.writer_endpoint, self.reader_endpoint, *(m.endpoint for m in self.members.values())]
        )

    def delete(self) -> None:
        """Delete everything on disk; `close` comes first."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _note(self, kind: str, member: Instance, **detail: str) -> None:
        self.site.evidence.add(kind, cluster=self.name, instance=member.name, zone=member.zone.id, **detail)
