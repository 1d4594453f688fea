"""Provider instances: what `aws.Provider(...)` or the default configuration says, as contexts for handlers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.deploy.engine.clients import Clients
from harness.deploy.engine.values import Value, plain
from harness.deploy.providers.resource import Context
from harness.target import Target

_JSON_KEYS = frozenset({"endpoints", "defaultTags", "ignoreTags", "assumeRoles", "allowedAccountIds"})


@dataclass(slots=True)
class Instances:
    """Makes contexts. The target's endpoint and credentials are forced on every provider, whatever it asks for.

    Half of the larger public programs make explicit providers without endpoints; obeying them would leave the
    emulator for real AWS.
    """

    target: Target
    folder: Path
    clients: Clients

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
            clients=self.clients.client,
            default_tags=dict((tags or {}).get("tags") or {}),
            prior=prior or {},
        )
        if timeout_s is None:
            return context
        from dataclasses import replace

        return replace(context, timeout_s=timeout_s)


def read_configuration(configuration: Mapping[str, Value]) -> dict[str, Any]:
    """Provider inputs as plain values: complex ones arrive as JSON text."""
    settings: dict[str, Any] = plain(dict(configuration))
    for key in _JSON_KEYS & settings.keys():
        if isinstance(settings[key], str):
            settings[key] = json.loads(settings[key])
    return settings
