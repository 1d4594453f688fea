"""Discoverers: each watches one bus and learns the schema of every kind of event that passes.

On AWS a schema appears some minutes after its event; here it is there when PutEvents has answered. What one kind of
event was seen with is merged, so that two shapes that take turns make one version and not one each.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.cloud.schemas.inference import merged, openapi_of_event, shape_of, titled
from harness.cloud.schemas.registry import DISCOVERED, RefusedError, Registries, Where

OWN = "aws.schemas"
"""The source of the events that tell of a new schema; they are not discovered in their turn."""


@dataclass(slots=True, kw_only=True)
class Discoverer:
    """One discoverer. `bus` is the ARN of the bus it watches."""

    id: str
    arn: str
    bus: str
    description: str = ""
    started: bool = True
    cross_account: bool = True


@dataclass(slots=True)
class Discovery:
    """Every discoverer of one cloud. Safe from any thread."""

    registries: Registries
    _known: dict[Where, dict[str, Discoverer]] = field(default_factory=dict)

    def clear(self) -> None:
        """Forget every discoverer."""
        self._known.clear()

    def every(self, where: Where) -> list[Discoverer]:
        """The discoverers of an account and region."""
        return list(self._known.get(where, {}).values())

    def get(self, where: Where, identity: str) -> Discoverer:
        """One discoverer.

        Raises:
            RefusedError: there is none.
        """
        found = self._known.get(where, {}).get(identity)
        if found is None:
            raise RefusedError("NotFoundException", f"Discoverer with id {identity} does not exist.")
        return found

    def create(self, where: Where, bus: str, description: str, *, cross_account: bool) -> Discoverer:
        """Begin to watch a bus.

        Raises:
            RefusedError: it is watched, or it is no bus of this account and region.
        """
        account, region = where
        prefix = f"arn:aws:events:{region}:{account}:event-bus/"
        if not bus.startswith(prefix):
            raise RefusedError("BadRequestException", f"SourceArn {bus!r} is no event bus here: {prefix}NAME")
        identity = f"events-event-bus-{bus.removeprefix(prefix)}"
        with self.registries.lock:
            known = self._known.setdefault(where, {})
            if identity in known:
                raise RefusedError("ConflictException", f"A discoverer for {bus} already exists.")
            arn = f"arn:aws:schemas:{region}:{account}:discoverer/{identity}"
            known[identity] = Discoverer(
                id=identity, arn=arn, bus=bus, description=description, cross_account=cross_account
            )
            return known[identity]

    def delete(self, where: Where, identity: str) -> None:
        """Watch no longer; what was learned stays."""
        self.registries.tags.pop(self.get(where, identity).arn, None)
        del self._known[where][identity]

    def watches(self, where: Where, bus: str) -> bool:
        """Whether an event on the bus of this name has to be shown to `learn`."""
        known = self._known.get(where, {})
        return any(one.started and one.bus.endswith(f"/{bus}") for one in known.values())

    def learn(self, where: Where, bus: str, event: Mapping[str, Any]) -> None:
        """Learn from one event as a target would get it, when its bus is watched."""
        watching = [one for one in self.every(where) if one.started and one.bus.endswith(f":event-bus/{bus}")]
        foreign = event.get("account") != where[0]
        if event["source"] == OWN or not any(one.cross_account or not foreign for one in watching):
            return
        try:
            self._learn(where, str(event["source"]), str(event["detail-type"]), event["detail"])
        except RefusedError:
            logging.getLogger(__name__).exception("an event of %s was not learned", event["source"])

    def _learn(self, where: Where, source: str, detail_type: str, detail: Any) -> None:
        registries, name = self.registries, f"{source}@{titled(detail_type)}"
        with registries.lock:
            if DISCOVERED not in {one.name for one in registries.every(where)}:
                registries.create(where, DISCOVERED, "Schemas that were discovered on event buses")
            known = registries.get(where, DISCOVERED).schemas
            schema = known.get(name) or registries.new_schema(where, DISCOVERED, name, "OpenApi3")
            shape = merged(schema.learned or {}, shape_of(detail))
            if schema.learned == shape and schema.versions:
                return
            schema.learned = shape
            schema.description = f"Schema for event type {titled(detail_type)}, published by source {source}"
            content = json.dumps(openapi_of_event(source, detail_type, shape), separators=(",", ":"))
            registries.put(where, schema, content)
