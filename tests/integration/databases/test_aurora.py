"""An Aurora cluster over boto3 and psycopg: it loses writers and zones, and keeps what it acknowledged."""

import os
import signal
import time
from collections.abc import Callable

import psutil
import psycopg
import pytest
from botocore.exceptions import ClientError

from harness.cloud.client import RunningCloud
from tests.integration.databases.conftest import DETECTION_S, DNS_S, PASSWORD, Aurora, Stream
from tests.waiting import PATIENCE_S, until


def test_each_instance_is_a_process_in_a_zone_of_its_own(aurora: Aurora) -> None:
    shown = [aurora.instance(f"orders-{letter}") for letter in "abc"]
    assert sorted(instance["AvailabilityZone"] for instance in shown) == ["us-east-1a", "us-east-1b", "us-east-1c"]
    assert {instance["DBInstanceStatus"] for instance in shown} == {"available"}
    assert len({aurora.pid(f"orders-{letter}") for letter in "abc"}) == 3
    for instance in shown:
        with aurora.connect(instance["Endpoint"]["Address"], instance["Endpoint"]["Port"]) as connection:
            in_recovery = connection.execute("SELECT pg_is_in_recovery()").fetchone()
        assert in_recovery == (instance["DBInstanceIdentifier"] != aurora.writer,)


def test_the_reader_endpoint_reaches_readers_and_refuses_writes(aurora: Aurora) -> None:
    aurora.settled()
    shown = aurora.described()
    ports = set()
    for _ in range(4):
        with aurora.connect(shown["ReaderEndpoint"], shown["Port"]) as connection:
            ports.add(connection.execute("SELECT inet_server_port()").fetchone())
            with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
                connection.execute("CREATE TABLE never (i int)")
    assert len(ports) == 2


def test_tls_is_verified_against_the_clouds_certificate_and_a_wrong_password_is_refused(
    aurora: Aurora, cloud: RunningCloud
) -> None:
    ca = cloud.settings.state_dir / "databases" / "tls" / "ca.pem"
    with aurora.connect(sslmode="verify-full", sslrootcert=str(ca)) as connection:
        assert connection.pgconn.ssl_in_use
    with aurora.connect(sslmode="disable") as connection:
        assert not connection.pgconn.ssl_in_use
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        aurora.connect(password="wrong")


def test_a_killed_writer_is_replaced_after_the_modelled_delay_and_nothing_acknowledged_is_lost(
    aurora: Aurora, stream: Callable[[], Stream]
) -> None:
    one, lost_writer = stream(), aurora.writer
    readers = sorted(
        (m["PromotionTier"], m["DBInstanceIdentifier"])
        for m in aurora.described()["DBClusterMembers"]
        if not m["IsClusterWriter"]
    )
    pid, killed_s = aurora.pid(lost_writer), time.monotonic()
    os.kill(pid, signal.SIGKILL)
    assert one.first_after(killed_s) >= DETECTION_S + DNS_S
    assert aurora.writer == readers[0][1]
    aurora.settled()
    assert one.lost() == set()


def test_a_reader_that_was_far_behind_when_the_writer_died_has_every_commit(aurora: Aurora) -> None:
    aurora.settled()
    writer = aurora.writer
    receivers = [
        child
        for name in aurora.members
        if name != writer
        for child in psutil.Process(aurora.pid(name)).children()
        if "walreceiver" in " ".join(child.cmdline())
    ]
    assert len(receivers) == 2
    with aurora.connect() as connection:
        connection.execute("DROP TABLE IF EXISTS bulk")
        connection.execute("CREATE TABLE bulk (number int, body bytea)")
        for receiver in receivers:
            receiver.suspend()
        # More than sockets hold, so that the end of it is nowhere but with the writer and in the volume.
        connection.execute("ALTER TABLE bulk ALTER body SET STORAGE EXTERNAL")
        connection.execute(
            "INSERT INTO bulk SELECT i, decode(repeat('ab', 100000), 'hex') FROM generate_series(1, 240) i"
        )
        connection.execute("INSERT INTO bulk VALUES (241, 'last')")
    os.kill(aurora.pid(writer), signal.SIGKILL)
    for receiver in receivers:
        receiver.kill()  # with what it had not read yet; the server starts another
    time.sleep(DETECTION_S + DNS_S)
    aurora.settled()
    assert aurora.writer != writer
    with aurora.connect() as connection:
        assert connection.execute("SELECT count(*), max(number) FROM bulk").fetchone() == (241, 241)
        connection.execute("DROP TABLE bulk")


def test_failover_by_request_promotes_the_named_reader_and_restarts_the_writer_as_one(
    aurora: Aurora, stream: Callable[[], Stream]
) -> None:
    one, old = stream(), aurora.writer
    target = next(name for name in ("orders-b", "orders-a") if name != old)
    began_s = time.monotonic()
    answer = aurora.rds.failover_db_cluster(DBClusterIdentifier="orders", TargetDBInstanceIdentifier=target)
    assert answer["DBCluster"]["Status"] == "failing-over"
    told = [aurora.described()]
    while told[-1]["Status"] == "failing-over" and time.monotonic() - began_s < PATIENCE_S:
        told.append(aurora.described())
    # The next writer is named when it writes, and not before.
    writers = [m["DBInstanceIdentifier"] for shown in told for m in shown["DBClusterMembers"] if m["IsClusterWriter"]]
    assert set(writers[:-1]) <= {old}
    assert writers[-1] == target
    assert one.first_after(began_s) >= DNS_S
    aurora.settled()
    assert aurora.writer == target
    assert one.lost() == set()


def test_a_zone_without_power_takes_its_instance_along_until_the_power_is_back(
    aurora: Aurora, stream: Callable[[], Stream], cloud: RunningCloud
) -> None:
    one, writer = stream(), aurora.writer
    zone = aurora.instance(writer)["AvailabilityZone"]
    pid = aurora.pid(writer)
    cut_s = time.monotonic()
    cloud.control.cut_power(zone, owner="test")
    try:
        one.first_after(cut_s)
        assert not psutil.pid_exists(pid)
        assert aurora.instance(writer)["DBInstanceStatus"] != "available"
        endpoint = aurora.instance(writer)["Endpoint"]
        with pytest.raises(psycopg.OperationalError):
            aurora.connect(endpoint["Address"], endpoint["Port"], connect_timeout=2)
    finally:
        cloud.control.restore_power(zone, owner="test")
    aurora.settled()
    assert aurora.writer != writer
    assert one.lost() == set()


def test_readers_follow_a_writer_that_was_rebooted(aurora: Aurora) -> None:
    aurora.settled()
    writer, pid = aurora.writer, aurora.pid(aurora.writer)
    aurora.rds.reboot_db_instance(DBInstanceIdentifier=writer)
    assert until(lambda: aurora.pid(writer) != pid)
    aurora.settled()
    assert aurora.writer == writer


def test_a_failover_during_a_failover_is_refused_by_the_clusters_state(aurora: Aurora) -> None:
    aurora.settled()
    old = aurora.writer
    psutil.Process(aurora.pid(old)).suspend()  # it takes its time to end

    def refused() -> str:
        try:
            aurora.rds.failover_db_cluster(DBClusterIdentifier="orders")
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return ""

    assert refused() == ""
    assert until(refused) == "InvalidDBClusterStateFault"
    aurora.settled()
    assert until(lambda: aurora.described()["Status"] == "available")


def test_engines_that_do_not_run_here_are_refused_by_name(aurora: Aurora) -> None:
    with pytest.raises(ClientError) as refused:
        aurora.rds.create_db_cluster(DBClusterIdentifier="my", Engine="aurora-mysql", MasterUsername="a")
    assert refused.value.response["Error"]["Code"] == "InvalidParameterValue"
    assert "aurora-mysql" in refused.value.response["Error"]["Message"]
    assert PASSWORD not in str(refused.value)
