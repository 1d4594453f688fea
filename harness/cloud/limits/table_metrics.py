"""AWS/DynamoDB: what tables and indexes consume, and what is refused. Names, units and dimensions are AWS's.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
"""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass

from harness.cloud.limits.throughput import Kind, Refusal, TableId
from harness.cloud.signals.series import MetricId, MetricStore

NAMESPACE = "AWS/DynamoDB"


@dataclass(frozen=True, slots=True)
class TableMetrics:
    """Publishes into `store`, by the second where `resolution_s` is 1. Safe from any thread, and cheap."""

    store: MetricStore
    resolution_s: int = 60

    def consumed(self, table: TableId, index: str, kind: Kind, units: float) -> None:
        """A request used so many units."""
        metric = metric_of(table, index, f"Consumed{kind}CapacityUnits")
        self.store.value_soon(metric, units, time.time(), unit="Count", resolution_s=self.resolution_s)

    def provisioned(self, table: TableId, index: str, kind: Kind, units: float) -> None:
        """So much is provisioned now."""
        self._put(metric_of(table, index, f"Provisioned{kind}CapacityUnits"), units)

    def throttled(self, refusals: list[Refusal], operation: str, *, whole: bool) -> None:
        """Parts of a request were refused; `whole` when nothing of it was done."""
        for refusal in refusals:
            demand, limit = refusal.demand, refusal.why.removesuffix("Exceeded")
            for name in (f"{demand.kind}ThrottleEvents", f"{demand.kind}{limit}ThrottleEvents"):
                self._put(metric_of(demand.table, demand.index, name), 1.0)
        if whole:
            account, region, table = refusals[0].demand.table
            dimensions = (("Operation", operation), ("TableName", table))
            self._put(MetricId(account, region, NAMESPACE, "ThrottledRequests", dimensions), 1.0)

    def condition_failed(self, table: TableId) -> None:
        """A write's condition was false."""
        self._put(metric_of(table, "", "ConditionalCheckFailedRequests"), 1.0)

    def returned(self, table: TableId, operation: str, items: int) -> None:
        """A query or a scan gave so many items."""
        dimensions = (("Operation", operation), ("TableName", table[2]))
        self._put(MetricId(table[0], table[1], NAMESPACE, "ReturnedItemCount", dimensions), float(items))

    def _put(self, metric: MetricId, value: float) -> None:
        self.store.value_soon(metric, value, time.time(), unit="Count")


@functools.lru_cache(maxsize=4096)
def metric_of(table: TableId, index: str, name: str) -> MetricId:
    """A metric of a table, or of one of its global secondary indexes."""
    account, region, known = table
    dimensions = (("GlobalSecondaryIndexName", index), ("TableName", known)) if index else (("TableName", known),)
    return MetricId(account, region, NAMESPACE, name, dimensions)
