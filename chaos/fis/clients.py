"""boto3 clients of one region, made once: a client costs tens of milliseconds, and an effect is due in a hundred."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

from harness.cloud.identify import EXPERIMENT_APP_ID
from harness.target import Target


@dataclass(slots=True)
class Clients:
    """Clients of the cloud as FIS itself uses them. Safe from any thread."""

    target: Target
    _made: dict[str, Any] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, service: str, region: str = "") -> Any:  # boto3 makes clients at run time
        """The client of a service, in FIS's own region or another."""
        key = f"{service} {region}"
        with self._lock:
            if key not in self._made:
                self._made[key] = self.target.client(
                    service,
                    region=region or None,
                    user_agent_appid=EXPERIMENT_APP_ID,
                    retries={"total_max_attempts": 2},
                    connect_timeout=5,
                    read_timeout=20,
                    max_pool_connections=16,
                )
            return self._made[key]

    def warm(self, *services: str) -> None:
        """Make clients before they are needed."""
        for service in services:
            self.get(service)
