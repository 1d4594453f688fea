"""Signals: Insights over a million events, the memory and the cost of metrics, the decision of an alarm."""

import json
import time
import tracemalloc

from peers import Table

from harness.clock import SystemClock
from harness.cloud.evidence import Evidence
from harness.cloud.logs.insights.rows import Stretch, rows
from harness.cloud.logs.insights.stages import prepare
from harness.cloud.signals.alarm import Condition, Decision
from harness.cloud.signals.keeper import AlarmKeeper, Watched
from harness.cloud.signals.queries import Query
from harness.cloud.signals.series import MetricId, MetricStore

EVENTS, SERIES, MINUTES = 1_000_000, 500, 24 * 60
START_MS = 1_700_000_000_000
QUERIES = (
    'filter level = "ERROR" | stats count(*) as n, avg(ms), pct(ms, 99) by service | sort n desc',
    "stats count(*), avg(ms), max(ms) by service, bin(1m)",
    "fields @timestamp, @message | filter @message like /ERROR/ | sort @timestamp desc | limit 20",
)


def _event(n: int) -> dict[str, object]:
    return {"level": "INFO" if n % 10 else "ERROR", "service": f"s{n % 7}", "ms": n % 900, "id": n}


def insights(table: Table) -> None:
    """JSON events of about 70 bytes; in seconds of one core, as the query has one."""
    events = [
        {
            "timestamp": START_MS + n,
            "message": json.dumps(_event(n)),
        }
        for n in range(EVENTS)
    ]
    for text in QUERIES:
        began_s = time.process_time()
        query = prepare(text)
        query.run(rows([Stretch("1:g", "g", "s", events)], query.fields, any_order=query.any_order))
        table.limit(f"Insights, 1 M events: {text[:44]}…", time.process_time() - began_s, "s", at_most=3.0)


def metrics(table: Table) -> None:
    """A day of minutes for five hundred series, each minute with three values."""
    tracemalloc.start()
    store = MetricStore()
    names = [MetricId("1", "us-east-1", "Shop", "latency", (("Series", str(n)),)) for n in range(SERIES)]
    for minute in range(MINUTES):
        for name in names:
            for value in range(3):
                store.value(name, float(value), minute * 60.0)
        if minute % 5 == 0:
            store.roll_up(minute * 60.0)
    held_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    table.limit(f"memory of {SERIES} series over 24 h", held_bytes / (1 << 20), "MiB", at_most=50.0)


def publishing(table: Table) -> None:
    """Three metrics a call, as a table's call publishes, against a call of half a millisecond."""
    store, count = MetricStore(), 100_000
    name = MetricId("1", "us-east-1", "AWS/DynamoDB", "SuccessfulRequestLatency", (("TableName", "orders"),))
    began_s = time.process_time()
    for n in range(count):
        store.value_soon(name, float(n % 50), 60.0)
    store.metrics("1", "us-east-1")
    each_us = (time.process_time() - began_s) / count * 1e6
    table.limit("publishing a call's metrics, share of a call of 0.5 ms", 3 * each_us / 500 * 100, "%", at_most=5.0)


class _Book:
    def __init__(self, alarm: Watched) -> None:
        self.alarm, self.decided_s = alarm, 0.0

    def watched(self) -> list[Watched]:
        return [self.alarm]

    def enter(self, arn: str, decision: Decision, at_s: float) -> bool:
        del arn, decision
        self.decided_s = self.decided_s or time.time() - at_s
        return True


def alarm(table: Table) -> None:
    """From the end of a period of ten seconds to the decision."""
    store = MetricStore()
    name = MetricId("1", "us-east-1", "Shop", "errors")
    query = Query(id="m", label="errors", metric=name, statistic="Sum", period_s=10)
    condition = Condition(comparison="GreaterThanThreshold", threshold=0.0)
    book = _Book(Watched(arn="a", name="a", state="OK", condition=condition, queries=[query], period_s=10))
    keeper = AlarmKeeper(book, store, Evidence(SystemClock()))
    store.value(name, 1.0, time.time())
    keeper.start()
    deadline_s = time.monotonic() + 30.0
    while not book.decided_s and time.monotonic() < deadline_s:
        time.sleep(0.05)
    keeper.stop()
    table.limit("alarm decided after its period closes", book.decided_s or 30.0, "s", at_most=1.0)


def main() -> int:
    """Every figure; how many missed their limit."""
    table = Table()
    for part in (insights, metrics, publishing, alarm):
        part(table)
    return table.missed


if __name__ == "__main__":
    raise SystemExit(main())
