"""aws:ec2:stop-instances, reboot-instances, terminate-instances, send-spot-instance-interruptions.

Instances of the embedded EC2 are state: no machine runs, but every API shows what became of them. Source:
https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html#ec2-actions-reference
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from chaos.fis.actions.action import Action, Parameter, Parity, Work
from chaos.fis.actions.values import check_boolean, check_duration
from chaos.fis.errors import ActionError
from harness.clock import parse_duration_s

_NO_MACHINE = "instances are API state here: no machine runs in them"


class _InstanceAction(Action):
    targets: ClassVar[Mapping[str, str]] = {"Instances": "aws:ec2:instance"}
    parity: ClassVar[Parity] = "state only"
    difference: ClassVar[str] = _NO_MACHINE

    def heal(self, work: Work) -> None:
        """There is no way back."""


def _ids(work: Work, slot: str = "Instances") -> list[str]:
    return [one.name for one in work.resources[slot]]


def _states(work: Work) -> dict[str, str]:
    reservations = work.clients.get("ec2").describe_instances(InstanceIds=_ids(work))["Reservations"]
    return {one["InstanceId"]: one["State"]["Name"] for found in reservations for one in found["Instances"]}


class StopInstances(_InstanceAction):
    """Stops instances, and starts them again after a while where asked."""

    id: ClassVar = "aws:ec2:stop-instances"
    description: ClassVar = "Stops the target EC2 instances."
    parameters: ClassVar = {
        "startInstancesAfterDuration": Parameter("When they are started again; never by default.", required=False),
        "completeIfInstancesTerminated": Parameter(
            "true to complete when an instance was terminated meanwhile; false by default.", required=False
        ),
    }

    def check(self, parameters: Mapping[str, str]) -> None:
        """The duration and the flag."""
        if "startInstancesAfterDuration" in parameters:
            check_duration(parameters["startInstancesAfterDuration"], "startInstancesAfterDuration")
        check_boolean(parameters.get("completeIfInstancesTerminated", "false"), "completeIfInstancesTerminated")

    def hold_s(self, work: Work) -> float:
        """Until they are started again."""
        return parse_duration_s(work.parameters.get("startInstancesAfterDuration", "PT0S"))

    def inject(self, work: Work) -> None:
        """Stop them."""
        if self.hold_s(work):
            work.undo["start"] = [name for name, state in _states(work).items() if state == "running"]
        work.clients.get("ec2").stop_instances(InstanceIds=_ids(work))

    def look(self, work: Work) -> None:
        """An instance that was terminated meanwhile cannot be started again."""
        gone = sorted(set(work.undo.get("start", ())) - _startable(work))
        if gone and work.parameters.get("completeIfInstancesTerminated", "false").lower() != "true":
            raise ActionError(f"instance {gone[0]} was terminated", "InvalidTarget")

    def heal(self, work: Work) -> None:
        """Start those that ran before and still exist."""
        names = sorted(set(work.undo.pop("start", ())) & _startable(work)) if "start" in work.undo else []
        if names:
            work.clients.get("ec2").start_instances(InstanceIds=names)


def _startable(work: Work) -> set[str]:
    return {name for name, state in _states(work).items() if state not in {"terminated", "shutting-down"}}


class RebootInstances(_InstanceAction):
    """Reboots instances."""

    id: ClassVar = "aws:ec2:reboot-instances"
    description: ClassVar = "Reboots the target EC2 instances."

    def inject(self, work: Work) -> None:
        """Reboot them."""
        work.clients.get("ec2").reboot_instances(InstanceIds=_ids(work))


class TerminateInstances(_InstanceAction):
    """Terminates instances."""

    id: ClassVar = "aws:ec2:terminate-instances"
    description: ClassVar = "Terminates the target EC2 instances."

    def inject(self, work: Work) -> None:
        """Terminate them."""
        work.clients.get("ec2").terminate_instances(InstanceIds=_ids(work))


class SpotInterruptions(_InstanceAction):
    """Takes Spot Instances away after the usual notice."""

    id: ClassVar = "aws:ec2:send-spot-instance-interruptions"
    description: ClassVar = "Interrupts the target Spot Instances."
    parameters: ClassVar = {
        "durationBeforeInterruption": Parameter("How long before the interruption, PT2M to PT15M.")
    }
    targets: ClassVar = {"SpotInstances": "aws:ec2:spot-instance"}
    difference: ClassVar = (
        f"{_NO_MACHINE}, and none is marked as spot, so the target is empty; the warning would be sent at the start"
    )

    def check(self, parameters: Mapping[str, str]) -> None:
        """The time before."""
        check_duration(parameters["durationBeforeInterruption"], "durationBeforeInterruption")

    def hold_s(self, work: Work) -> float:
        """The time between notice and interruption."""
        return parse_duration_s(work.parameters["durationBeforeInterruption"])

    def inject(self, work: Work) -> None:
        """Give notice."""
        for one in work.resources["SpotInstances"]:
            work.doors.publish(
                region=work.doors.target.region,
                source="aws.ec2",
                detail_type="EC2 Spot Instance Interruption Warning",
                resources=[one.arn],
                detail={"instance-id": one.name, "instance-action": "terminate"},
            )

    def look(self, work: Work) -> None:
        """Take them away."""
        work.clients.get("ec2").terminate_instances(InstanceIds=_ids(work, "SpotInstances"))
