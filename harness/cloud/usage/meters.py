"""Counters of what AWS charges for. The names are those of `harness/measure/costs/price_list.json`."""

from __future__ import annotations

import math
import re
import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from harness.cloud.identify import Request

_REPORT = re.compile(r"REPORT RequestId: \S+\t.*?Billed Duration: (\d+) ms\tMemory Size: (\d+) MB")
_LINE_BYTES = 26
"""What CloudWatch Logs adds to each event: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html"""

_BY_CALL = {"kms": "kms.requests", "secretsmanager": "secretsmanager.requests"}
"""Services that charge the same for every call."""

_S3_FREE = ("Delete", "Abort")
_S3_PUT = ("Put", "Post", "Copy", "List", "Create", "Upload", "Complete", "Restore")
"""S3 charges DELETE and abort nothing, these as PUT, all others as GET: https://aws.amazon.com/s3/pricing/"""

BILLED_CALLS = frozenset({*_BY_CALL, "s3"})


@dataclass(slots=True)
class UsageMeters:
    """Counts since the cloud started. Safe from any thread, and cheap.

    `held` looks up what is stored now, in GB.
    """

    held: Callable[[], dict[str, float]] = dict
    _counts: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, name: str, quantity: float = 1.0) -> None:
        """So much more was used."""
        with self._lock:
            self._counts[name] += quantity

    def called(self, request: Request) -> None:
        """An AWS call passed the gate; an experiment's own calls are no usage of the system."""
        if request.by_experiment:
            return
        if request.service == "s3":
            if not request.operation.startswith(_S3_FREE):
                self.add("s3.put_requests" if request.operation.startswith(_S3_PUT) else "s3.get_requests")
        elif request.service in _BY_CALL:
            self.add(_BY_CALL[request.service])

    def invoked(self, log: str) -> None:
        """A function ran: its REPORT line says what is billed, its lines are what its log group takes."""
        report = _REPORT.search(log)
        if report is not None:
            self.add("lambda.requests")
            self.add("lambda.gb_seconds", int(report[1]) / 1000 * int(report[2]) / 1024)
        self.add("logs.ingested_gb", (len(log.encode()) + _LINE_BYTES * (log.count("\n") + 1)) / 1e9)

    def used(self) -> dict[str, float]:
        """Every meter of what was used, by its name; cheap, whatever is stored."""
        with self._lock:
            return dict(self._counts)

    def shown(self) -> dict[str, float]:
        """Every meter by its name, with what is held now: looks at all that is stored."""
        return {**self.used(), **self.held()}


def units(size_bytes: int, per_bytes: int) -> int:
    """Billing units that so many bytes take, at least one.

    >>> units(0, 1024), units(1024, 1024), units(1025, 1024)
    (1, 1, 2)
    """
    return max(1, math.ceil(size_bytes / per_bytes))
