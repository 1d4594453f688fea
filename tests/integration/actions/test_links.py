"""Links that are cut or slow, felt by connections to a database: from outside, and from functions in two zones."""

from __future__ import annotations

import io
import json
import threading
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from harness.cloud.links import LinkFault
from tests.integration.actions.conftest import FUNCTION_ROLE, lost
from tests.waiting import until

ASK = """
import socket
import struct
import time

def handler(event, context):
    began_s = time.monotonic()
    try:
        with socket.create_connection((event["host"], event["port"]), event["timeout"]) as connection:
            connection.sendall(struct.pack("!II", 8, 80877103))  # PostgreSQL's SSLRequest
            answer = connection.recv(1)
            return time.monotonic() - began_s if answer == b"S" else "closed"
    except TimeoutError:
        return "no answer"
"""
HERE = {"resourceType": "aws:ec2:subnet", "resourceTags": {"chaos": "ready"}}
PATIENT_S, IMPATIENT_S = 50, 3


@pytest.fixture(scope="module")
def database(aws: Any, vpc: Any) -> Iterator[dict[str, Any]]:
    """How to reach a DB instance in the first subnet."""
    rds = aws.client("rds", read_timeout=120)
    rds.create_db_subnet_group(
        DBSubnetGroupName="links", DBSubnetGroupDescription="d", SubnetIds=[vpc.here, vpc.there]
    )
    made = rds.create_db_instance(
        DBInstanceIdentifier="links", Engine="postgres", DBInstanceClass="db.t4g.micro", AllocatedStorage=20,
        MasterUsername="app", MasterUserPassword="a-password", DBName="shop", DBSubnetGroupName="links",
        AvailabilityZone="us-east-1a",
    )["DBInstance"]  # fmt: skip
    endpoint = made["Endpoint"]
    yield {
        "host": endpoint["Address"], "port": endpoint["Port"], "user": "app", "password": "a-password",
        "dbname": "shop", "autocommit": True,
    }  # fmt: skip
    rds.delete_db_instance(DBInstanceIdentifier="links", SkipFinalSnapshot=True)


Ask = Callable[[int], Any]


@pytest.fixture(scope="module")
def asks(aws: Any, vpc: Any, database: dict[str, Any]) -> dict[str, Ask]:
    """Functions in the same subnet and in the other zone: seconds until the database answered, or how it failed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("index.py", ASK)
    client = aws.client("lambda", read_timeout=90)
    for name, subnet in (("same", vpc.here), ("other", vpc.there)):
        client.create_function(
            FunctionName=f"ask-{name}", Runtime="python3.11", Role=FUNCTION_ROLE, Handler="index.handler",
            Code={"ZipFile": buffer.getvalue()}, Timeout=60, MemorySize=256,
            VpcConfig={"SubnetIds": [subnet], "SecurityGroupIds": []},
        )  # fmt: skip

    def asked(name: str) -> Ask:
        def ask(timeout_s: int) -> Any:
            event = json.dumps({"host": database["host"], "port": database["port"], "timeout": timeout_s})
            answer = client.invoke(FunctionName=f"ask-{name}", Payload=event.encode())
            return json.loads(answer["Payload"].read())

        return ask

    return {name: asked(name) for name in ("same", "other")}


def test_a_subnet_that_is_cut_off_takes_its_database_along_and_open_connections_go_on_afterwards(
    aws: Any, database: dict[str, Any]
) -> None:
    with psycopg.connect(**database, connect_timeout=PATIENT_S) as connection:
        answers: list[Any] = []
        with aws.running(aws.action("aws:network:disrupt-connectivity", scope="all"), HERE):
            asking = threading.Thread(
                target=lambda: answers.append(connection.execute("SELECT 7").fetchone()), daemon=True
            )
            asking.start()
            with pytest.raises(psycopg.OperationalError):
                psycopg.connect(**database, connect_timeout=IMPATIENT_S)
            assert answers == []
        assert until(lambda: answers) == [(7,)]
    with psycopg.connect(**database, connect_timeout=PATIENT_S) as again:
        assert again.execute("SELECT 1").fetchone() == (1,)


def test_scope_availability_zone_cuts_clients_in_other_zones_only(aws: Any, asks: dict[str, Ask]) -> None:
    assert asks["other"](PATIENT_S) > 0
    with aws.running(aws.action("aws:network:disrupt-connectivity", scope="availability-zone"), HERE):
        assert asks["other"](IMPATIENT_S) == "no answer"
        assert asks["same"](PATIENT_S) > 0
    assert asks["other"](PATIENT_S) > 0


def test_scope_vpc_cuts_clients_outside_of_it_only(aws: Any, database: dict[str, Any], asks: dict[str, Ask]) -> None:
    with aws.running(aws.action("aws:network:disrupt-connectivity", scope="vpc"), HERE):
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(**database, connect_timeout=IMPATIENT_S)
        assert asks["other"](PATIENT_S) > 0


def test_scope_prefix_list_cuts_the_subnets_that_its_ranges_name(
    aws: Any, vpc: Any, database: dict[str, Any], asks: dict[str, Ask]
) -> None:
    ec2 = aws.client("ec2")
    (there,) = ec2.describe_subnets(SubnetIds=[vpc.there])["Subnets"]
    listed = ec2.create_managed_prefix_list(
        PrefixListName="there", MaxEntries=1, AddressFamily="IPv4", Entries=[{"Cidr": there["CidrBlock"]}]
    )["PrefixList"]["PrefixListId"]
    scope = {"scope": "prefix-list", "prefixListIdentifier": listed}
    with aws.running(aws.action("aws:network:disrupt-connectivity", **scope), HERE):
        assert asks["other"](IMPATIENT_S) == "no answer"
        assert asks["same"](PATIENT_S) > 0
        with psycopg.connect(**database, connect_timeout=PATIENT_S) as outside:
            assert outside.execute("SELECT 1").fetchone() == (1,)


def test_a_slow_link_between_zones_is_felt_across_it_only(aws: Any, asks: dict[str, Ask]) -> None:
    action = aws.action(
        "blackstart:network:disrupt-link", near="us-east-1a", far="use1-az2", latencyMilliseconds="400"
    )
    with aws.running(action):
        assert asks["other"](PATIENT_S) >= 0.4
        fired = [one["fired"] for one in aws.cloud.control.links()]
        assert fired[0] >= 1
        assert asks["same"](PATIENT_S) > 0
        assert [one["fired"] for one in aws.cloud.control.links()] == fired  # that flow crosses no such link
    assert aws.cloud.control.links() == []


def test_the_owner_cuts_a_zone_off_from_the_services_of_its_region(aws: Any, caller: Any, neighbour: Any) -> None:
    control = aws.cloud.control
    control.disturb_link(LinkFault(id="cut", owner="test", near="us-east-1a", far="us-east-1", cut=True, lease_s=300))
    try:
        assert lost(caller, "dynamodb", "list_tables")
        assert neighbour("dynamodb", "list_tables") == "ok"
    finally:
        assert control.heal_links(owner="test") == ["cut"]
    assert caller("dynamodb", "list_tables") == "ok"
