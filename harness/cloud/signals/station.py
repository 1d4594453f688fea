"""The signals of one cloud, joined: the store, what fills it, and the keeper of alarms."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from harness.cloud.asgi import Message, Send
from harness.cloud.evidence import Evidence
from harness.cloud.functions.executor import Execute
from harness.cloud.identify import Request
from harness.cloud.pulse import Pulse
from harness.cloud.signals import emulated, flow_emulated, integrations
from harness.cloud.signals.flow_metrics import FlowMetrics
from harness.cloud.signals.keeper import SHORTEST_S, AlarmKeeper
from harness.cloud.signals.series import MetricStore
from harness.cloud.signals.service_metrics import METERED, ServiceMetrics
from harness.cloud.usage import emulated as usage_emulated
from harness.cloud.usage.meters import BILLED_CALLS, UsageMeters


@dataclass(slots=True)
class SignalStation:
    """Built once a server; `start` installs it in the emulator and begins to look and to decide."""

    evidence: Evidence
    pulse: Pulse
    shortest_alarm_s: int = SHORTEST_S
    store: MetricStore = field(default_factory=MetricStore)
    usage: UsageMeters = field(default_factory=UsageMeters)
    metrics: ServiceMetrics = field(init=False)
    flow: FlowMetrics = field(init=False)
    _keeper: AlarmKeeper = field(init=False)

    def __post_init__(self) -> None:
        self.metrics = ServiceMetrics(self.store, emulated.Sight(), self.usage)
        self.flow = FlowMetrics(self.store)
        self._keeper = AlarmKeeper(emulated.Alarms(), self.store, self.evidence, self.shortest_alarm_s)

    def start(self, invoke: Callable[[str, Any], bool]) -> None:
        """Begin; `invoke` runs a function asynchronously by its ARN."""
        flow_emulated.listen(self.flow)
        integrations.install()
        usage_emulated.install(self.usage)  # after the flow: a batch is one request, whatever is in it
        emulated.install(self.store, invoke=invoke)
        self.metrics.start()
        self._keeper.start()

    def stop(self) -> None:
        """End."""
        self.metrics.stop()
        self._keeper.stop()

    def metered_send(self, request: Request, send: Send) -> Send:
        """`send`, with the answer's status and time taken published when the request's service is metered."""
        if request.service not in METERED:
            if request.service in BILLED_CALLS:
                self.usage.called(request)
            return send
        began_s, passage = time.perf_counter(), integrations.begin()

        async def metered(message: Message) -> None:
            if message["type"] == "http.response.start":
                status, taken_s = int(message["status"]), time.perf_counter() - began_s
                self.metrics.answered(request, status, taken_s, passage)
                self.pulse.answered(request.service, status, taken_s)
            await send(message)

        return metered

    def metered_execute(self, execute: Execute) -> Execute:
        """`execute`, with each invocation's metrics published, whatever triggered it."""

        def metered(record: dict[str, Any], event: Any) -> dict[str, Any]:
            scope, function = emulated.scope(), str((record.get("config") or record)["FunctionName"])
            self.metrics.invocation_started(scope, function)
            began_s, failed = time.perf_counter(), True
            try:
                result = execute(record, event)
                failed = bool(result.get("error"))
                if provision := result.pop("provision", None):
                    self.metrics.provisioned(scope, function, provision)
                self.usage.invoked(str(result.get("log") or ""))
                return result
            finally:
                self.metrics.invocation_ended(
                    scope, function, duration_s=time.perf_counter() - began_s, failed=failed
                )

        return metered
