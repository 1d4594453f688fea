"""Real clients against real stores, with faults between: kept promises are left alone, sabotage is found."""

from collections.abc import Callable
from typing import Any

import pytest

from chaos.stores import STORES
from chaos.stores.beside import Beside
from harness.cloud.client import RunningCloud
from harness.cloud.faults import ApiError, CommitThenFail, Dose, FaultRule, Reset, Selector
from harness.measure.checkers.linearizable import UNDECIDED
from harness.measure.journal import STORE_CHECKED, STORE_FINDING

SERVICES = ("dynamodb", "s3", "sqs", "events")
EFFECTS = {"error": ApiError(code="InternalFailure", status=500), "reset": Reset(), "commit": CommitThenFail()}


def test_stores_that_keep_their_promises_under_faults_are_left_alone(cloud: RunningCloud, beside, until) -> None:
    def faults(work: Beside) -> None:
        until(lambda: all(n["ok"] >= 3 for n in work.outcomes().values()), "a few answers")
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
        until(lambda: all(n["unknown"] >= 2 for n in work.outcomes().values()), "answers that were lost")
        cloud.control.heal()
        before = {name: n["ok"] for name, n in work.outcomes().items()}
        until(lambda: all(n["ok"] > before[name] + 3 for name, n in work.outcomes().items()), "answers after it")

    journal = beside(list(STORES), faults)
    checked = {event.detail["store"]: event.detail for event in journal.named(STORE_CHECKED)}
    findings = [event.detail for event in journal.named(STORE_FINDING)]
    assert [one for one in findings if one["kind"] != UNDECIDED] == []
    assert set(checked) == set(STORES), [event.detail for event in journal.events]
    assert {detail["anomalies"] for detail in checked.values()} == {0}


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


SABOTAGE = {
    "dynamodb-register": (_without_item("b"), {"lost update", "not linearizable"}),
    "dynamodb-append-only": (_without_item("b"), {"lost"}),
    "dynamodb-counter": (_without_item("b"), {"lost addition"}),
    "dynamodb-unique": (_without_item("key-0"), {"lost"}),
    "s3-versions": (_without_version, {"lost"}),
    "sqs-queue": (_without_message, {"vanished"}),
    "events-fan-out": (_without_rule, {"not delivered"}),
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


def test_a_register_that_is_gone_is_found_at_the_end_and_by_readers(cloud: RunningCloud, alone, until) -> None:
    one = alone("dynamodb-register")
    one.work()
    for key in ("a", "b", "c"):
        _without_item(key)(one, cloud.target.client)
    assert {kind for kind, _ in one.found()} == {"lost update"}
    until(lambda: one.work(1) or one.calls[-1].action == "read", "a read")
    assert "not linearizable" in {kind for kind, _ in one.found()}


def test_findings_go_into_the_journal_with_store_key_and_instant(cloud: RunningCloud, beside, until) -> None:
    store = "dynamodb-unique"

    def during(work: Beside) -> None:
        until(lambda: work.outcomes()[store]["fail"] >= 8, "claims that came too late")
        table = f"{work.prefix}-{store}"
        cloud.target.client("dynamodb").delete_item(TableName=table, Key={"key": {"S": "key-0"}})

    journal = beside([store], during)
    (found,) = journal.named(STORE_FINDING)
    assert (found.detail["store"], found.detail["key"]) == (store, "key-0")
    assert found.detail["kind"] in {"lost", "two owners"}  # a client may have been late with its claim
    assert [event.detail["anomalies"] for event in journal.named(STORE_CHECKED)] == [1]
