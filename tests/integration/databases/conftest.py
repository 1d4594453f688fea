"""One cloud with short delays for all tests of this folder, and an Aurora cluster of three that they share."""

from __future__ import annotations

import contextlib
import datetime as dt
import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest

from harness import processes
from harness.cloud.client import CloudSettings, RunningCloud, start_cloud
from harness.cloud.evidence import EvidenceEvent
from tests.waiting import PATIENCE_S, awaited

DETECTION_S, DNS_S = 0.4, 0.4

PASSWORD = "a-secret-of-the-test"


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCloud]:
    settings = CloudSettings(
        state_dir=tmp_path_factory.mktemp("cloud"),
        detection_s=DETECTION_S,
        dns_s=DNS_S,
        global_lag="1s",
        cache_lag="300ms",
        scaling_period_s=2.0,
    )
    running = start_cloud(settings)
    yield running
    running.stop()


def pid_of(cloud: RunningCloud, role: str) -> int:
    """The process id of a server, by its role in the registry."""
    registry = cloud.settings.state_dir / "databases" / "processes"

    def pid() -> int:
        return next((one.pid for one in processes.records(registry) if one.role == role and one.alive), 0)

    return awaited(pid)  # it may be between two lives


@dataclass
class Aurora:
    """A cluster as a user sees it."""

    cloud: RunningCloud
    name: str

    @property
    def rds(self) -> Any:
        return self.cloud.target.client("rds")

    def described(self) -> dict[str, Any]:
        return dict(self.rds.describe_db_clusters(DBClusterIdentifier=self.name)["DBClusters"][0])

    def instance(self, name: str) -> dict[str, Any]:
        return dict(self.rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0])

    @property
    def writer(self) -> str:
        return str(
            next(m["DBInstanceIdentifier"] for m in self.described()["DBClusterMembers"] if m["IsClusterWriter"])
        )

    def connect(self, host: str = "", port: int = 0, **options: Any) -> psycopg.Connection[Any]:
        shown = self.described() if not host else {}
        settings = {"user": "app", "password": PASSWORD, "dbname": "orders", "connect_timeout": 30, **options}
        return psycopg.connect(
            host=host or shown["Endpoint"], port=port or shown["Port"], autocommit=True, **settings
        )

    def pid(self, instance: str) -> int:
        """The server process of an instance."""
        return pid_of(self.cloud, f"postgres {instance}")

    def settled(self, within_s: float = PATIENCE_S) -> None:
        """Return once every instance runs and follows."""
        until_s = time.monotonic() + within_s
        while time.monotonic() < until_s:
            with contextlib.suppress(psycopg.OperationalError):
                if self._follow() and all(
                    self.instance(name)["DBInstanceStatus"] == "available" for name in self.members
                ):
                    return
            time.sleep(0.05)
        pytest.fail(f"not settled: {self.described()}")

    @property
    def members(self) -> list[str]:
        return [member["DBInstanceIdentifier"] for member in self.described()["DBClusterMembers"]]

    def _follow(self) -> bool:
        with self.connect() as writer:
            count = writer.execute("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'").fetchone()
        return count == (len(self.members) - 1,)


@dataclass
class Stream:
    """Writes a row every few milliseconds through the cluster endpoint, whatever happens."""

    aurora: Aurora
    acked: list[tuple[int, float]] = field(default_factory=list)
    errors: list[tuple[str, float]] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        shown = self.aurora.described()
        connection, number = None, 0
        while not self._stop.is_set():
            number += 1
            try:
                if connection is None or connection.closed:
                    connection = self.aurora.connect(shown["Endpoint"], shown["Port"], connect_timeout=2)
                connection.execute("INSERT INTO journal VALUES (%s)", (number,))
                self.acked.append((number, time.monotonic()))
            except psycopg.Error as error:
                self.errors.append((str(error), time.monotonic()))
                if connection is not None:
                    connection.close()
                connection = None
            self._stop.wait(0.005)
        if connection is not None:
            connection.close()

    def first_after(self, instant_s: float) -> float:
        """Seconds from `instant_s` to the first write acknowledged after the first one that failed since."""
        until_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < until_s:
            failed_s = next((at_s for _, at_s in list(self.errors) if at_s > instant_s), math.inf)
            later = [at_s for _, at_s in list(self.acked) if at_s > failed_s]
            if later:
                return later[0] - instant_s
            time.sleep(0.01)
        pytest.fail(f"no write after the loss: {self.errors[-3:]}")

    def lost(self) -> set[int]:
        """Acknowledged rows that are not there."""
        acked = {number for number, _ in self.acked}  # before it is looked for: writing goes on
        with self.aurora.connect() as connection:
            return acked - {row[0] for row in connection.execute("SELECT number FROM journal")}


@pytest.fixture(scope="session")
def aurora(cloud: RunningCloud) -> Aurora:
    made, rds = Aurora(cloud, "orders"), cloud.target.client("rds")
    rds.create_db_cluster(
        DBClusterIdentifier="orders",
        Engine="aurora-postgresql",
        MasterUsername="app",
        MasterUserPassword=PASSWORD,
        DatabaseName="orders",
        EnableHttpEndpoint=True,
    )
    for name, tier in (("orders-a", 1), ("orders-b", 5), ("orders-c", 2)):
        rds.create_db_instance(
            DBInstanceIdentifier=name,
            DBClusterIdentifier="orders",
            Engine="aurora-postgresql",
            DBInstanceClass="db.r6g.large",
            PromotionTier=tier,
        )
    return made


@pytest.fixture
def stream(aurora: Aurora) -> Iterator[Callable[[], Stream]]:
    """Starts a stream of writes into a fresh table; ended with the test."""
    started: list[tuple[Stream, threading.Thread]] = []

    def start() -> Stream:
        aurora.settled()
        with aurora.connect() as connection:
            connection.execute("DROP TABLE IF EXISTS journal")
            connection.execute("CREATE TABLE journal (number int PRIMARY KEY)")
        one = Stream(aurora)
        thread = threading.Thread(target=one.run)
        thread.start()
        started.append((one, thread))
        awaited(lambda: len(one.acked) >= 20)
        return one

    yield start
    for one, thread in started:
        one._stop.set()
        thread.join(PATIENCE_S)


def published(cloud: RunningCloud, namespace: str, name: str, **dimensions: str) -> list[float]:
    """The least and the most of a metric in the last hour; nothing when there is none."""
    now = dt.datetime.now(dt.UTC)
    points = cloud.target.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=name,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        StartTime=now - dt.timedelta(hours=1),
        EndTime=now + dt.timedelta(hours=1),
        Period=7200,
        Statistics=["Minimum", "Maximum"],
    )["Datapoints"]
    return [point[name] for point in points[:1] for name in ("Minimum", "Maximum")]


def kinds(events: list[EvidenceEvent]) -> list[str]:
    return [event.kind for event in events]
