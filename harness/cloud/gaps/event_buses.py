"""Event buses have the policy that was put."""

from __future__ import annotations

import json
from typing import Any

from harness.cloud.ministack_hooks import before_first_call


def close() -> None:
    """Call it before any service is used."""
    before_first_call("events", _keep_bus_policies)


def _keep_bus_policies() -> None:
    """PutPermission with a whole policy: the bus has it."""
    from ministack.services import eventbridge

    put_permission = eventbridge._put_permission  # noqa: SLF001

    def put_policy(data: dict[str, Any]) -> Any:
        if not data.get("Policy"):
            return put_permission(data)
        eventbridge._event_bus_policies[data.get("EventBusName", "default")] = json.loads(data["Policy"])  # noqa: SLF001
        return eventbridge.json_response({})

    eventbridge._put_permission = put_policy  # noqa: SLF001
