"""One write on its way to a copy, and what is remembered of an item while its writes are under way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from harness.cloud.copies.lags import Store

Apply = Callable[[], None]
"""Carries out one write at its destination."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """What is written, and from where to where: `source` and `destination` are regions of tables, or buckets."""

    store: Store
    """`dynamodb` or `s3`."""
    name: str
    """The table, or the source bucket."""
    key: str
    """The item's key, or the object's."""
    source: str
    destination: str
    source_region: str = ""
    destination_region: str = ""
    account: str = ""
    rule: str = ""
    """The id of the S3 rule, where it asks for metrics."""
    size_bytes: int = 0

    @property
    def item(self) -> tuple[str, str, str]:
        """What all copies of one item or object have in common."""
        return self.store, self.name, self.key


Holds = Callable[[Flow], bool]
"""Says whether a pause holds a write up."""


@dataclass(slots=True, eq=False)
class Write:
    """A flow at one instant. Instants are monotonic seconds; `number` orders all writes by time."""

    flow: Flow
    number: int
    apply: Apply
    written_s: float
    due_s: float
    held_by: str = ""
    """The pause that has counted it."""

    def __lt__(self, other: Write) -> bool:
        return (self.due_s, self.number) < (other.due_s, other.number)


@dataclass(slots=True)
class Item:
    """What is known of one item while writes of it are under way."""

    under_way: int = 0
    last: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Place → number of the write that is there, and where that was written."""
    due_s: dict[str, float] = field(default_factory=dict)
    """Destination → when the latest write to it is due: those of one item do not overtake each other."""


@dataclass(slots=True)
class Pause:
    """Holds up what `holds` says until it ends or its lease is over; `fired` counts the writes."""

    owner: str
    holds: Holds
    expires_s: float
    lease_s: float
    fired: int = 0
