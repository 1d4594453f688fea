"""Copies under a clock that jumps: lag, order, the last writer, pauses, lost regions, metrics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from harness.cloud.copies.flow import Flow
from harness.cloud.copies.keeper import ReplicationKeeper
from harness.cloud.copies.lags import Lags
from harness.cloud.copies.measuring import CopyMetrics
from harness.cloud.evidence import Evidence
from harness.cloud.signals.series import MetricStore
from harness.cloud.zones import ZoneKeeper, zones_of
from harness.lag import fixed

EAST, WEST = "us-east-1", "us-west-2"


@dataclass
class World:
    """Two regions of one table, the time, and what calls back when."""

    now: float = 0.0
    calls: list[tuple[float, Callable[[], None]]] = field(default_factory=list)
    tables: dict[str, dict[str, str]] = field(default_factory=lambda: {EAST: {}, WEST: {}})
    keeper: ReplicationKeeper = field(init=False)

    def __post_init__(self) -> None:
        self.evidence = Evidence(self)  # type: ignore[arg-type]  # it has the time
        self.keeper = ReplicationKeeper(self.evidence, Lags({"dynamodb": fixed(2.0)}), self.schedule)

    def now_s(self) -> float:
        return self.now

    def schedule(self, delay_s: float, call: Callable[[], None]) -> None:
        self.calls.append((self.now + delay_s, call))

    def pass_time(self, seconds: float) -> None:
        end = self.now + seconds
        while due := [one for one in self.calls if one[0] <= end]:
            first = min(due, key=lambda one: one[0])
            self.calls.remove(first)
            self.now = max(self.now, first[0])
            first[1]()
        self.now = end

    def put(self, region: str, key: str, value: str) -> bool:
        other = WEST if region == EAST else EAST
        self.tables[region][key] = value
        flow = Flow(store="dynamodb", name="t", key=key, source=region, destination=other, source_region=region,
                    destination_region=other, account="1")  # fmt: skip
        return self.keeper.carry(flow, lambda: self.tables[other].update({key: value}))


@pytest.fixture
def world() -> World:
    return World()


def test_a_write_is_there_after_its_lag_and_no_sooner(world: World) -> None:
    assert not world.put(EAST, "a", "1")
    world.pass_time(1.99)
    assert world.tables[WEST] == {}
    assert world.keeper.shown()[0]["pending"] == 1
    world.pass_time(0.02)
    assert world.tables[WEST] == {"a": "1"}
    assert world.keeper.shown() == []


def test_without_lag_it_is_there_at_once(world: World) -> None:
    world.keeper.lags.set("dynamodb", fixed(0.0))
    assert world.put(EAST, "a", "1")
    assert world.tables[WEST] == {"a": "1"}
    assert world.calls == []


def test_writes_of_one_item_never_overtake_each_other(world: World) -> None:
    world.put(EAST, "a", "old")
    world.keeper.lags.set("dynamodb", fixed(0.0))
    world.put(EAST, "a", "new")
    world.put(EAST, "b", "1")
    assert world.tables[WEST] == {"b": "1"}
    world.pass_time(2.0)
    assert world.tables[WEST] == {"a": "new", "b": "1"}


def test_the_last_writer_wins_in_both_regions_and_the_conflict_is_counted(world: World) -> None:
    world.put(EAST, "a", "east first")
    world.pass_time(1.0)
    world.put(WEST, "a", "west last")
    world.pass_time(5.0)
    assert world.tables == {EAST: {"a": "west last"}, WEST: {"a": "west last"}}
    assert world.keeper.conflicts == {("dynamodb", "t", WEST): 1}
    assert [
        event.detail["destination"] for event in world.evidence.since() if event.kind == "replication_conflict"
    ] == [WEST]
    # Once both agree, a further write of either is no conflict.
    world.put(EAST, "a", "east again")
    world.pass_time(5.0)
    assert world.tables[WEST]["a"] == "east again"
    assert sum(world.keeper.conflicts.values()) == 1


def test_a_pause_holds_up_what_is_written_and_what_is_under_way(world: World) -> None:
    world.put(EAST, "under way", "1")
    world.keeper.pause("p", lambda flow: flow.source == EAST, owner="test", lease_s=60.0)
    world.put(EAST, "meanwhile", "1")
    world.put(WEST, "other way", "1")
    world.pass_time(10.0)
    assert world.tables[WEST].keys() == {"other way"}
    assert "other way" in world.tables[EAST]
    world.keeper.resume(owner="test")
    world.pass_time(0.0)
    assert world.tables[WEST].keys() == {"other way", "under way", "meanwhile"}
    (healed,) = [event for event in world.evidence.since() if event.kind == "fault_healed"]
    assert healed.detail["fired"] == 2


def test_a_pause_ends_with_its_lease(world: World) -> None:
    world.keeper.pause("p", lambda _flow: True, owner="test", lease_s=5.0)
    world.put(EAST, "a", "1")
    world.pass_time(4.0)
    world.keeper.renew("test")
    world.pass_time(4.0)
    world.keeper.expire()
    assert world.tables[WEST] == {}
    world.pass_time(2.0)
    world.keeper.expire()
    world.pass_time(0.0)
    assert world.tables[WEST] == {"a": "1"}


def test_a_lost_region_keeps_what_was_under_way_until_its_power_is_back(world: World) -> None:
    zones = ZoneKeeper(zones_of(EAST, 2) + zones_of(WEST, 2), world.evidence)
    world.keeper.lost = zones.lost
    zones.add_resident(world.keeper)
    world.put(EAST, "arrives", "1")
    world.pass_time(1.5)
    world.put(EAST, "is lost", "1")
    world.pass_time(1.0)
    for zone in zones.in_region(EAST):
        zones.cut_power(zone, owner="test")
    assert zones.lost(EAST)
    assert not zones.lost(WEST)
    world.pass_time(60.0)
    assert world.tables[WEST] == {"arrives": "1"}
    zones.heal()
    world.pass_time(0.0)
    assert world.tables[WEST] == {"arrives": "1", "is lost": "1"}


def test_metrics_tell_the_latency_of_tables_and_the_backlog_of_buckets(world: World) -> None:
    store = MetricStore()
    world.keeper.watches = CopyMetrics(store, world.schedule, world.now_s)
    world.put(EAST, "a", "1")
    objects = Flow(store="s3", name="b", key="k", source="b", destination="c", source_region=EAST, account="1",
                   destination_region=WEST, rule="all", size_bytes=100)  # fmt: skip
    world.keeper.lags.set("s3", fixed(3.0))
    for _ in range(2):
        world.keeper.carry(objects, lambda: None)
    world.keeper.carry(replace(objects, rule=""), lambda: None)  # a rule that asks for no metrics
    world.pass_time(60.0)
    found = {
        (metric.namespace, metric.name): (bucket.low, bucket.high)
        for metric in store.metrics("1", EAST)
        for bucket in store.buckets(metric, 0, 100)
    }
    assert found == {
        ("AWS/DynamoDB", "ReplicationLatency"): (2000.0, 2000.0),
        ("AWS/S3", "ReplicationLatency"): (0.0, 3.0),
        ("AWS/S3", "OperationsPendingReplication"): (0.0, 2.0),
        ("AWS/S3", "BytesPendingReplication"): (0.0, 200.0),
    }
