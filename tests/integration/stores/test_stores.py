"""Real clients against real stores, with faults between: kept promises are left alone, sabotage is found."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chaos.stores import STORES
from chaos.stores.beside import Beside
from chaos.stores.dynamodb import KEYS
from harness.clock import SystemClock
from harness.cloud.client import CloudSettings, RunningCloud, start_cloud
from harness.cloud.faults import ApiError, CommitThenFail, Dose, FaultRule, Reset, Selector
from harness.measure.journal import STORE_CHECKED, STORE_FINDING, Journal, JournalWriter, read_journal

SERVICES = ("dynamodb", "s3", "sqs", "events")
EFFECTS = {"error": ApiError(code="InternalFailure", status=500), "reset": Reset(), "commit": CommitThenFail()}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCloud]:
    cloud = start_cloud(CloudSettings(state_dir=tmp_path_factory.mktemp("cloud")))
    yield cloud
    cloud.stop()


def beside(cloud: RunningCloud, folder: Path, stores: list[str], during: Callable[[], None]) -> Journal:
    path = folder / "journal.jsonl"
    with JournalWriter(path) as journal:
        work = Beside(
            target=cloud.target, stores=stores, prefix="bs-test", seed=5, journal=journal, clock=SystemClock()
        )
        with work.running():
            during()
    return read_journal(path)


def test_stores_that_keep_their_promises_under_faults_are_left_alone(cloud: RunningCloud, tmp_path: Path) -> None:
    def faults() -> None:
        time.sleep(0.5)
        for service in SERVICES:
            for name, effect in EFFECTS.items():
                rule = FaultRule(
                    id=f"{service}-{name}",
                    owner="test",
                    selector=Selector(service=service),
                    effect=effect,
                    dose=Dose(probability=0.1),
                    seed=3,
                )
                cloud.control.put_rule(rule)
        time.sleep(2.5)
        cloud.control.heal()
        time.sleep(0.3)

    journal = beside(cloud, tmp_path, list(STORES), faults)
    checked = {event.detail["store"]: event.detail for event in journal.named(STORE_CHECKED)}
    assert [event.detail for event in journal.named(STORE_FINDING)] == []
    assert set(checked) == set(STORES), [event.detail for event in journal.events]
    for store, detail in checked.items():
        assert detail["anomalies"] == 0
        assert detail["calls_ok"] >= 10, store
    assert sum(detail.get("calls_unknown", 0) for detail in checked.values()) > 10


def sabotage(client: Callable[[str], Any], name: Callable[[str], str]) -> None:
    """One thing goes wrong in each store, behind the backs of its clients."""
    dynamodb, s3, sqs = client("dynamodb"), client("s3"), client("sqs")
    client("events").disable_rule(Name=f"{name('events-fan-out')}-odd", EventBusName=name("events-fan-out"))
    bucket = name("s3-versions")
    version = s3.list_object_versions(Bucket=bucket)["Versions"][0]
    s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
    url = sqs.get_queue_url(QueueName=name("sqs-queue"))["QueueUrl"]
    for message in sqs.receive_message(QueueUrl=url)["Messages"]:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    dynamodb.delete_item(TableName=name("dynamodb-unique"), Key={"key": {"S": "key-0"}})
    for store in ("dynamodb-append-only", "dynamodb-counter"):
        dynamodb.delete_item(TableName=name(store), Key={"key": {"S": "b"}})
    for _ in range(8):  # a write may hide one of them before anybody reads
        for key in KEYS:
            dynamodb.delete_item(TableName=name("dynamodb-register"), Key={"key": {"S": key}})


SABOTAGED = {
    "dynamodb-register": {"lost update", "not linearizable"},
    "dynamodb-append-only": {"lost"},
    "dynamodb-counter": {"lost addition"},
    "dynamodb-unique": {"lost", "two owners"},
    "s3-versions": {"lost"},
    "sqs-queue": {"vanished"},
    "events-fan-out": {"not delivered"},
}


def test_sabotage_is_found_with_keys_and_instants(cloud: RunningCloud, tmp_path: Path) -> None:
    def during() -> None:
        time.sleep(1.5)
        sabotage(cloud.target.client, lambda store: f"bs-test-{store}")
        time.sleep(0.3)

    journal = beside(cloud, tmp_path, list(STORES), during)
    by_store: dict[str, set[str]] = {store: set() for store in STORES}
    for event in journal.named(STORE_FINDING):
        by_store[event.detail["store"]].add(event.detail["kind"])
        assert event.detail["key"]
    for store, kinds in by_store.items():
        assert kinds, store
        assert kinds <= SABOTAGED[store], store
    assert any(event.detail["found_s"] is not None for event in journal.named(STORE_FINDING))
