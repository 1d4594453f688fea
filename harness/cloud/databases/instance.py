"""A DB instance: a PostgreSQL server in a zone, with an endpoint of its own that outlives its process."""

from __future__ import annotations

from dataclasses import dataclass

from harness.cloud.databases.endpoint import Endpoint
from harness.cloud.databases.postgres import Postgres
from harness.cloud.links import Place
from harness.cloud.zones import Zone, ZoneKeeper


@dataclass(slots=True, kw_only=True, eq=False)
class Instance:
    """One member of a cluster.

    Args:
        name: the DBInstanceIdentifier.
        zone: where it runs.
        subnet: the subnet of its group in that zone.
        tier: its promotion tier, 0 (first) to 15.
        hidden: the standby of a Multi-AZ DB instance, which nobody connects to.
        stopped: it is not meant to run.
        failed: its process could not be started.
        stale: its data folder left the cluster's history (it was a writer); it is made anew before it starts.
    """

    name: str
    zone: Zone
    tier: int
    server: Postgres
    endpoint: Endpoint
    keeper: ZoneKeeper
    subnet: str = ""
    hidden: bool = False
    stopped: bool = False
    stale: bool = True
    failed: bool = False

    @property
    def backend_port(self) -> int:
        """Where its server listens; 0 when it does not run."""
        return self.server.port if self.server.alive else 0

    @property
    def dark(self) -> bool:
        """True while its zone has no power."""
        return not self.keeper.powered(self.zone)

    @property
    def place(self) -> Place:
        """Where it is."""
        return self.zone.place(self.subnet)

    @property
    def door(self) -> str:
        """Its server's socket file."""
        return str(self.server.socket_file)

    def has_role(self, user: str, role: str) -> bool:
        """Ask the server; a user that does not exist has none, which the server will say itself."""
        import psycopg

        try:
            return self.server.query("SELECT pg_has_role(%s, %s, 'USAGE')", parameters=(user, role)) == [(True,)]
        except psycopg.Error:
            return False

    @property
    def alive(self) -> bool:
        """True while its process runs."""
        return self.server.alive
