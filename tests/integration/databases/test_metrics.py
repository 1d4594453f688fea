"""What DB instances publish of themselves: measured at the processes, and by PostgreSQL."""

from __future__ import annotations

import contextlib

from harness.cloud.client import RunningCloud
from tests.integration.databases.conftest import PASSWORD, Aurora, published
from tests.waiting import until

LARGE = "SELECT n, repeat(md5(n::text), 30) AS fill FROM generate_series(1, 30000) n"
"""About 30 MB: more than an instance keeps in its buffers, so that they are written and read."""


def test_an_instance_publishes_its_connections_its_processes_and_its_input_and_output(
    aurora: Aurora, cloud: RunningCloud
) -> None:
    aurora.settled()
    writer = aurora.writer
    reader = next(name for name in aurora.members if name != writer)

    def most(name: str, instance: str = writer) -> float:
        return max(published(cloud, "AWS/RDS", name, DBInstanceIdentifier=instance), default=-1.0)

    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(aurora.connect()) for _ in range(5)]
        one = connections[0]
        one.execute("DROP TABLE IF EXISTS large")
        one.execute(f"CREATE UNLOGGED TABLE large AS {LARGE}")

        def seen() -> bool:
            one.execute("UPDATE large SET n = n + 1 WHERE n % 10 = 0")
            one.execute("SELECT sum(length(fill)) FROM large")
            names = ("CPUUtilization", "ReadLatency", "WriteLatency", "CommitThroughput")
            return most("DatabaseConnections") >= 5 and all(most(name) > 0 for name in names)

        assert until(seen), {name: most(name) for name in ("DatabaseConnections", "ReadLatency", "WriteLatency")}
        one.execute("DROP TABLE large")
    assert most("FreeableMemory") > 1 << 20
    assert max(published(cloud, "AWS/RDS", "ReadIOPS", DBClusterIdentifier="orders", Role="WRITER")) > 0
    assert until(lambda: most("AuroraReplicaLag", reader) >= 0)


def test_a_serverless_instance_publishes_the_units_that_its_use_amounts_to(cloud: RunningCloud) -> None:
    rds = cloud.target.client("rds")
    rds.create_db_cluster(
        DBClusterIdentifier="elastic", Engine="aurora-postgresql", MasterUsername="app", MasterUserPassword=PASSWORD,
        ServerlessV2ScalingConfiguration={"MinCapacity": 0.5, "MaxCapacity": 4.0},
    )  # fmt: skip
    rds.create_db_instance(
        DBInstanceIdentifier="elastic-1", DBClusterIdentifier="elastic", Engine="aurora-postgresql",
        DBInstanceClass="db.serverless",
    )  # fmt: skip
    try:
        of = {"DBInstanceIdentifier": "elastic-1"}
        found = until(lambda: published(cloud, "AWS/RDS", "ServerlessDatabaseCapacity", **of))
        assert found
        assert 0.5 <= found[0] <= found[1] <= 4.0
    finally:
        rds.delete_db_instance(DBInstanceIdentifier="elastic-1", SkipFinalSnapshot=True)
        rds.delete_db_cluster(DBClusterIdentifier="elastic", SkipFinalSnapshot=True)
