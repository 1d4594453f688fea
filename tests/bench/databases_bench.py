"""Databases: an Aurora cluster of three, its failover beyond the modelled delay, and what the whole costs idle."""

import os
import shutil
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg
from peers import Table

from harness import processes
from harness.cloud.client import CloudSettings, RunningCloud, start_cloud

DETECTION_S = DNS_S = 0.5
FAILOVERS = 5
IDLE_S = 15.0
LOGIN = {"user": "app", "password": "bench-password", "dbname": "orders", "connect_timeout": 2}


def make_cluster(rds: Any) -> tuple[dict[str, Any], float]:
    """An Aurora cluster of three; what describes it, and the seconds until it was ready."""
    began_s = time.perf_counter()
    rds.create_db_cluster(
        DBClusterIdentifier="orders", Engine="aurora-postgresql", MasterUsername="app",
        MasterUserPassword=LOGIN["password"], DatabaseName="orders",
    )  # fmt: skip
    for letter in "abc":
        rds.create_db_instance(
            DBInstanceIdentifier=f"orders-{letter}", DBClusterIdentifier="orders", Engine="aurora-postgresql",
            DBInstanceClass="db.r6g.large",
        )  # fmt: skip
    shown = rds.describe_db_clusters(DBClusterIdentifier="orders")["DBClusters"][0]
    with psycopg.connect(host=shown["ReaderEndpoint"], port=shown["Port"], **LOGIN):
        return shown, time.perf_counter() - began_s


def writer_of(rds: Any) -> str:
    members = rds.describe_db_clusters(DBClusterIdentifier="orders")["DBClusters"][0]["DBClusterMembers"]
    return str(next(member["DBInstanceIdentifier"] for member in members if member["IsClusterWriter"]))


def failover_s(cloud: RunningCloud, rds: Any, shown: dict[str, Any]) -> float:
    """Seconds from the kill of the writer to the first write through the cluster endpoint."""
    writer = writer_of(rds)
    records = processes.records(cloud.settings.state_dir / "databases" / "processes")
    os.kill(next(one.pid for one in records if one.role == f"postgres {writer}"), signal.SIGKILL)
    return first_write_s(shown)


def zone_loss_s(cloud: RunningCloud, rds: Any, shown: dict[str, Any]) -> float:
    """Seconds from the loss of the writer's zone to the first write through the cluster endpoint."""
    (writer,) = rds.describe_db_instances(DBInstanceIdentifier=writer_of(rds))["DBInstances"]
    zones = {one["zone_name"]: one["zone_id"] for one in _zones(cloud)}
    cloud.control.cut_power(zones[writer["AvailabilityZone"]], owner="bench")
    took_s = first_write_s(shown)
    cloud.control.heal()
    return took_s


def _zones(cloud: RunningCloud) -> list[dict[str, str]]:
    found = cloud.target.client("ec2").describe_availability_zones()["AvailabilityZones"]
    return [{"zone_name": one["ZoneName"], "zone_id": one["ZoneId"]} for one in found]


def first_write_s(shown: dict[str, Any]) -> float:
    """Seconds from now to the first write through the cluster endpoint."""
    began_s = time.perf_counter()
    while True:
        try:
            with psycopg.connect(host=shown["Endpoint"], port=shown["Port"], autocommit=True, **LOGIN) as connection:
                connection.execute("INSERT INTO t VALUES (1)")
                return time.perf_counter() - began_s
        except psycopg.Error:
            time.sleep(0.01)


def await_instances(rds: Any) -> None:
    while any(one["DBInstanceStatus"] != "available" for one in rds.describe_db_instances()["DBInstances"]):
        time.sleep(0.1)


def family(pid: int) -> Iterator[psutil.Process]:
    server = psutil.Process(pid)
    yield server
    yield from server.children(recursive=True)


def idle(pid: int) -> tuple[float, float]:
    """Memory of the cloud and all it runs in MB (shared pages counted once), and the share of a core it takes."""
    before = sum(sum(one.cpu_times()[:2]) for one in family(pid))
    time.sleep(IDLE_S)
    after = sum(sum(one.cpu_times()[:2]) for one in family(pid))
    memory = sum(one.memory_full_info().pss for one in family(pid))
    return memory / 1e6, (after - before) / IDLE_S


def main() -> int:
    table = Table()
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    cloud = start_cloud(CloudSettings(state_dir=folder, detection_s=DETECTION_S, dns_s=DNS_S))
    try:
        rds = cloud.target.client("rds")
        rds.describe_db_clusters()  # the emulator imports its RDS on the first call
        shown, ready_s = make_cluster(rds)
        table.limit("Aurora cluster of three ready", ready_s, "s", at_most=4.0)
        with psycopg.connect(host=shown["Endpoint"], port=shown["Port"], autocommit=True, **LOGIN) as connection:
            connection.execute("CREATE TABLE t (i int)")
        own = []
        for _ in range(FAILOVERS):
            own.append(failover_s(cloud, rds, shown) - DETECTION_S - DNS_S)
            await_instances(rds)
        table.limit(
            "writer killed to first write, beyond the modelled delay", statistics.median(own), "s", at_most=0.5
        )
        lost_s = zone_loss_s(cloud, rds, shown) - DETECTION_S - DNS_S
        table.limit("zone of the writer lost to first write, beyond the modelled delay", lost_s, "s", at_most=2.5)
        await_instances(rds)
        cloud.target.client("elasticache").create_replication_group(
            ReplicationGroupId="carts", ReplicationGroupDescription="carts", Engine="valkey", NumCacheClusters=3
        )
        memory, share = idle(cloud.pid)
        table.limit("idle: cloud, three databases, three cache nodes", memory, "MB", at_most=900)
        table.limit("idle: the same, share of a core", share * 100, "%", at_most=5)
    finally:
        cloud.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return table.missed


if __name__ == "__main__":
    sys.exit(main())
