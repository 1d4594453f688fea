"""Provider instances: what `aws.Provider(...)` or the default configuration says, as contexts for handlers."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.deploy.engine.values import Value, plain
from harness.deploy.providers.resource import Context
from harness.target import Target

CHANGED: ContextVar[list[str] | None] = ContextVar("CHANGED", default=None)
"""The operations that changed something, in the order of their success; None where nobody asks."""

_READS = ("Get", "List", "Describe", "Head", "Query", "Scan", "BatchGet", "Lookup", "Search")
_JSON_KEYS = frozenset({"endpoints", "defaultTags", "ignoreTags", "assumeRoles", "allowedAccountIds"})


@dataclass(slots=True)
class Instances:
    """Makes contexts. The target's endpoint and credentials are forced on every provider, whatever it asks for.

    Half of the larger public programs make explicit providers without endpoints; obeying them would leave the
    emulator for real AWS.
    """

    target: Target
    folder: Path
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)  # boto3 clients
    _preparing: set[tuple[str, str]] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _making: threading.Lock = field(default_factory=threading.Lock)

    def context(
        self,
        configuration: Mapping[str, Value],
        *,
        urn: str,
        timeout_s: float | None = None,
        prior: Mapping[str, Any] | None = None,
    ) -> Context:
        """The context of one operation under the provider configured so; `prior` is the resource's last state."""
        settings = read_configuration(configuration)
        tags = settings.get("defaultTags") or {}
        tags = tags[0] if isinstance(tags, list) and tags else tags
        region = str(settings.get("region") or self.target.region)
        context = Context(
            target=self.target,
            region=region,
            account_id=self.target.account_id,
            urn=urn,
            name=urn.split("::", 3)[3],
            folder=self.folder,
            clients=self.client,
            default_tags=dict((tags or {}).get("tags") or {}),
            prior=prior or {},
        )
        if timeout_s is None:
            return context
        from dataclasses import replace

        return replace(context, timeout_s=timeout_s)

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


def read_configuration(configuration: Mapping[str, Value]) -> dict[str, Any]:
    """Provider inputs as plain values: complex ones arrive as JSON text."""
    settings: dict[str, Any] = plain(dict(configuration))
    for key in _JSON_KEYS & settings.keys():
        if isinstance(settings[key], str):
            settings[key] = json.loads(settings[key])
    return settings
