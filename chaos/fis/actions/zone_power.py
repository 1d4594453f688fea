"""blackstart:az:interrupt-power and blackstart:region:interrupt-power. Ours; embedded cloud only.

On AWS "AZ Availability: Power Interruption" is a scenario of many actions, none of which reaches Lambda: there
is no FIS action that takes the execution environments of a zone away, and none that takes a region. Here that is what
happens. A region without power answers nobody; of its copies in other regions, what was under way is not there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from chaos.fis.actions.action import DURATION, Action, Parameter, Work
from chaos.fis.actions.values import region_name
from chaos.fis.errors import ActionError
from harness.errors import BlackstartError

_ON_THE_WIRE_S = 0.05
"""From the last answer that leaves a region to the first process that dies in it.

Answers on their way are read by then, so that nothing counts as acknowledged by a region that was lost before. An RTO
comes out that much too short at most.
"""


class InterruptPower(Action):
    """Every process in the zone dies at once; the power comes back with the end of the action."""

    id: ClassVar = "blackstart:az:interrupt-power"
    description: ClassVar = "Interrupts the power of an availability zone (embedded cloud only)."
    parameters: ClassVar = {
        "duration": DURATION,
        "availabilityZoneIdentifier": Parameter("The zone's id or name, for example use1-az2."),
    }
    capability: ClassVar[str] = "zones"
    difference: ClassVar = "does not exist on AWS"

    def inject(self, work: Work) -> None:
        """Cut the power; everything that lives in the zone dies."""
        zone = work.doors.zones.find(work.parameters["availabilityZoneIdentifier"])
        work.doors.zones.cut_power(zone, owner=work.owner)

    def heal(self, work: Work) -> None:
        """Give the power back."""
        try:
            zone = work.doors.zones.find(work.parameters["availabilityZoneIdentifier"])
        except BlackstartError:
            return  # there is no such zone, so nothing was cut
        work.doors.zones.restore_power(zone, owner=work.owner)


class InterruptRegionPower(Action):
    """All zones of a region go dark together, and with them every service of the region."""

    id: ClassVar = "blackstart:region:interrupt-power"
    description: ClassVar = "Interrupts the power of all zones of a Region (embedded cloud only)."
    parameters: ClassVar = {
        "duration": DURATION,
        "region": Parameter("The Region; start the experiment in another one, as nothing answers in this one."),
    }
    capability: ClassVar[str] = "zones"
    difference: ClassVar = "does not exist on AWS"

    def check(self, parameters: Mapping[str, str]) -> None:
        """Duration and a region."""
        super().check(parameters)
        region_name(parameters["region"])

    def inject(self, work: Work) -> None:
        """Cut the power of every zone."""
        zones = work.doors.zones.in_region(work.parameters["region"])
        if not zones:
            raise ActionError(f"there is no Region {work.parameters['region']} here", "InvalidTarget")
        work.doors.zones.cut_together(zones, owner=work.owner, wire_s=_ON_THE_WIRE_S)

    def heal(self, work: Work) -> None:
        """Give the power back."""
        for zone in work.doors.zones.in_region(work.parameters["region"]):
            work.doors.zones.restore_power(zone, owner=work.owner)
