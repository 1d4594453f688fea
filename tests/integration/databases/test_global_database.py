"""A global database: a region is behind by the lag that was set, and losing one costs what is under way."""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from typing import Any

import psycopg
import pytest

from harness.cloud.client import RunningCloud
from tests.integration.databases.conftest import PASSWORD, Aurora
from tests.waiting import until

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

    def await_writer(self) -> None:
        assert until(self._writes)

    def _writes(self) -> bool:
        with contextlib.suppress(psycopg.Error), self.connect(connect_timeout=2) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS ledger (number int)")
            return True
        return False

    def await_there(self, number: int, writer: Region) -> None:
        """Let `writer` write a number, and return once the reader endpoint here has it."""
        with writer.connect() as connection:
            connection.execute("INSERT INTO ledger VALUES (%s)", (number,))
        self.await_following(number)

    def await_following(self, number: int) -> None:
        """Return once the reader endpoint has a number that the other region wrote."""
        assert until(lambda: self._follows(number))

    def _follows(self, number: int) -> bool:
        shown = self.described()
        with (
            contextlib.suppress(psycopg.Error),
            self.connect(shown["ReaderEndpoint"], shown["Port"], connect_timeout=2) as reader,
        ):
            found = reader.execute(
                "SELECT pg_is_in_recovery(), count(*) FROM ledger WHERE number = %s", (number,)
            ).fetchone()
            return bool(found == (True, 1))
        return False


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


def test_the_secondary_is_behind_by_the_lag_that_was_set_and_the_metric_says_so(
    regions: tuple[Region, Region], cloud: RunningCloud
) -> None:
    home, away = regions
    home.await_writer()
    away.await_there(-99, home)
    shown, behind_s = away.described(), []
    with home.connect() as writer, away.connect(shown["ReaderEndpoint"], shown["Port"]) as reader:
        for number in range(-3, 0):
            began_s = time.monotonic()
            writer.execute("INSERT INTO ledger VALUES (%s)", (number,))
            while reader.execute("SELECT count(*) FROM ledger WHERE number = %s", (number,)).fetchone() != (1,):
                time.sleep(0.005)
            behind_s.append(time.monotonic() - began_s)
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            reader.execute("INSERT INTO ledger VALUES (0)")
    assert min(behind_s) >= LAG_S
    assert until(lambda: any(LAG_S * 1000 <= one["Minimum"] <= max(behind_s) * 1000 for one in lags(cloud, away)))


def lags(cloud: RunningCloud, region: Region) -> list[dict[str, Any]]:
    """What the metric says, in milliseconds."""
    now = dt.datetime.now(dt.UTC)
    return list(
        cloud.target.client("cloudwatch", region=region.region).get_metric_statistics(
            Namespace="AWS/RDS", MetricName="AuroraGlobalDBReplicationLag", Statistics=["Minimum"], Period=60,
            Dimensions=[{"Name": "DBClusterIdentifier", "Value": region.name}],
            StartTime=now - dt.timedelta(hours=1), EndTime=now + dt.timedelta(hours=1),
        )["Datapoints"]
    )  # fmt: skip


def test_a_planned_switchover_loses_nothing_and_a_lost_region_costs_what_is_under_way(
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

    # Back home the same way, then home is lost while what it writes is under way.
    home.await_following(99)
    away.rds.switchover_global_cluster(GlobalClusterIdentifier="ledger", TargetDbClusterIdentifier=home.arn)
    home.await_writer()
    away.await_there(1000, home)
    cloud.control.set_lag("aurora", "10m", source=HOME, destination=AWAY)
    with home.connect() as writer:
        for number in range(2000, 2050):
            writer.execute("INSERT INTO ledger VALUES (%s)", (number,))
    zones = [f"{HOME}{letter}" for letter in "abc"]
    for zone in zones:
        cloud.control.cut_power(zone, owner="test", lease_s=600)
    try:
        away.rds.failover_global_cluster(
            GlobalClusterIdentifier="ledger", TargetDbClusterIdentifier=away.arn, AllowDataLoss=True
        )
        away.await_writer()
        there = away.numbers()
    finally:
        cloud.control.set_lag("aurora", "", source=HOME, destination=AWAY)
        for zone in zones:
            cloud.control.restore_power(zone, owner="test")
    assert {*range(100), 1000} <= there
    assert there.isdisjoint(range(2000, 2050))
