"""Real clients against real stores, with faults between: kept promises are left alone, sabotage is found."""

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest
import valkey

from chaos.stores import STORES
from chaos.stores.beside import Beside
from harness import processes
from harness.cloud.client import RunningCloud
from harness.cloud.faults import ApiError, CommitThenFail, Dose, FaultRule, Reset, Selector
from harness.measure.checkers.linearizable import UNDECIDED
from harness.measure.journal import CHECK_FAILED, STORE_CHECKED, STORE_FINDING, Journal
from tests.waiting import awaited, until

SERVICES = ("dynamodb", "s3", "sqs", "events")
EFFECTS = {"error": ApiError(code="InternalFailure", status=500), "reset": Reset(), "commit": CommitThenFail()}


DATABASES = ("aurora-bank", "aurora-unique", "valkey-register")


def test_stores_that_keep_their_promises_under_faults_are_left_alone(cloud: RunningCloud, beside) -> None:
    stores = [store for store in STORES if store not in DATABASES]

    def faults(work: Beside) -> None:
        assert until(lambda: all(n["ok"] >= 3 for n in work.outcomes().values()))
        for service in SERVICES:
            for name, effect in EFFECTS.items():
                rule = FaultRule(
                    id=f"{service}-{name}",
                    owner="test",
                    selector=Selector(service=service),
                    effect=effect,
                    dose=Dose(probability=0.1),
                    seed=3,
                    lease_s=300.0,
                )
                cloud.control.put_rule(rule)
        assert until(lambda: all(n["unknown"] >= 2 for n in work.outcomes().values()))
        cloud.control.heal()
        served_again(work)

    clean(beside(stores, faults), stores)


def served_again(work: Beside) -> None:
    before = {name: n["ok"] for name, n in work.outcomes().items()}
    assert until(lambda: all(n["ok"] > before[name] + 3 for name, n in work.outcomes().items())), work.outcomes()


def clean(journal: Journal, stores: list[str]) -> None:
    checked = {event.detail["store"]: event.detail for event in journal.named(STORE_CHECKED)}
    findings = [event.detail for event in journal.named(STORE_FINDING)]
    assert [one for one in findings if one["kind"] != UNDECIDED] == []
    assert set(checked) == set(stores), [event.detail for event in journal.events]
    assert {detail["anomalies"] for detail in checked.values()} == {0}


def pid_of(cloud: RunningCloud, role: str) -> int:
    registry = cloud.settings.state_dir / "databases" / "processes"

    def pid() -> int:
        return next((one.pid for one in processes.records(registry) if one.role.startswith(role) and one.alive), 0)

    return awaited(pid)


def test_a_bank_and_unique_rows_on_aurora_survive_the_death_of_their_writers(cloud: RunningCloud, beside) -> None:
    stores = ["aurora-bank", "aurora-unique"]
    rds = cloud.target.client("rds")

    def writer(cluster: str) -> str:
        members = rds.describe_db_clusters(DBClusterIdentifier=cluster)["DBClusters"][0]["DBClusterMembers"]
        return str(next(m["DBInstanceIdentifier"] for m in members if m["IsClusterWriter"]))

    def kill(work: Beside) -> None:
        assert until(lambda: all(n["ok"] >= 10 for n in work.outcomes().values()))
        before = {store: writer(f"{work.prefix}-{store}") for store in stores}
        failed = {store: n["fail"] + n["unknown"] for store, n in work.outcomes().items()}
        for name in before.values():
            os.kill(pid_of(cloud, f"postgres {name}"), signal.SIGKILL)
        assert until(lambda: all(n["fail"] + n["unknown"] > failed[s] for s, n in work.outcomes().items()))
        assert until(lambda: all(writer(f"{work.prefix}-{store}") != name for store, name in before.items()))
        served_again(work)

    clean(beside(stores, kill), stores)


def test_registers_in_valkey_survive_that_their_connections_are_cut(cloud: RunningCloud, beside) -> None:
    def cut(work: Beside) -> None:
        assert until(lambda: work.outcomes()["valkey-register"]["ok"] >= 10)
        group = cloud.target.client("elasticache").describe_replication_groups()["ReplicationGroups"][0]
        endpoint = group["NodeGroups"][0]["PrimaryEndpoint"]
        with valkey.Valkey(host=endpoint["Address"], port=endpoint["Port"]) as one:
            assert until(
                lambda: (
                    one.client_kill_filter(_type="normal", skipme=True)
                    and work.outcomes()["valkey-register"]["unknown"]
                )
            )
        served_again(work)

    clean(beside(["valkey-register"], cut), ["valkey-register"])


def test_what_a_failover_of_valkey_loses_is_found(cloud: RunningCloud, beside) -> None:
    """Replication is asynchronous: a replica that was cut off knows nothing of what was acknowledged meanwhile."""

    def lose(work: Beside) -> None:
        assert until(lambda: work.outcomes()["valkey-register"]["ok"] >= 20)
        group = cloud.target.client("elasticache").describe_replication_groups()["ReplicationGroups"][0]
        members = {member["CurrentRole"]: member for member in group["NodeGroups"][0]["NodeGroupMembers"]}
        endpoint = members["replica"]["ReadEndpoint"]
        with valkey.Valkey(host=endpoint["Address"], port=endpoint["Port"]) as replica:
            replica.replicaof("NO", "ONE")
        before = work.outcomes()["valkey-register"]["ok"]
        assert until(lambda: work.outcomes()["valkey-register"]["ok"] >= before + 60)
        os.kill(pid_of(cloud, f"valkey {members['primary']['CacheClusterId']}"), signal.SIGKILL)
        served_again(work)

    journal = beside(["valkey-register"], lose)
    kinds = {event.detail["kind"] for event in journal.named(STORE_FINDING)}
    assert kinds, [event.detail for event in journal.events]
    assert kinds <= {"not linearizable", "lost update"}


def test_a_client_that_raises_is_a_check_that_failed(beside, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(STORES["dynamodb-register"], "step", broken)
    journal = beside(["dynamodb-register"], lambda _work: None)
    failed = {event.detail["error"] for event in journal.named(CHECK_FAILED)}
    assert failed == {"dynamodb-register: a client raised ZeroDivisionError: "}


def _without_item(key: str) -> Callable[[Any, Callable[[str], Any]], str]:
    def delete(one: Any, client: Callable[[str], Any]) -> str:
        client("dynamodb").delete_item(TableName=one.name, Key={"key": {"S": key}})
        return key

    return delete


def _without_version(one: Any, client: Callable[[str], Any]) -> str:
    version = client("s3").list_object_versions(Bucket=one.name)["Versions"][0]
    client("s3").delete_object(Bucket=one.name, Key=version["Key"], VersionId=version["VersionId"])
    return str(version["Key"])


def _without_message(one: Any, client: Callable[[str], Any]) -> str:
    sqs = client("sqs")
    url = sqs.get_queue_url(QueueName=one.name)["QueueUrl"]
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return str(message["Body"])


def _without_rule(one: Any, client: Callable[[str], Any]) -> str:
    client("events").disable_rule(Name=f"{one.name}-odd", EventBusName=one.name)
    return str(len(one.calls) + 1)  # the next odd one


def _without_money(one: Any, client: Callable[[str], Any]) -> str:
    one.store.patiently(
        lambda connection: connection.execute("UPDATE accounts SET balance = balance - 1000 WHERE id = 'b'")
    )
    return "b"


def _without_row(one: Any, client: Callable[[str], Any]) -> str:
    one.store.patiently(lambda connection: connection.execute("DELETE FROM claims WHERE key = 'key-0'"))
    return "key-0"


def _without_key(one: Any, client: Callable[[str], Any]) -> str:
    with valkey.Valkey(host=one.store.host, port=one.store.port) as at_the_back:
        assert at_the_back.delete("b")
    return "b"


SABOTAGE = {
    "dynamodb-register": (_without_item("b"), {"lost update", "not linearizable"}),
    "dynamodb-append-only": (_without_item("b"), {"lost"}),
    "dynamodb-counter": (_without_item("b"), {"lost addition"}),
    "dynamodb-unique": (_without_item("key-0"), {"lost"}),
    "s3-versions": (_without_version, {"lost"}),
    "sqs-queue": (_without_message, {"vanished"}),
    "events-fan-out": (_without_rule, {"not delivered"}),
    "aurora-bank": (_without_money, {"wrong total", "overdrawn", "wrong balance"}),
    "aurora-unique": (_without_row, {"lost"}),
    "valkey-register": (_without_key, {"lost update", "not linearizable"}),
}


@pytest.mark.parametrize("store", STORES)
def test_sabotage_behind_the_clients_is_found_by_its_key(store: str, cloud: RunningCloud, alone) -> None:
    sabotage, kinds = SABOTAGE[store]
    one = alone(store)
    one.work()
    key = sabotage(one, cloud.target.client)
    one.work(4)
    found = one.found()
    assert key in {found_key for _, found_key in found}
    assert {kind for kind, _ in found} <= kinds


def test_what_a_queue_gives_up_is_accounted_for(cloud: RunningCloud, alone) -> None:
    one = alone("sqs-queue")
    one.work(90)
    assert one.found() == set()
    assert one.store.processed
    dead = cloud.target.client("sqs")
    assert (
        dead.get_queue_attributes(QueueUrl=one.store.dead_url, AttributeNames=["All"])["Attributes"][
            "ApproximateNumberOfMessages"
        ]
        == "0"
    )  # all were taken out and counted
    one.store.processed.pop()
    one.store.perhaps.clear()
    assert {kind for kind, _ in one.found()} >= {"vanished"}


def test_a_register_that_is_gone_is_found_at_the_end_and_by_readers(cloud: RunningCloud, alone) -> None:
    one = alone("dynamodb-register")
    one.work()
    for key in ("a", "b", "c"):
        _without_item(key)(one, cloud.target.client)
    assert {kind for kind, _ in one.found()} == {"lost update"}
    one.work(20)
    assert any(call.action == "read" for call in one.calls[-20:])
    assert "not linearizable" in {kind for kind, _ in one.found()}


def test_findings_go_into_the_journal_with_store_key_and_instant(cloud: RunningCloud, beside) -> None:
    store = "dynamodb-unique"

    def during(work: Beside) -> None:
        assert until(lambda: work.outcomes()[store]["fail"] >= 8)
        table = f"{work.prefix}-{store}"
        cloud.target.client("dynamodb").delete_item(TableName=table, Key={"key": {"S": "key-0"}})

    journal = beside([store], during)
    (found,) = journal.named(STORE_FINDING)
    assert (found.detail["store"], found.detail["key"]) == (store, "key-0")
    assert found.detail["kind"] in {"lost", "two owners"}  # a client may have been late with its claim
    assert [event.detail["anomalies"] for event in journal.named(STORE_CHECKED)] == [1]
