"""Alarms are evaluated when a period has ended: not before, not twice, and with their own dimensions."""

from dataclasses import dataclass, field, replace

from harness.clock import SystemClock
from harness.cloud.evidence import Evidence
from harness.cloud.signals.alarm import Condition, Decision
from harness.cloud.signals.keeper import AlarmKeeper, Watched
from harness.cloud.signals.queries import Query
from harness.cloud.signals.series import MetricId, MetricStore, one

MINE = MetricId("1", "r", "Shop", "Errors", (("Function", "mine"),))
OTHER = MINE._replace(dimensions=(("Function", "other"),))


@dataclass
class Book:
    """A book of alarms that remembers what was entered."""

    alarms: list[Watched]
    entered: list[tuple[str, str, float]] = field(default_factory=list)

    def watched(self) -> list[Watched]:
        return self.alarms

    def enter(self, arn: str, decision: Decision, at_s: float) -> bool:
        self.entered.append((arn, decision.state, at_s))
        self.alarms = [replace(alarm, state=decision.state) if alarm.arn == arn else alarm for alarm in self.alarms]
        return True


def alarm(*, period_s: int = 10, missing: str = "notBreaching") -> Watched:
    return Watched(
        arn="arn",
        name="errors",
        state="INSUFFICIENT_DATA",
        condition=Condition(comparison="GreaterThanThreshold", threshold=0, missing=missing),
        queries=[Query(id="m", label="m", metric=MINE, statistic="Sum", period_s=period_s)],
        period_s=period_s,
    )


def kept(*alarms: Watched) -> tuple[AlarmKeeper, Book, MetricStore]:
    book, store = Book(list(alarms)), MetricStore()
    return AlarmKeeper(book, store, Evidence(SystemClock())), book, store


def test_an_alarm_goes_off_when_its_period_has_ended_and_comes_back() -> None:
    keeper, book, store = kept(alarm())
    store.publish(MINE, one(1.0, 103), resolution_s=1)
    keeper.tick(105.0)
    keeper.tick(110.0)  # what was published in the last moments may not be in yet
    keeper.tick(110.3)
    keeper.tick(115.0)
    keeper.tick(140.5)
    assert book.entered == [("arn", "OK", 100.0), ("arn", "ALARM", 110.0), ("arn", "OK", 140.0)]


def test_periods_below_a_minute_may_take_less_time_and_others_never_do() -> None:
    short, long = replace(alarm(), arn="short"), replace(alarm(period_s=60), arn="long")
    keeper, book, store = kept(short, long)
    keeper.shortest_s = 2
    store.publish(MINE, one(1.0, 121), resolution_s=1)
    store.publish(MINE, one(0.0, 123), resolution_s=1)
    for now_s in (121.3, 122.3, 124.3, 179.0, 180.3):
        keeper.tick(now_s)
    assert [one for one in book.entered if one[0] == "short"] == [
        ("short", "OK", 120.0), ("short", "ALARM", 122.0), ("short", "OK", 124.0),
    ]  # fmt: skip
    assert [one for one in book.entered if one[0] == "long"] == [("long", "OK", 120.0), ("long", "ALARM", 180.0)]


def test_another_dimension_is_another_metric() -> None:
    keeper, book, store = kept(alarm())
    store.publish(OTHER, one(1.0, 103), resolution_s=1)
    keeper.tick(110.3)
    assert book.entered == [("arn", "OK", 110.0)]


def test_long_periods_are_looked_at_each_minute() -> None:
    keeper, book, store = kept(alarm(period_s=300))
    store.publish(MINE, one(1.0, 60))
    for now_s in (61.0, 119.0, 120.5):
        keeper.tick(now_s)
    assert book.entered == [("arn", "OK", 60.0), ("arn", "ALARM", 120.0)]


def test_a_change_is_evidence() -> None:
    keeper, _, store = kept(alarm())
    store.publish(MINE, one(1.0, 103), resolution_s=1)
    keeper.tick(110.3)
    (event,) = keeper.evidence.since()
    assert (event.kind, event.detail["state"], event.detail["name"]) == ("alarm", "ALARM", "errors")
