"""The metrics that DynamoDB and S3 publish of their copies.

DynamoDB: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_monitoring.html
S3, where a rule asks for metrics: https://docs.aws.amazon.com/AmazonS3/latest/userguide/metrics-dimensions.html
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from harness.cloud.copies.flow import Flow
from harness.cloud.copies.keeper import Schedule
from harness.cloud.signals.series import MetricId, MetricStore

_GAUGES_EVERY_S = 10.0
"""How often the backlog of a rule is published while there is one; AWS does once a minute."""


@dataclass(slots=True)
class _Backlog:
    """What one S3 rule has under way."""

    sample: Flow
    since_s: deque[float] = field(default_factory=deque)
    size_bytes: int = 0


@dataclass(slots=True)
class CopyMetrics:
    """Publishes into `store`. All calls come one after another, from the keeper."""

    store: MetricStore
    schedule: Schedule
    now_s: Callable[[], float] = time.time
    """Unix seconds."""
    _backlogs: dict[tuple[str, str, str], _Backlog] = field(default_factory=dict)
    _ticking: bool = False

    def left(self, flow: Flow) -> None:
        """A write is under way."""
        if flow.store != "s3" or not flow.rule:
            return
        backlog = self._backlogs.setdefault((flow.source, flow.destination, flow.rule), _Backlog(flow))
        backlog.since_s.append(self.now_s())
        backlog.size_bytes += flow.size_bytes
        self._publish(backlog)
        if not self._ticking:
            self._ticking = True
            self.schedule(_GAUGES_EVERY_S, self._tick)

    def arrived(self, flow: Flow, latency_s: float) -> None:
        """A write is there, after `latency_s` seconds."""
        if flow.store == "dynamodb":
            dimensions = (("ReceivingRegion", flow.destination), ("TableName", flow.name))
            metric = MetricId(flow.account, flow.source, "AWS/DynamoDB", "ReplicationLatency", dimensions)
            self.store.value_soon(metric, latency_s * 1000, self.now_s(), unit="Milliseconds")
            return
        backlog = self._backlogs.get((flow.source, flow.destination, flow.rule))
        if backlog is not None and backlog.since_s:
            backlog.since_s.popleft()
            backlog.size_bytes -= flow.size_bytes
            self._publish(backlog, latency_s)

    def _publish(self, backlog: _Backlog, latency_s: float = 0.0) -> None:
        flow, now_s = backlog.sample, self.now_s()
        dimensions = (("DestinationBucket", flow.destination), ("RuleId", flow.rule), ("SourceBucket", flow.source))
        oldest_s = now_s - backlog.since_s[0] if backlog.since_s else 0.0
        for name, value, unit in (
            ("OperationsPendingReplication", float(len(backlog.since_s)), "Count"),
            ("BytesPendingReplication", float(backlog.size_bytes), "Bytes"),
            ("ReplicationLatency", max(latency_s, oldest_s), "Seconds"),
        ):
            metric = MetricId(flow.account, flow.source_region, "AWS/S3", name, dimensions)
            self.store.value_soon(metric, value, now_s, unit=unit)

    def _tick(self) -> None:
        """Publish every backlog, until there is none."""
        waiting = [backlog for backlog in self._backlogs.values() if backlog.since_s]
        for backlog in waiting:
            self._publish(backlog)
        self._ticking = bool(waiting)
        if waiting:
            self.schedule(_GAUGES_EVERY_S, self._tick)
