"""What is read back: strays, counters, contents, keys that nobody sent. Against a client that holds a few tables."""

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from chaos import verification
from chaos.drill_parts import CounterPart, EffectPart, VerificationPart
from chaos.verification import Before, Store, verify
from harness.clock import SystemClock
from harness.errors import NotReadyError
from harness.measure.effects import effects_of
from harness.measure.journal import Journal, JournalWriter, Operation, read_journal

PART = VerificationPart(
    table="orders",
    key="key",
    content={"customer": "customer of {key}"},
    queues=["q1", "q2"],
    effects=[
        EffectPart(name="charges", table="payments", attribute="order", equals="{id}", content={"currency": "EUR"}),
        EffectPart(name="told", queue="q", attribute="order", equals="{id}"),
    ],
    counters=[CounterPart(name="stock", table="stock", key={"sku": "tea"}, attribute="left", each=-2)],
)
Tables = dict[str, list[dict[str, str]]]


class Cloud:
    """A target: one client for all services."""

    def __init__(self, tables: Tables) -> None:
        self.tables, self.outputs, self.target = tables, {}, self
        self.regions: set[str | None] = set()

    def client(self, *_: Any, **settings: Any) -> Any:
        assert settings["user_agent_appid"] == "bs.drill"
        self.regions.add(settings["region"])
        return self

    def get_paginator(self, _: str) -> Any:
        return self

    def paginate(self, TableName: str, **_: Any) -> list[Mapping[str, Any]]:  # noqa: N803 - boto3's name
        return [{"Items": [{n: {"S": v} for n, v in item.items()} for item in self.tables[TableName]]}]

    def get_item(self, TableName: str, **_: Any) -> Mapping[str, Any]:  # noqa: N803
        return {"Item": {n: {"N": v} for n, v in self.tables[TableName][0].items()}}

    def receive_message(self, **_: Any) -> Mapping[str, Any]:
        return {}

    def get_queue_attributes(self, QueueUrl: str, **_: Any) -> Mapping[str, Any]:  # noqa: N803
        depths = {"ApproximateNumberOfMessages": "1", "ApproximateNumberOfMessagesNotVisible": "2"}
        return {"Attributes": depths if QueueUrl == "q1" else {}}


def order(key: str, customer: str = "") -> dict[str, str]:
    return {"id": f"id of {key}", "key": key, "customer": customer or f"customer of {key}"}


def charge(key: str, currency: str = "EUR") -> dict[str, str]:
    return {"order": f"id of {key}", "currency": currency}


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Journal]:
    def told(tables: Tables, *keys: str) -> Journal:
        operations = tuple(
            Operation(id=n, kind="w", key=key, write=True, scheduled_s=n, started_s=n, ended_s=n + 0.1, outcome="ok")
            for n, key in enumerate(keys)
        )
        before = Before(effects={"charges": Counter({"id of old": 1})}, counters={"stock": 100.0})
        store = Store(Cloud(tables), PART, before=before)  # type: ignore[arg-type]
        with JournalWriter(tmp_path / "j.jsonl") as writer:
            verify(store, Journal(operations=operations), writer, SystemClock(), prefix="run-")
        return read_journal(tmp_path / "j.jsonl")

    return told


def test_what_belongs_to_nothing_and_came_during_the_drill_is_a_stray(read: Any) -> None:
    tables = {"orders": [order("run-1")], "payments": [charge("run-1"), charge("old"), charge("gone")],
              "stock": [{"left": "98"}]}  # fmt: skip
    found = effects_of(read(tables, "run-1"))
    assert (found.strays, found.surplus, found.missing) == (1, 0, 0)
    assert [(f.kind, f.key) for f in found.findings] == [("stray", "id of gone")]


@pytest.mark.parametrize(
    ("left", "surplus", "missing"), [("96", 0, 0), ("94", 1, 0), ("95", 1, 0), ("98", 0, 1), ("100", 0, 2)]
)
def test_a_counter_moves_once_for_each_write_that_is_there(read: Any, left: str, surplus: int, missing: int) -> None:
    tables = {"orders": [order("run-1"), order("run-2")], "payments": [], "stock": [{"left": left}]}
    found = effects_of(read(tables, "run-1", "run-2", "run-3"))
    assert (found.surplus, found.missing) == (surplus, missing)
    assert len(found.findings) == bool(surplus or missing)


def test_what_holds_something_else_is_absent_and_says_why(read: Any) -> None:
    tables = {
        "orders": [order("run-1", "customer of run-0")],
        "payments": [charge("run-1")],
        "stock": [{"left": "98"}],
    }
    one, other = read(tables, "run-1").readings
    assert not one.present
    assert not other.present
    assert one.fields == {"differs": "customer is 'customer of run-0' instead of 'customer of run-1'"}


def test_an_effect_with_another_content_is_none(read: Any) -> None:
    tables = {"orders": [order("run-1")], "payments": [charge("run-1", "USD")], "stock": [{"left": "98"}]}
    assert [r.fewest for r in read(tables, "run-1").readings] == [0, 0]


def test_keys_of_this_run_that_nobody_sent_are_read_too(read: Any) -> None:
    tables = {"orders": [order("run-1"), order("run-1-again"), order("other-1")], "payments": [],
              "stock": [{"left": "96"}]}  # fmt: skip
    assert [r.key for r in read(tables, "run-1").readings] == 2 * ["run-1", "run-1-again"]


def test_messages_under_way_are_counted_over_all_queues() -> None:
    assert Store(Cloud({}), PART).waiting() == 3  # type: ignore[arg-type]


def test_a_drill_waits_until_nobody_moves_its_counters(monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = Cloud({"orders": [], "payments": [charge("old")], "stock": [{"left": "100"}]})
    falling = iter([98, 96, 96])
    monkeypatch.setattr(
        verification.time, "sleep", lambda _: cloud.tables.update(stock=[{"left": str(next(falling))}])
    )
    before = Store(cloud, PART).look_before()  # type: ignore[arg-type]
    assert before == Before(effects={"charges": Counter({"id of old": 1})}, counters={"stock": 96.0})


def test_a_counter_that_others_go_on_moving_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = Cloud({"orders": [], "payments": [], "stock": [{"left": "100"}]})
    falling = iter(range(99, 0, -1))
    monkeypatch.setattr(
        verification.time, "sleep", lambda _: cloud.tables.update(stock=[{"left": str(next(falling))}])
    )
    with pytest.raises(NotReadyError, match="stock goes on moving"):
        Store(cloud, PART).look_before()  # type: ignore[arg-type]


def sent(key: str, number: int = 0, *, write: bool = True) -> Operation:
    return Operation(
        id=number, kind="w", key=key, write=write, scheduled_s=1.0, started_s=1.0, ended_s=1.1, outcome="ok"
    )


def back(store: Store, folder: Path, *operations: Operation) -> Journal:
    with JournalWriter(folder / "back.jsonl") as writer:
        verify(store, Journal(operations=operations), writer, SystemClock())
    return read_journal(folder / "back.jsonl")


ODD: Tables = {"orders": [order("run-1")], "payments": [charge("gone")], "stock": [{"left": "7"}]}
BEFORE = Before(effects={"charges": Counter()}, counters={"stock": 100.0})


@pytest.mark.parametrize(
    ("part", "before"),
    [(PART.model_copy(update={"restore": True}), BEFORE), (PART, Before())],
    ids=["copy", "unseen"],
)
def test_a_copy_and_what_nobody_saw_before_prove_nothing_of_strays_and_counters(
    part: VerificationPart, before: Before, tmp_path: Path
) -> None:
    store = Store(Cloud(ODD), part, before=before)  # type: ignore[arg-type]
    assert effects_of(back(store, tmp_path, sent("run-1"))).findings == ()


def test_only_what_was_written_is_read_back(tmp_path: Path) -> None:
    store = Store(Cloud(ODD), PART)  # type: ignore[arg-type]
    found = back(store, tmp_path, sent("run-1"), sent("run-2", 1, write=False), sent("", 2))
    assert {reading.key for reading in found.readings} == {"run-1"}


def test_the_most_frequent_effect_counts_and_what_lacks_the_attribute_is_none(read: Any) -> None:
    payments = [charge("run-1"), charge("run-1"), charge("run-1", "USD"), {"currency": "EUR"}]
    tables = {"orders": [order("run-1")], "payments": payments, "stock": [{"left": "98"}]}
    assert [(r.effects, r.fewest) for r in read(tables, "run-1").readings] == [(2, 0), (2, 0)]


def test_an_effect_may_be_all_that_an_item_holds() -> None:
    whole = EffectPart(name="charges", table="payments", attribute="order", equals="{id}", content={"order": "x"})
    part = PART.model_copy(update={"effects": [whole], "counters": [], "region": "us-west-2"})
    cloud = Cloud({"payments": [{"order": "x"}]})
    assert Store(cloud, part).look_before().effects == {"charges": Counter({"x": 1})}  # type: ignore[arg-type]
    assert cloud.regions == {"us-west-2"}
    Store(cloud, part.model_copy(update={"region": ""})).look_before()  # type: ignore[arg-type]
    assert cloud.regions == {"us-west-2", None}


@pytest.mark.parametrize(
    ("items", "settled"),
    [
        ([{"status": "DONE", "paid": "yes"}], True),
        ([{"status": "DONE", "paid": "no"}], False),
        ([{"status": "DONE", "paid": "yes"}, {"status": "OPEN", "paid": "yes"}], False),
    ],
)
def test_a_write_has_settled_once_all_of_it_has(items: list[dict[str, str]], settled: bool) -> None:
    part = PART.model_copy(update={"settled": {"status": "DONE", "paid": "yes"}})
    assert Store(Cloud({}), part).settled(items) is settled  # type: ignore[arg-type]
    assert Store(Cloud({}), PART).settled(items) is None  # type: ignore[arg-type]
