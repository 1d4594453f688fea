"""What the databases rely on inside ministack: it fails when an upgrade changes it."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from harness.cloud.databases import emulated
from harness.cloud.databases.emulated import ServiceAnswer, ServiceCall


async def ask(service: str, path: str = "/", **values: str) -> tuple[int, bytes]:
    """Ministack's answer to an unsigned request, through its ASGI application."""
    from ministack.app import app

    said: list[Any] = []
    scope = f"Credential=test/20260101/us-east-1/{service}/aws4_request"
    headers = [
        (b"host", b"127.0.0.1"),
        (b"content-type", b"application/x-www-form-urlencoded"),
        (b"authorization", f"AWS4-HMAC-SHA256 {scope}, Signature=0".encode()),
    ]
    request = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": headers}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": urlencode(values).encode(), "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        said.append(message)

    await app(request, receive, send)
    return said[0]["status"], b"".join(message.get("body", b"") for message in said[1:])


@pytest.fixture(autouse=True)
def no_containers() -> Iterator[None]:
    """As the cloud does; asking for an engine also leaves sockets open."""
    undo = [emulated.without_containers(service) for service in ("rds", "elasticache")]
    yield
    for one in undo:
        one()


def test_no_service_of_ours_asks_for_a_docker_engine() -> None:
    from ministack.services import elasticache, rds

    assert rds._get_docker() is None
    assert elasticache._get_docker() is None


@pytest.mark.parametrize("service", ["rds", "elasticache"])
def test_a_wrapper_sees_every_call_in_its_callers_scope_and_can_change_it(service: str) -> None:
    seen: list[tuple[tuple[str, str], bytes]] = []

    async def around(call: ServiceCall, proceed: emulated.Proceed) -> ServiceAnswer:
        seen.append((emulated.caller_scope(), call.body))
        status, headers, body = await proceed(call)
        return status, headers, body + b"<!-- ours -->"

    undo = emulated.wrap_service(service, around)
    try:
        _, body = asyncio.run(ask(service, Action="DescribeEvents", Version="2014-10-31"))
        assert seen == [(("000000000000", "us-east-1"), b"Action=DescribeEvents&Version=2014-10-31")]
        assert body.endswith(b"<!-- ours -->")
    finally:
        undo()
    _, body = asyncio.run(ask(service, Action="DescribeEvents", Version="2014-10-31"))
    assert not body.endswith(b"<!-- ours -->")


def test_database_records_are_live_and_hold_the_fields_that_are_read_and_written() -> None:
    seen: dict[str, Any] = {}

    async def around(call: ServiceCall, proceed: emulated.Proceed) -> ServiceAnswer:
        answer = await proceed(call)
        cluster = emulated.database_records("clusters").get("pinned")
        instance = emulated.database_records("instances").get("pinned-a")
        if cluster is not None:
            seen["cluster"], seen["instance"] = dict(cluster), dict(instance or {})
            cluster.update(Endpoint="127.0.0.9", Port=4711, Status="failing-over")
        return answer

    undo = emulated.wrap_service("rds", around)
    try:
        asyncio.run(_make_a_cluster())
        _, shown = asyncio.run(ask("rds", Action="DescribeDBClusters", DBClusterIdentifier="pinned"))
    finally:
        undo()
        asyncio.run(_delete_the_cluster())
    assert seen["cluster"]["_MasterUserPassword"] == "secret-word"
    assert [member["IsClusterWriter"] for member in seen["cluster"]["DBClusterMembers"]] == [True]
    assert {"DBInstanceStatus", "AvailabilityZone", "Endpoint", "DBClusterIdentifier", "PromotionTier"} <= set(
        seen["instance"]
    )
    assert b"<Endpoint>127.0.0.9</Endpoint>" in shown
    assert b"<Port>4711</Port>" in shown
    assert b"<Status>failing-over</Status>" in shown


async def _make_a_cluster() -> None:
    await ask(
        "rds", Action="CreateDBCluster", DBClusterIdentifier="pinned", Engine="aurora-postgresql",
        MasterUsername="app", MasterUserPassword="secret-word",
    )  # fmt: skip
    await ask(
        "rds", Action="CreateDBInstance", DBInstanceIdentifier="pinned-a", DBClusterIdentifier="pinned",
        Engine="aurora-postgresql", DBInstanceClass="db.r6g.large",
    )  # fmt: skip


async def _delete_the_cluster() -> None:
    await ask("rds", Action="DeleteDBInstance", DBInstanceIdentifier="pinned-a", SkipFinalSnapshot="true")
    await ask("rds", Action="DeleteDBCluster", DBClusterIdentifier="pinned", SkipFinalSnapshot="true")


def test_cache_records_are_live_and_hold_the_fields_that_are_read_and_written() -> None:
    async def around(call: ServiceCall, proceed: emulated.Proceed) -> ServiceAnswer:
        answer = await proceed(call)
        group = emulated.cache_records("replication_groups").get("pinned")
        if group is not None:
            (node_group,) = group["NodeGroups"]
            assert {"CacheClusterId", "CurrentRole", "ReadEndpoint"} <= set(node_group["NodeGroupMembers"][1])
            assert {"AutomaticFailover", "_auth_tokens", "TransitEncryptionEnabled", "CacheSubnetGroupName"} <= set(
                group
            )
            node_group["PrimaryEndpoint"] = {"Address": "127.0.0.9", "Port": 4711}
            cluster = emulated.cache_records("clusters")[node_group["NodeGroupMembers"][0]["CacheClusterId"]]
            assert {"CacheClusterStatus", "CacheNodes", "ReplicationGroupId", "Engine"} <= set(cluster)
        return answer

    async def run() -> bytes:
        await ask(
            "elasticache", Action="CreateReplicationGroup", ReplicationGroupId="pinned", Engine="valkey",
            ReplicationGroupDescription="pinned", NumCacheClusters="2", AutomaticFailoverEnabled="true",
        )  # fmt: skip
        _, shown = await ask("elasticache", Action="DescribeReplicationGroups", ReplicationGroupId="pinned")
        await ask("elasticache", Action="DeleteReplicationGroup", ReplicationGroupId="pinned")
        return shown

    undo = emulated.wrap_service("elasticache", around)
    try:
        shown = asyncio.run(run())
    finally:
        undo()
    assert b"<PrimaryEndpoint><Address>127.0.0.9</Address><Port>4711</Port></PrimaryEndpoint>" in shown


def test_the_credentials_of_a_secret_or_aws_own_refusal_are_found() -> None:
    found: list[Any] = []

    async def around(call: ServiceCall, _proceed: emulated.Proceed) -> ServiceAnswer:
        found.append(emulated.data_api_credentials(call.body.decode()))
        return 200, {}, b""

    async def run() -> None:
        from ministack.services import rds_data, secretsmanager

        login = json.dumps({"username": "app", "password": "word"})
        made = await secretsmanager.handle_request(
            "POST",
            "/",
            {"x-amz-target": "secretsmanager.CreateSecret"},
            json.dumps({"Name": "pinned", "SecretString": login}).encode(),
            {},
        )
        arn = json.loads(made[2])["ARN"]
        for secret in (arn, arn.replace("pinned", "missing")):
            await rds_data.handle_request("POST", "/Execute", {}, secret.encode(), {})

    undo = emulated.wrap_service("rds_data", around)
    try:
        asyncio.run(run())
    finally:
        undo()
    assert found[0] == ("app", "word", None)
    assert found[1][2][0] == "SecretsErrorException"


@pytest.mark.parametrize(("service", "kind"), [("rds", "DBInstances"), ("elasticache", "CacheClusters")])
def test_records_are_read_under_the_lock_only(service: str, kind: str) -> None:
    held: list[str] = []

    class Lock:
        def __enter__(self) -> None:
            held.append("taken")

        def __exit__(self, *_: object) -> None:
            held.append("given back")

    restore = emulated.one_at_a_time(service, Lock())
    try:
        status, _ = asyncio.run(ask(service, Action=f"Describe{kind}", Version="2015-02-02"))
    finally:
        restore()
    assert (status, held) == (200, ["taken", "given back"])
