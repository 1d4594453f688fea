"""One resource that a target may be, as a finder tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A resource: its ARN, tags, what its describe call says (for filters, in PascalCase), and its zone's id."""

    arn: str
    tags: Mapping[str, str] = field(default_factory=dict)
    described: Mapping[str, Any] = field(default_factory=dict)
    zone: str = ""
    zones: tuple[str, ...] = ()
    """Where it has parts, when it has several."""

    @property
    def name(self) -> str:
        """The last part of the ARN: an id or a name."""
        return self.arn.rpartition("/")[2].rpartition(":")[2]
