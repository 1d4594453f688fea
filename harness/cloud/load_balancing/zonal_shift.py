"""Zonal shifts in force: which load balancer is kept away from which zone, until when.

Source: https://docs.aws.amazon.com/r53recovery/latest/dg/arc-zonal-shift.html
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

Status = Literal["ACTIVE", "EXPIRED", "CANCELED"]
Kind = Literal["ZONAL_SHIFT", "FIS_EXPERIMENT"]


class Shifted(Protocol):
    """A resource that can be kept away from a zone."""

    arn: str

    @property
    def zone_ids(self) -> tuple[str, ...]:
        """Where it is."""
        ...

    @property
    def can_be_shifted(self) -> bool:
        """Whether its owner allows it."""
        ...

    def shift_away(self, zones: frozenset[str]) -> None:
        """Keep away from these zones and no others."""
        ...


class Shiftable(Protocol):
    """Where such resources are."""

    def find(self, arn: str) -> Shifted | None:
        """One by its ARN."""
        ...

    def every(self) -> Sequence[Shifted]:
        """All of them."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """One shift. Instants are seconds of the wall clock."""

    id: str
    resource: str
    away_from: str
    started_s: float
    expires_s: float
    comment: str = ""
    status: Status = "ACTIVE"
    kind: Kind = "ZONAL_SHIFT"


@dataclass(slots=True)
class ZonalShifts:
    """The shifts of one cloud; each operation may come from any thread."""

    resources: Shiftable
    shifts: dict[str, Shift] = field(default_factory=dict)

    def start(
        self, resource: Shifted, zone: str, lasts_s: float, *, comment: str, kind: Kind = "ZONAL_SHIFT"
    ) -> Shift:
        """Keep a resource away from a zone."""
        now_s = time.time()
        made = Shift(
            id=str(uuid.uuid4()),
            resource=resource.arn,
            away_from=zone,
            started_s=now_s,
            expires_s=now_s + lasts_s,
            comment=comment,
            kind=kind,
        )
        self.shifts[made.id] = made
        self._apply(resource.arn)
        return made

    def change(self, shift: Shift, *, comment: str = "", lasts_s: float = 0.0) -> Shift:
        """Let a shift last longer or shorter from now on, or say something else."""
        changed = replace(
            shift,
            comment=comment or shift.comment,
            expires_s=time.time() + lasts_s if lasts_s else shift.expires_s,
        )
        self.shifts[shift.id] = changed
        return changed

    def end(self, shift: Shift, status: Status = "CANCELED") -> Shift:
        """End a shift; may be repeated."""
        ended = self.shifts[shift.id] = replace(shift, status=status)
        self._apply(shift.resource)
        return ended

    def expire(self) -> None:
        """End what is over."""
        now_s = time.time()
        for shift in [one for one in list(self.shifts.values()) if one.status == "ACTIVE" and one.expires_s <= now_s]:
            self.end(shift, "EXPIRED")

    def active(self, resource: str) -> list[Shift]:
        """The shifts of a resource that are in force."""
        return [one for one in list(self.shifts.values()) if one.resource == resource and one.status == "ACTIVE"]

    def _apply(self, arn: str) -> None:
        found = self.resources.find(arn)
        if found is not None:
            found.shift_away(frozenset(shift.away_from for shift in self.active(arn)))
