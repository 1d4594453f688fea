"""Actions on what the embedded cloud has as API state only: they resolve, run and end, and nothing can feel them.

aws:ebs:pause-volume-io, aws:ebs:volume-io-latency, aws:ec2:asg-insufficient-instance-capacity-error. Source:
https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from chaos.fis.actions.action import DURATION, Action, Parameter, Parity, Work
from chaos.fis.actions.values import check_percentage, check_whole, listed, refuse


class _StateAction(Action):
    parity: ClassVar[Parity] = "state only"

    def inject(self, work: Work) -> None:
        """Note what would be hit."""
        for resources in work.resources.values():
            for one in resources:
                work.doors.evidence.add("state_only", owner=work.owner, action=work.name, resource=one.arn)

    def heal(self, work: Work) -> None:
        """Nothing is in force."""


class PauseVolumeIo(_StateAction):
    """Volumes stop answering."""

    id: ClassVar = "aws:ebs:pause-volume-io"
    description: ClassVar = "Pauses I/O of the target EBS volumes."
    parameters: ClassVar = {"duration": DURATION}
    targets: ClassVar = {"Volumes": "aws:ec2:ebs-volume"}
    difference: ClassVar = "volumes hold no data here: no I/O that could be paused"


class VolumeIoLatency(_StateAction):
    """Volumes answer late."""

    id: ClassVar = "aws:ebs:volume-io-latency"
    description: ClassVar = "Injects latency into I/O of the target EBS volumes."
    parameters: ClassVar = {
        "duration": DURATION,
        "readIOPercentage": Parameter("The share of reads, 0.1 to 100; 100 by default.", required=False),
        "readIOLatencyMilliseconds": Parameter("The latency of reads, 1 to 60000; 100 by default.", required=False),
        "writeIOPercentage": Parameter("The share of writes, 0.1 to 100; 100 by default.", required=False),
        "writeIOLatencyMilliseconds": Parameter(
            "The latency of writes, 10 to 60000; 100 by default.", required=False
        ),
    }
    targets: ClassVar = {"Volumes": "aws:ec2:ebs-volume"}
    difference: ClassVar = "volumes hold no data here: no I/O that could be slow"

    def check(self, parameters: Mapping[str, str]) -> None:
        """Duration, shares and latencies."""
        super().check(parameters)
        for kind, least in (("read", 1), ("write", 10)):
            check_whole(
                parameters.get(f"{kind}IOLatencyMilliseconds", "100"), f"{kind}IOLatencyMilliseconds", least, 60000
            )
            _check_share(parameters.get(f"{kind}IOPercentage", "100"), f"{kind}IOPercentage")


def _check_share(text: str, name: str) -> None:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0.1 <= share <= 100:
        raise refuse(name, text, "a percentage from 0.1 to 100")


class GroupInsufficientCapacity(_StateAction):
    """Launches of Auto Scaling groups fail."""

    id: ClassVar = "aws:ec2:asg-insufficient-instance-capacity-error"
    description: ClassVar = "Returns InsufficientInstanceCapacity to launches of the target Auto Scaling groups."
    parameters: ClassVar = {
        "duration": DURATION,
        "availabilityZoneIdentifiers": Parameter("Zones, comma separated."),
        "percentage": Parameter("The share of launches that fail, 1 to 100; 100 by default.", required=False),
    }
    targets: ClassVar = {"AutoScalingGroups": "aws:ec2:autoscaling-group"}
    difference: ClassVar = "groups launch no machines here: no launch that could fail"

    def check(self, parameters: Mapping[str, str]) -> None:
        """Duration, zones and share."""
        super().check(parameters)
        listed(parameters["availabilityZoneIdentifiers"], "availabilityZoneIdentifiers")
        check_percentage(parameters.get("percentage", "100"))
