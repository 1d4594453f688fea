"""The boto3 clients of a deployment: one for each service and region, told what they changed on AWS."""

from __future__ import annotations

import threading
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from harness.target import Target

CHANGED: ContextVar[list[str] | None] = ContextVar("CHANGED", default=None)
"""The operations that changed something, in the order of their success; None where nobody asks."""

_READS = ("Get", "List", "Describe", "Head", "Query", "Scan", "BatchGet", "Lookup", "Search")


@dataclass(slots=True)
class Clients:
    """Makes clients when they are first asked for, and keeps them. Safe from any thread."""

    target: Target
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)  # boto3 clients
    _preparing: set[tuple[str, str]] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _making: threading.Lock = field(default_factory=threading.Lock)

    def prepare(self, service: str, region: str) -> None:
        """Make a client in the background: a preview that goes before a deployment knows what will be needed."""
        with self._lock:
            wanted = (service, region) not in self._clients and (service, region) not in self._preparing
            self._preparing.add((service, region))
        if wanted:
            threading.Thread(target=self.client, args=(service, region), daemon=True, name="prepare").start()

    def client(self, service: str, region: str) -> Any:  # boto3 makes clients at run time
        """One client for each service and region; making one costs tens of milliseconds."""
        key = (service, region)
        if key in self._clients:
            return self._clients[key]
        with self._making:
            if key not in self._clients:
                client = self.target.client(
                    service,
                    region=region,
                    retries={"max_attempts": 5, "mode": "standard"},
                    max_pool_connections=32,
                )
                client.meta.events.register("after-call", _note_change)
                self._clients[key] = client
            return self._clients[key]


def _note_change(http_response: Any, model: Any, **_event: Any) -> None:  # botocore's event arguments
    done = CHANGED.get()
    if done is not None and http_response.status_code < 300 and not model.name.startswith(_READS):
        done.append(model.name)
