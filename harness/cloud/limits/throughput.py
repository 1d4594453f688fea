"""How many units a second DynamoDB's tables, indexes and partitions give. Pure.

A provisioned table keeps what it did not use for a while (burst); its indexes have their own throughput, and a write
that one of them cannot follow is refused as a whole. No partition key gives more than a partition can, whatever the
table has. What a request will cost is estimated before it runs and settled after, so that a bucket may owe: the next
request waits for it.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/burst-adaptive-capacity.html
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/throttling-diagnosing.html
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from harness.cloud.limits.buckets import Bucket
from harness.cloud.limits.quotas import Quotas

Kind = Literal["Read", "Write"]
TableId = tuple[str, str, str]  # account id, region, name
Why = Literal[
    "ProvisionedThroughputExceeded",
    "MaxOnDemandThroughputExceeded",
    "AccountLimitExceeded",
    "KeyRangeThroughputExceeded",
]
_PARTITIONS_KEPT = 20_000
_LARGEST = 800.0
"""Units of the largest item, 400 KB, in a transaction."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """Units a second of a table or an index, and what it is called when they are used up."""

    rate: float
    why: Why


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What a request asks of a table (`index` is '') or an index. `key` is its partition key, '' when unknown."""

    table: TableId
    kind: Kind
    units: float
    allowance: Allowance
    index: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A demand that cannot be met now."""

    demand: Demand
    why: Why

    @property
    def reason(self) -> str:
        """AWS's name of it, such as `TableWriteProvisionedThroughputExceeded`."""
        return f"{'Index' if self.demand.index else 'Table'}{self.demand.kind}{self.why}"


@dataclass(slots=True, kw_only=True)
class Throughput:
    """The buckets of every table. Safe from any thread."""

    quotas: Quotas
    now_s: Callable[[], float] = time.monotonic
    _buckets: dict[tuple[TableId, str, Kind], Bucket] = field(default_factory=dict)
    _partitions: dict[tuple[TableId, str, Kind, str], Bucket] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, demands: Sequence[Demand]) -> Refusal | None:
        """Take all that is demanded, or nothing and say why."""
        with self._lock:
            now_s = self.now_s()
            buckets = []
            for demand in demands:
                whole, partition = self._bucket(demand, now_s), self._partition(demand, now_s)
                if not _gives(whole, demand.units, now_s):
                    return Refusal(demand, demand.allowance.why)
                if partition is not None and not _gives(partition, demand.units, now_s):
                    return Refusal(demand, "KeyRangeThroughputExceeded")
                buckets.append((whole, partition))
            for demand, (whole, partition) in zip(demands, buckets, strict=True):
                whole.held -= demand.units
                if partition is not None:
                    partition.held -= demand.units
        return None

    def settle(self, demand: Demand, units: float) -> None:
        """The request of this demand has cost so much instead of what was taken."""
        if units == demand.units:
            return
        with self._lock:
            now_s = self.now_s()
            for bucket in (self._bucket(demand, now_s), self._partition(demand, now_s)):
                if bucket is not None:
                    bucket.held += demand.units - units

    def plenty(self, table: TableId, kind: Kind) -> bool:
        """Whether a table has so much left that the size of one item does not matter."""
        bucket = self._buckets.get((table, "", kind))
        return bucket is not None and bucket.held >= _LARGEST  # it holds that or more: it fills

    def forget(self) -> None:
        """No table was ever used."""
        with self._lock:
            self._buckets.clear()
            self._partitions.clear()

    def _bucket(self, demand: Demand, now_s: float) -> Bucket:
        rate = demand.allowance.rate
        provisioned = demand.allowance.why == "ProvisionedThroughputExceeded"
        most = max(1.0, rate * max(1.0, self.quotas.dynamodb_burst_s)) if provisioned else max(1.0, rate)
        key = (demand.table, demand.index, demand.kind)
        found = self._buckets.get(key)
        if found is None:  # what a new table did not use yet is nothing: it has its one second
            found = self._buckets[key] = Bucket(rate, most, max(1.0, rate), now_s)
        found.resize(rate, most, now_s)
        return found

    def _partition(self, demand: Demand, now_s: float) -> Bucket | None:
        if not demand.key:
            return None
        key = (demand.table, demand.index, demand.kind, demand.key)
        found = self._partitions.get(key)
        if found is None:
            if len(self._partitions) >= _PARTITIONS_KEPT:
                self._partitions = {k: one for k, one in self._partitions.items() if one.level(now_s) < one.most}
            reads = demand.kind == "Read"
            rate = self.quotas.dynamodb_partition_reads if reads else self.quotas.dynamodb_partition_writes
            found = self._partitions[key] = Bucket.full(rate, max(1.0, rate), now_s)
        return found


def _gives(bucket: Bucket, units: float, now_s: float) -> bool:
    """Whether it has as much; one that holds all it can gives more than that, and then owes it."""
    return bucket.level(now_s) >= min(units, bucket.most)
