"""The requests that web ACLs have seen lately, as GetSampledRequests tells them.

https://docs.aws.amazon.com/waf/latest/APIReference/API_GetSampledRequests.html
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.cloud.waf.statements import WebRequest

MOST = 500
"""Kept for each rule, and the most that can be asked for."""


@dataclass(slots=True)
class Samples:
    """By web ACL (its ARN) and the metric name of a rule, the newest last. Safe from any thread."""

    _seen: dict[tuple[str, str], deque[dict[str, Any]]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, acl: str, metric: str, request: WebRequest, action: str, at_s: float) -> None:
        """A request met a rule; `action` as AWS spells it in samples: ALLOW, BLOCK, COUNT."""
        said = {
            "Request": {
                "ClientIP": request.ip,
                "Country": request.headers.get("cloudfront-viewer-country", "-"),
                "URI": request.path,
                "Method": request.method,
                "HTTPVersion": "HTTP/1.1",
                "Headers": [{"Name": name, "Value": value} for name, value in request.headers.items()],
            },
            "Weight": 1,
            "Timestamp": at_s,
            "Action": action,
            "Labels": [{"Name": label} for label in sorted(request.labels)],
        }
        with self._lock:
            self._seen.setdefault((acl, metric), deque(maxlen=MOST)).append(said)

    def answer(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """What GetSampledRequests answers."""
        window = asked.get("TimeWindow") or {}
        start_s, end_s = float(window.get("StartTime") or 0.0), float(window.get("EndTime") or 0.0)
        with self._lock:
            seen = list(self._seen.get((str(asked.get("WebAclArn")), str(asked.get("RuleMetricName"))), ()))
        within = [one for one in seen if start_s <= one["Timestamp"] <= end_s]
        most = min(MOST, int(asked.get("MaxItems") or MOST))
        shown = within[-most:] if most else []
        return {
            "SampledRequests": shown,
            "PopulationSize": len(within),
            "TimeWindow": {"StartTime": start_s, "EndTime": end_s},
        }

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._seen.clear()
