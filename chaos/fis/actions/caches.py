"""aws:elasticache:replicationgroup-interrupt-az-power: a group's nodes in one zone lose their power.

Source: https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html#elasticache-actions-reference
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from chaos.fis.actions.action import DURATION, Action, Work
from chaos.fis.errors import ActionError


class InterruptAzPower(Action):
    """The nodes die, a replica takes over, and nothing replaces them until the end."""

    id: ClassVar = "aws:elasticache:replicationgroup-interrupt-az-power"
    description: ClassVar = "Interrupts power to the nodes of the target replication groups in one zone."
    parameters: ClassVar = {"duration": DURATION}
    targets: ClassVar[Mapping[str, str]] = {"ReplicationGroups": "aws:elasticache:replicationgroup"}
    capability: ClassVar = "zones"
    difference: ClassVar = "Valkey and Redis groups run as Valkey processes in zones"

    def inject(self, work: Work) -> None:
        """Cut the power of each group in the zone that its target names."""
        for group in work.resources["ReplicationGroups"]:
            if group.described.get("MultiAZ") != "enabled":
                raise ActionError(f"replication group {group.name} is not Multi-AZ", "InvalidTarget")
            zone = work.doors.zones.find(group.zone)
            work.doors.zones.of_resources.cut(group.arn, zone, owner=work.owner)

    def heal(self, work: Work) -> None:
        """Give the power back; the nodes start empty and follow."""
        for group in work.resources["ReplicationGroups"]:
            work.doors.zones.of_resources.restore(group.arn, work.doors.zones.find(group.zone), owner=work.owner)
