"""A global database: the lag is the one that was set and is measured, and a lost region costs just that."""

from __future__ import annotations

import contextlib
import datetime as dt
import time

import psycopg
import pytest

from harness.cloud.client import RunningCloud
from tests.integration.databases.conftest import PASSWORD, Aurora

LAG_S = 1.0  # as the cloud of these tests is set

HOME, AWAY = "us-west-2", "us-east-1"


class Region(Aurora):
    """The member of the global database in one region."""

    def __init__(self, cloud: RunningCloud, region: str) -> None:
        super().__init__(cloud, f"ledger-{region}")
        self.region = region

    @property
    def rds(self) -> object:
        return self.cloud.target.client("rds", region=self.region)

    @property
    def arn(self) -> str:
        return str(self.described()["DBClusterArn"])

    def numbers(self) -> set[int]:
        with self.connect() as connection:
            return {row[0] for row in connection.execute("SELECT number FROM ledger")}

    def await_writer(self, within_s: float = 15.0) -> None:
        until_s = time.monotonic() + within_s
        while time.monotonic() < until_s:
            try:
                with self.connect() as connection:
                    connection.execute("CREATE TABLE IF NOT EXISTS ledger (number int)")
                return
            except psycopg.Error:
                time.sleep(0.05)
        pytest.fail(f"{self.region} does not write: {self.described()}")

    def await_following(self, within_s: float = 15.0) -> None:
        """Return once the reader endpoint has what the other region wrote."""
        shown, until_s = self.described(), time.monotonic() + within_s
        while time.monotonic() < until_s:
            with contextlib.suppress(psycopg.Error), self.connect(shown["ReaderEndpoint"], shown["Port"]) as reader:
                if reader.execute(
                    "SELECT pg_is_in_recovery(), count(*) FROM ledger WHERE number = 99"
                ).fetchone() == (
                    True,
                    1,
                ):
                    return
            time.sleep(0.1)
        pytest.fail(f"{self.region} does not follow")


@pytest.fixture(scope="module")
def regions(cloud: RunningCloud) -> tuple[Region, Region]:
    home, away = Region(cloud, HOME), Region(cloud, AWAY)
    home.rds.create_global_cluster(GlobalClusterIdentifier="ledger", Engine="aurora-postgresql")
    for region, options in (
        (home, {"MasterUsername": "app", "MasterUserPassword": PASSWORD, "DatabaseName": "orders"}),
        (away, {}),
    ):
        region.rds.create_db_cluster(
            DBClusterIdentifier=region.name, Engine="aurora-postgresql", GlobalClusterIdentifier="ledger", **options
        )
        region.rds.create_db_instance(
            DBInstanceIdentifier=f"{region.name}-a", DBClusterIdentifier=region.name, Engine="aurora-postgresql",
            DBInstanceClass="db.r6g.large",
        )  # fmt: skip
    return home, away


def roles(region: Region) -> dict[str, bool]:
    (shown,) = region.rds.describe_global_clusters(GlobalClusterIdentifier="ledger")["GlobalClusters"]
    return {member["DBClusterArn"].split(":")[3]: member["IsWriter"] for member in shown["GlobalClusterMembers"]}


def test_the_secondary_follows_within_a_tenth_of_the_lag_that_was_set_and_the_metric_says_so(
    regions: tuple[Region, Region], cloud: RunningCloud
) -> None:
    home, away = regions
    home.await_writer()
    time.sleep(1.5 * LAG_S)  # the table is on its way
    shown = away.described()
    with home.connect() as writer, away.connect(shown["ReaderEndpoint"], shown["Port"]) as reader:
        behind = []
        for number in range(-3, 0):
            writer.execute("INSERT INTO ledger VALUES (%s)", (number,))
            at_s = time.monotonic()
            while reader.execute("SELECT count(*) FROM ledger WHERE number = %s", (number,)).fetchone() != (1,):
                time.sleep(0.005)
            behind.append(time.monotonic() - at_s)
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            reader.execute("INSERT INTO ledger VALUES (0)")
    assert sorted(behind)[1] == pytest.approx(LAG_S, rel=0.1)
    now = dt.datetime.now(dt.UTC)
    (point,) = cloud.target.client("cloudwatch", region=AWAY).get_metric_statistics(
        Namespace="AWS/RDS", MetricName="AuroraGlobalDBReplicationLag", Statistics=["Average"], Period=3600,
        Dimensions=[{"Name": "DBClusterIdentifier", "Value": away.name}],
        StartTime=now - dt.timedelta(hours=1), EndTime=now + dt.timedelta(hours=1),
    )["Datapoints"][:1]  # fmt: skip
    assert point["Average"] == pytest.approx(LAG_S * 1000, rel=0.1)


def test_a_planned_switchover_loses_nothing_and_a_lost_region_costs_the_lag(
    regions: tuple[Region, Region], cloud: RunningCloud
) -> None:
    home, away = regions
    home.await_writer()
    with home.connect() as writer:
        for number in range(100):
            writer.execute("INSERT INTO ledger VALUES (%s)", (number,))
    home.rds.switchover_global_cluster(GlobalClusterIdentifier="ledger", TargetDbClusterIdentifier=away.arn)
    away.await_writer()
    assert set(range(100)) <= away.numbers()
    assert roles(home) == {HOME: False, AWAY: True}

    # Back home the same way, then home is lost while it writes.
    time.sleep(1.5)
    away.rds.switchover_global_cluster(GlobalClusterIdentifier="ledger", TargetDbClusterIdentifier=home.arn)
    home.await_writer()
    away.await_following()
    acked = []
    with home.connect() as writer:
        began_s = time.monotonic()
        while time.monotonic() < began_s + 2.5:
            writer.execute("INSERT INTO ledger VALUES (%s)", (1000 + len(acked),))
            acked.append(time.monotonic())
            time.sleep(0.01)
    lost_s = time.monotonic()
    zones = [f"{HOME}{letter}" for letter in "abc"]
    for zone in zones:
        cloud.control.cut_power(zone, owner="test")
    try:
        away.rds.failover_global_cluster(
            GlobalClusterIdentifier="ledger", TargetDbClusterIdentifier=away.arn, AllowDataLoss=True
        )
        away.await_writer()
        there = away.numbers()
    finally:
        for zone in zones:
            cloud.control.restore_power(zone, owner="test")
    lost = [at_s for number, at_s in enumerate(acked) if 1000 + number not in there]
    assert lost
    assert lost_s - min(lost) == pytest.approx(LAG_S, rel=0.15)
    assert {1000 + number for number, at_s in enumerate(acked) if at_s < min(lost)} <= there
