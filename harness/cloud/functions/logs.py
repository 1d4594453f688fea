"""The platform's lines around a handler's own output, with measured numbers.

Format: https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html and monitoring-cloudwatchlogs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from harness.cloud.traces.header import TraceHeader


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What one invocation took. Durations in seconds; `init_s` only for the first of an environment."""

    duration_s: float
    memory_mb: int
    peak_bytes: int
    init_s: float | None = None

    @property
    def billed_ms(self) -> int:
        """Rounded up to the millisecond; since August 2025 the init phase is billed too."""
        return max(1, math.ceil((self.duration_s + (self.init_s or 0.0)) * 1000))


def init_line(runtime: str, arn: str) -> str:
    """The first line of an environment's log."""
    return f"INIT_START Runtime Version: {runtime}.blackstart\tRuntime Version ARN: {arn}"


def start_line(request_id: str, version: str) -> str:
    """Opens an invocation."""
    return f"START RequestId: {request_id} Version: {version}"


def end_line(request_id: str) -> str:
    """Closes an invocation."""
    return f"END RequestId: {request_id}"


def report_line(request_id: str, usage: Usage, *, status: str = "", trace: TraceHeader | None = None) -> str:
    """The figures of an invocation; `status` is `timeout` or `error` where the platform ended it.

    A sampled invocation names its `trace`, and its function's segment.
    """
    fields = [
        f"REPORT RequestId: {request_id}",
        f"Duration: {usage.duration_s * 1000:.2f} ms",
        f"Billed Duration: {usage.billed_ms} ms",
        f"Memory Size: {usage.memory_mb} MB",
        f"Max Memory Used: {math.ceil(usage.peak_bytes / (1 << 20))} MB",
    ]
    if usage.init_s is not None:
        fields.append(f"Init Duration: {usage.init_s * 1000:.2f} ms")
    if status:
        fields.append(f"Status: {status}")
    if trace is not None and trace.sampled:
        fields.append(f"\nXRAY TraceId: {trace.root}\tSegmentId: {trace.parent}\tSampled: true")
    return "\t".join(fields)
