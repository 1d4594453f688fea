"""AWS/ECS: how much of what they reserved the tasks of a service use.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/available-metrics.html
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from harness.cloud.signals.series import MetricId, MetricStore, one
from harness.cloud.tasks.served import used_by
from harness.cloud.tasks.task import Task
from harness.cloud.ticker import Ticker

_CPU_UNITS = 1024


@dataclass(slots=True, kw_only=True)
class UsageMeter:
    """Publishes every `every_s` seconds, from a thread of its own."""

    store: MetricStore
    tasks: Callable[[], Iterable[Task]]
    every_s: float
    _before: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Task ARN → CPU seconds used, at which instant."""
    _ticker: Ticker = field(init=False)

    def __post_init__(self) -> None:
        self._ticker = Ticker("ECS metrics", self.every_s, self._look)

    def start(self) -> None:
        """Begin."""
        self._ticker.start()

    def stop(self) -> None:
        """End."""
        self._ticker.stop()

    def _look(self) -> None:
        before, self._before = self._before, {}
        for task in self.tasks():
            if task.status == "RUNNING":
                self._measure(task, before.get(task.arn))

    def _measure(self, task: Task, before: tuple[float, float] | None) -> None:
        cpu_s, memory_bytes = used_by(task.processes())
        now_s = time.monotonic()
        self._before[task.arn] = (cpu_s, now_s)
        group = str(task.record["group"])
        if before is None or not group.startswith("service:"):
            return
        share = (cpu_s - before[0]) / (now_s - before[1]) / (int(task.record["cpu"]) / _CPU_UNITS)
        memory = memory_bytes / (int(task.record["memory"]) << 20)
        pairs = (("ClusterName", task.arn.split("/")[1]), ("ServiceName", group.removeprefix("service:")))
        for name, value in (("CPUUtilization", share), ("MemoryUtilization", memory)):
            metric = MetricId(*task.scope, "AWS/ECS", name, pairs)
            seen = one(100.0 * max(0.0, value), time.time())
            self.store.publish(metric, seen, unit="Percent", resolution_s=1)
