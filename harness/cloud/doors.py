"""The doors through which effects reach the cloud, handed to extra services such as FIS.

A FIS action opens one of these and nothing else: fault rules in the gate, the zone keeper, the replication keeper,
the faults of tasks, or the cloud's own API (`target`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from harness.clock import Clock
from harness.cloud.copies.keeper import ReplicationKeeper
from harness.cloud.evidence import Evidence
from harness.cloud.faults import RuleBook
from harness.cloud.tasks.faults import TaskFaults
from harness.cloud.zones import ZoneKeeper
from harness.target import Target


class Publish(Protocol):
    """Puts an event of an AWS service on the default bus of a region, best effort."""

    def __call__(
        self, *, region: str, source: str, detail_type: str, resources: list[str], detail: dict[str, Any]
    ) -> None:
        """Put it; `detail` is JSON."""
        ...


def publish_nowhere(
    *, region: str, source: str, detail_type: str, resources: list[str], detail: dict[str, Any]
) -> None:
    """Where no bus takes events of AWS's own services (a foreign endpoint)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """What an extra service may use. `target` is the cloud itself as an outside SDK client sees it.

    `capabilities` says what this gate can do; a reverse proxy before a foreign endpoint has no
    `zones` and no `lambda-zones`.
    """

    faults: RuleBook
    zones: ZoneKeeper
    evidence: Evidence
    clock: Clock
    target: Target
    capabilities: frozenset[str]
    replication: ReplicationKeeper
    tasks: TaskFaults
    publish: Publish = publish_nowhere
    iam_enforced: bool = False

    def renew(self, owner: str) -> int:
        """Extend the leases of all that `owner` has in force; returns how many there are."""
        held = self.replication.renew(owner) + self.tasks.renew(owner) + self.zones.links.renew(owner)
        return self.faults.renew(owner) + held

    def heal(self, owner: str = "") -> list[str]:
        """End all that `owner` (or, with '', anybody) has in force; may be repeated. Returns what that was."""
        rules = [report.rule.id for report in self.faults.remove(owner=owner)]
        held = self.replication.resume(owner=owner) + self.tasks.remove(owner=owner)
        return rules + held + list(self.zones.heal(owner=owner))

    def expire(self) -> None:
        """End what nobody renewed."""
        self.faults.expire()
        self.zones.expire()
        self.replication.expire()
        self.tasks.expire()
