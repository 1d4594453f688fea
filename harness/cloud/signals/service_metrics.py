"""What AWS's services publish about themselves, under AWS's names, units and dimensions.

Lambda: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
SQS: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
API Gateway: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html
DynamoDB: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal, Protocol

from harness.cloud.functions.invocation import Provision
from harness.cloud.identify import Request
from harness.cloud.settings import GAUGES_EVERY_S
from harness.cloud.signals.integrations import Passage
from harness.cloud.signals.series import MetricId, MetricStore
from harness.cloud.ticker import Ticker
from harness.cloud.usage.meters import UsageMeters

METERED = frozenset({"execute-api", "dynamodb"})
"""The services whose calls are metered at the gate."""

MEASURED = frozenset({"dynamodb"})
"""Those of them whose metrics name what the call is about."""

Scope = tuple[str, str]  # account id and region


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """An API Gateway API: HTTP APIs are told by id, REST APIs by name."""

    scope: Scope
    kind: Literal["HTTP", "REST"]
    identity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueDepth:
    """One queue at one instant. `oldest_s` is the age of its oldest message, 0 when it is empty."""

    scope: Scope
    name: str
    visible: int
    in_flight: int
    delayed: int
    oldest_s: float


class Sight(Protocol):
    """What has to be looked up in the emulator."""

    def api(self, api_id: str) -> Api | None:
        """The API with this id, wherever it is."""
        ...

    def queues(self) -> Iterable[QueueDepth]:
        """Every queue of every account and region."""
        ...


@dataclass(slots=True)
class ServiceMetrics:
    """Publishes into `store`. Safe from any thread."""

    store: MetricStore
    sight: Sight
    usage: UsageMeters
    every_s: float = GAUGES_EVERY_S
    gauges: list[Callable[[], None]] = field(default_factory=list)
    """What else is looked at now and then."""
    _running: dict[tuple[Scope, str], int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _ticker: Ticker = field(init=False)

    def __post_init__(self) -> None:
        self._ticker = Ticker("service metrics", self.every_s, self._look)

    def start(self) -> None:
        """Look at the queues now and then, until `stop`."""
        self._ticker.start()

    def stop(self) -> None:
        """End."""
        self._ticker.stop()

    # -- Lambda ----------------------------------------------------------------------------------------------

    def invocation_started(self, scope: Scope, function: str) -> None:
        """An invocation has a concurrency slot: one more at once."""
        with self._lock:
            running = self._running[scope, function] = self._running.get((scope, function), 0) + 1
            total = sum(count for (where, _), count in self._running.items() if where == scope)
        now_s = time.time()
        self._put(scope, "AWS/Lambda", "ConcurrentExecutions", running, now_s, FunctionName=function)
        self._put(scope, "AWS/Lambda", "ConcurrentExecutions", total, now_s)

    def invocation_ended(self, scope: Scope, function: str, *, duration_s: float, failed: bool) -> None:
        """It ended. Its metrics carry the instant it was invoked, as on AWS."""
        with self._lock:
            self._running[scope, function] -= 1
        invoked_s = time.time() - duration_s
        for dimensions in ({"FunctionName": function}, {}):
            self._put(scope, "AWS/Lambda", "Invocations", 1, invoked_s, **dimensions)
            self._put(scope, "AWS/Lambda", "Errors", int(failed), invoked_s, **dimensions)
            self._put(scope, "AWS/Lambda", "Throttles", 0, invoked_s, **dimensions)
            self._put(
                scope, "AWS/Lambda", "Duration", duration_s * 1000, invoked_s, unit="Milliseconds", **dimensions
            )

    def provisioned(self, scope: Scope, function: str, provision: Provision) -> None:
        """An invocation of a version with provisioned concurrency ended, in one of its environments or spilled over.

        https://docs.aws.amazon.com/lambda/latest/dg/monitoring-concurrency.html
        """
        name = "SpilloverInvocations" if provision.spilled else "Invocations"
        used = provision.busy / provision.allotted if provision.allotted else 1.0
        for suffix, value in ((name, 1), ("Utilization", min(1.0, used))):
            metric = f"ProvisionedConcurrency{suffix}"
            self._put(scope, "AWS/Lambda", metric, value, time.time(), FunctionName=function)
        busy = provision.busy
        self._put(scope, "AWS/Lambda", "ProvisionedConcurrentExecutions", busy, time.time(), FunctionName=function)

    def throttled(self, scope: Scope, function: str) -> None:
        """An invocation got no slot. It counts as a throttle, neither as an invocation nor as an error."""
        for dimensions in ({"FunctionName": function}, {}):
            self._put(scope, "AWS/Lambda", "Throttles", 1, time.time(), **dimensions)

    # -- calls at the gate -----------------------------------------------------------------------------------

    def answered(self, request: Request, status: int, duration_s: float, passage: Passage) -> None:
        """One call of a metered service was answered; `passage` is what became of one to an API."""
        if request.service == "execute-api":
            self._api_answered(request.resource, status, duration_s * 1000, passage)
        elif request.service == "dynamodb":
            self._table_answered(request, status, duration_s * 1000)

    def _api_answered(self, api_id: str, status: int, latency_ms: float, passage: Passage) -> None:
        api = self.sight.api(api_id)
        if api is None:
            return
        http = api.kind == "HTTP"
        self.usage.add("apigateway.http_requests" if http else "apigateway.rest_requests")
        whole, now_s = {"ApiId" if http else "ApiName": api.identity}, time.time()
        samples: list[tuple[str, float, str]] = [
            ("Count", 1, "Count"),
            ("4xx" if http else "4XXError", int(400 <= status < 500), "Count"),
            ("5xx" if http else "5XXError", int(status >= 500), "Count"),
            ("Latency", latency_ms, "Milliseconds"),
        ]
        if passage.integration_s is not None:
            samples.append(("IntegrationLatency", passage.integration_s * 1000, "Milliseconds"))
        for dimensions in (whole, {**whole, "Stage": passage.stage}) if passage.stage else (whole,):
            for name, value, unit in samples:
                self._put(api.scope, "AWS/ApiGateway", name, value, now_s, unit=unit, **dimensions)

    def _table_answered(self, request: Request, status: int, latency_ms: float) -> None:
        table = request.resource.rpartition("/")[2] or request.resource
        if not table:
            return
        dimensions = (("Operation", request.operation), ("TableName", table))
        if status < 400:
            latency = MetricId(
                request.account, request.region, "AWS/DynamoDB", "SuccessfulRequestLatency", dimensions
            )
            self.store.value_soon(latency, latency_ms, time.time(), unit="Milliseconds")
        elif status >= 500:
            errors = MetricId(request.account, request.region, "AWS/DynamoDB", "SystemErrors", dimensions)
            self.store.value(errors, 1, time.time(), unit="Count")

    # -- SQS -------------------------------------------------------------------------------------------------

    def look_at_queues(self) -> None:
        """Publish how full every queue is."""
        now_s = time.time()
        for queue in self.sight.queues():
            for name, value, unit in (
                ("ApproximateNumberOfMessagesVisible", queue.visible, "Count"),
                ("ApproximateNumberOfMessagesNotVisible", queue.in_flight, "Count"),
                ("ApproximateNumberOfMessagesDelayed", queue.delayed, "Count"),
                ("ApproximateAgeOfOldestMessage", queue.oldest_s, "Seconds"),
            ):
                self._put(queue.scope, "AWS/SQS", name, value, now_s, unit=unit, QueueName=queue.name)

    def _look(self) -> None:
        for look in (self.look_at_queues, *self.gauges):
            try:
                look()
            except Exception:
                logging.getLogger(__name__).exception("gauges")

    def _put(  # noqa: PLR0917 - where, what, how much, when: read at every call
        self,
        scope: Scope,
        namespace: str,
        name: str,
        value: float,
        at_s: float,
        /,
        unit: str = "Count",
        **dimensions: str,
    ) -> None:
        metric = MetricId(*scope, namespace, name, tuple(sorted(dimensions.items())))
        self.store.value_soon(metric, float(value), at_s, unit=unit)
