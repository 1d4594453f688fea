"""blackstart:az:interrupt-power: a zone loses its power. Ours; embedded cloud only.

On AWS "AZ Availability: Power Interruption" is a scenario of many actions, none of which reaches Lambda: there
is no FIS action that takes the execution environments of a zone away. Here that is what happens.
"""

from __future__ import annotations

from typing import ClassVar

from chaos.fis.actions.action import DURATION, Action, Parameter, Work
from harness.errors import BlackstartError


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
