"""The seam into ministack's buses: every event that a bus is given is shown to discovery."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from harness.cloud.doors import Publish
from harness.cloud.schemas.discovery import OWN, Discovery
from harness.cloud.schemas.registry import Registries, Schema, Version, Where
from harness.cloud.signals.emulated import in_scope, scope

Record = dict[str, Any]  # ministack's record of an event


def install(publish: Publish) -> Discovery:
    """Watch the buses. Call it before the emulator serves; `publish` puts the service's own events on a bus."""
    from ministack.services import eventbridge

    discovery = Discovery(Registries(lambda where, schema, made: _tell(publish, where, schema, made)))
    eventbridge._dispatch_event = _watched(eventbridge._dispatch_event, discovery)  # noqa: SLF001 - the seam
    return discovery


def bus_exists(where: Where, arn: str) -> bool:
    """Whether there is such a bus."""
    from ministack.services import eventbridge

    with in_scope(*where):
        eventbridge._ensure_default_bus()  # noqa: SLF001
        return arn.rpartition("/")[2] in eventbridge._event_buses  # noqa: SLF001


def _watched(builtin: Callable[..., None], discovery: Discovery) -> Callable[..., None]:
    def dispatch(event: Record, view: Any = None) -> None:
        from ministack.services import eventbridge

        bus = str(event.get("EventBusName", "default"))
        if discovery.watches(scope(), bus) and event.get("ReplayName") is None:
            view = view or eventbridge._pattern_event_view(event)  # noqa: SLF001
            discovery.learn(scope(), bus, view.event_with_detail())
        builtin(event, view)

    return dispatch


def _tell(publish: Publish, where: Where, schema: Schema, made: Version) -> None:
    """`Schema Created` and `Schema Version Created` on the default bus.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/event-reference.html
    """
    detail = {
        "SchemaName": schema.name,
        "SchemaType": schema.type,
        "RegistryName": schema.registry,
        "CreationDate": datetime.fromtimestamp(made.created_s, UTC).isoformat(timespec="seconds"),
        "Version": str(made.number),
    }
    kinds = ["Schema Created"] if made.number == 1 else []
    with in_scope(*where):
        for kind in [*kinds, "Schema Version Created"]:
            publish(region=where[1], source=OWN, detail_type=kind, resources=[schema.arn], detail=detail)
