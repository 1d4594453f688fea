"""Copies: lags as set against lags as measured, and what a lost region costs, for lags of 2 s and of none."""

import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg
from peers import Table

from harness.cloud.client import CloudSettings, RunningCloud, start_cloud

EAST, WEST = "us-east-1", "us-west-2"
LAG_S = 2.0
LOOKS = 5
LOGIN = {"user": "app", "password": "bench-password", "dbname": "orders", "connect_timeout": 2, "autocommit": True}


def global_database(cloud: RunningCloud) -> float:
    """The median of the seconds between a commit and its being read in the other region."""
    home, away = cloud.target.client("rds"), cloud.target.client("rds", region=WEST)
    home.create_global_cluster(GlobalClusterIdentifier="ledger", Engine="aurora-postgresql")
    login = {"MasterUsername": "app", "MasterUserPassword": LOGIN["password"], "DatabaseName": "orders"}
    for name, rds, options in (("home", home, login), ("away", away, {})):
        rds.create_db_cluster(
            DBClusterIdentifier=name, Engine="aurora-postgresql", GlobalClusterIdentifier="ledger", **options
        )
        rds.create_db_instance(
            DBInstanceIdentifier=f"{name}-a", DBClusterIdentifier=name, Engine="aurora-postgresql",
            DBInstanceClass="db.r6g.large",
        )  # fmt: skip
    there = away.describe_db_clusters(DBClusterIdentifier="away")["DBClusters"][0]
    here = home.describe_db_clusters(DBClusterIdentifier="home")["DBClusters"][0]
    with psycopg.connect(host=here["Endpoint"], port=here["Port"], **LOGIN) as writer:
        writer.execute("CREATE TABLE t (number int)")
        time.sleep(2 * LAG_S)
        with psycopg.connect(host=there["ReaderEndpoint"], port=there["Port"], **LOGIN) as reader:
            return statistics.median(_behind_s(writer, reader, number) for number in range(LOOKS))


def _behind_s(writer: Any, reader: Any, number: int) -> float:
    writer.execute("INSERT INTO t VALUES (%s)", (number,))
    committed_s = time.perf_counter()
    while reader.execute("SELECT count(*) FROM t WHERE number = %s", (number,)).fetchone() != (1,):
        time.sleep(0.002)
    return time.perf_counter() - committed_s


def rpo_s(cloud: RunningCloud, lag_s: float) -> float:
    """Seconds of acknowledged writes to a global table that the other region lacks when theirs is lost.

    As in measures.md: the instant of the loss minus the end of the first acknowledged write that is missing.
    """
    home, away = (cloud.target.client("dynamodb", region=region) for region in (EAST, WEST))
    table = f"ledger-{lag_s:g}".replace(".", "-")
    home.create_table(
        TableName=table, BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )  # fmt: skip
    home.update_table(TableName=table, ReplicaUpdates=[{"Create": {"RegionName": WEST}}])
    cloud.control.set_lag("dynamodb", f"{lag_s:g}s", source=EAST, destination=WEST)
    acked_s: list[float] = []
    began_s = time.monotonic()
    while time.monotonic() < began_s + lag_s + 2.0:
        home.put_item(TableName=table, Item={"id": {"S": str(len(acked_s))}})
        acked_s.append(time.monotonic())
        time.sleep(0.01)
    zones = [zone["id"] for zone in cloud.control.zones() if zone["region"] == EAST]
    lost_s = time.monotonic()
    for zone in zones:
        cloud.control.cut_power(zone, owner="bench")
    pages = away.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    there = {int(item["id"]["S"]) for page in pages for item in page["Items"]}
    for zone in zones:
        cloud.control.restore_power(zone, owner="bench")
    missing = [at_s for number, at_s in enumerate(acked_s) if number not in there]
    return lost_s - min(missing) if missing else 0.0


def main() -> int:
    table = Table()
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    cloud = start_cloud(CloudSettings(state_dir=folder, global_lag=f"{LAG_S:g}s", enforce_iam=False))
    try:
        off = abs(global_database(cloud) - LAG_S) / LAG_S * 100
        table.limit("global database, lag set to 2 s: off by", off, "%", at_most=10)
        lost_s = rpo_s(cloud, LAG_S)
        table.limit("global table, lag 2 s: RPO of a lost region", lost_s, "s", at_most=LAG_S * 1.1)
        table.limit("the same, against the lag: off by", abs(lost_s - LAG_S) / LAG_S * 100, "%", at_most=10)
        table.limit("global table, lag 0: RPO of a lost region", rpo_s(cloud, 0.0), "s", at_most=0)
    finally:
        cloud.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return table.missed


if __name__ == "__main__":
    sys.exit(main())
