"""Snapshots and point-in-time restores hold what was there at that instant, and nothing later."""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

import psycopg
import pytest
from botocore.exceptions import ClientError

from tests.integration.databases.conftest import DETECTION_S, DNS_S, PASSWORD, Aurora
from tests.waiting import PATIENCE_S, until


def write(aurora: Aurora, what: str) -> None:
    with aurora.connect() as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS book (what text)")
        connection.execute("INSERT INTO book VALUES (%s)", (what,))


def pages(aurora: Aurora, cluster: str) -> list[str]:
    """What a restored cluster holds; it gets an instance, and is taken away again."""
    rds, name = aurora.rds, f"{cluster}-a"
    rds.create_db_instance(
        DBInstanceIdentifier=name,
        DBClusterIdentifier=cluster,
        Engine="aurora-postgresql",
        DBInstanceClass="db.t4g.medium",
    )
    restored = Aurora(aurora.cloud, cluster)
    with restored.connect() as connection:
        found = [row[0] for row in connection.execute("SELECT what FROM book ORDER BY what")]
        connection.execute("INSERT INTO book VALUES ('new')")  # it takes writes
    rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)
    rds.delete_db_cluster(DBClusterIdentifier=cluster, SkipFinalSnapshot=True)
    return found


@pytest.fixture
def book(aurora: Aurora) -> Aurora:
    aurora.settled()
    with aurora.connect() as connection:
        connection.execute("DROP TABLE IF EXISTS book")
    return aurora


def test_a_snapshot_holds_what_was_there_and_not_what_came_later(book: Aurora) -> None:
    write(book, "before")
    book.rds.create_db_cluster_snapshot(DBClusterSnapshotIdentifier="kept", DBClusterIdentifier="orders")
    write(book, "later")
    made = book.rds.restore_db_cluster_from_snapshot(
        DBClusterIdentifier="restored", SnapshotIdentifier="kept", Engine="aurora-postgresql"
    )["DBCluster"]
    assert made["DatabaseName"] == "orders"
    assert pages(book, "restored") == ["before"]


def test_a_restore_to_a_second_between_two_writes_has_the_first_only_also_across_a_failover(book: Aurora) -> None:
    write(book, "first")
    time.sleep(0.05)
    between = dt.datetime.now(dt.UTC)
    time.sleep(0.05)
    old = book.writer
    book.rds.failover_db_cluster(DBClusterIdentifier="orders")
    assert until(lambda: book.writer != old)
    book.settled()
    write(book, "second")
    expected = {"RestoreToTime": (between, ["first"]), "UseLatestRestorableTime": (True, ["first", "second"])}
    for option, (value, found) in expected.items():
        book.rds.restore_db_cluster_to_point_in_time(
            DBClusterIdentifier="rewound", SourceDBClusterIdentifier="orders", **{option: value}
        )
        assert pages(book, "rewound") == found


def test_an_instant_that_no_backup_covers_is_refused(book: Aurora) -> None:
    for instant in (dt.datetime(2020, 1, 1, tzinfo=dt.UTC), dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)):
        with pytest.raises(ClientError) as refused:
            book.rds.restore_db_cluster_to_point_in_time(
                DBClusterIdentifier="never", SourceDBClusterIdentifier="orders", RestoreToTime=instant
            )
        assert refused.value.response["Error"]["Code"] == "InvalidRestoreFault"
    with pytest.raises(ClientError, match="not found"):
        book.rds.restore_db_cluster_from_snapshot(
            DBClusterIdentifier="never", SnapshotIdentifier="missing", Engine="aurora-postgresql"
        )


def connect(instance: dict[str, Any], within_s: int = 60) -> psycopg.Connection[Any]:
    endpoint = instance["Endpoint"]
    return psycopg.connect(
        host=endpoint["Address"], port=endpoint["Port"], user="app", password=PASSWORD, dbname="shop",
        autocommit=True, connect_timeout=within_s,
    )  # fmt: skip


def test_a_multi_az_instance_moves_to_its_standby_behind_the_same_endpoint_and_is_restored_from_its_final_snapshot(
    aurora: Aurora,
) -> None:
    rds, cloud = aurora.rds, aurora.cloud
    made = rds.create_db_instance(
        DBInstanceIdentifier="shop", Engine="postgres", DBInstanceClass="db.t4g.micro", AllocatedStorage=20,
        MasterUsername="app", MasterUserPassword=PASSWORD, DBName="shop", MultiAZ=True,
    )["DBInstance"]  # fmt: skip
    with connect(made) as connection:
        connection.execute("CREATE TABLE t AS SELECT 42 AS i")
    cloud.control.cut_power(made["AvailabilityZone"], owner="test")
    try:
        time.sleep(DETECTION_S + DNS_S)  # a connection into a dark zone would hang until it times out
        until_s = time.monotonic() + PATIENCE_S
        while True:
            try:
                with connect(made, within_s=5) as connection:
                    assert connection.execute("SELECT i FROM t").fetchone() == (42,)
                    connection.execute("INSERT INTO t VALUES (43)")
                break
            except psycopg.OperationalError:
                assert time.monotonic() < until_s
                time.sleep(0.05)
        assert aurora.instance("shop")["AvailabilityZone"] != made["AvailabilityZone"]
    finally:
        cloud.control.restore_power(made["AvailabilityZone"], owner="test")
    rds.delete_db_instance(DBInstanceIdentifier="shop", FinalDBSnapshotIdentifier="final")
    again = rds.restore_db_instance_from_db_snapshot(DBInstanceIdentifier="shop2", DBSnapshotIdentifier="final")[
        "DBInstance"
    ]
    with connect(again if again.get("Endpoint") else aurora.instance("shop2")) as connection:
        assert connection.execute("SELECT array_agg(i ORDER BY i) FROM t").fetchone() == ([42, 43],)
    rds.delete_db_instance(DBInstanceIdentifier="shop2", SkipFinalSnapshot=True)
