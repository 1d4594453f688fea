"""aws:ec2:api-insufficient-instance-capacity-error: launches in a zone fail as when the zone is full.

Source: https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html#ec2-actions-reference
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from chaos.fis.actions.action import DURATION, Parameter, RuleAction, Work
from chaos.fis.actions.api_errors import callers
from chaos.fis.actions.values import check_percentage, listed
from harness.cloud.faults import ApiError, Dose, Selector

_ERROR = ApiError(
    code="InsufficientInstanceCapacity",
    status=500,
    message="We currently do not have sufficient capacity in the Availability Zone you requested.",
)


class InsufficientInstanceCapacity(RuleAction):
    """Launches by the target roles in the zones fail."""

    id: ClassVar = "aws:ec2:api-insufficient-instance-capacity-error"
    description: ClassVar = "Returns InsufficientInstanceCapacity to requests made by the target IAM roles."
    parameters: ClassVar = {
        "duration": DURATION,
        "availabilityZoneIdentifiers": Parameter("Zones, comma separated, for example us-east-1a,use1-az2."),
        "percentage": Parameter("The share of calls that fail, 1 to 100."),
    }
    targets: ClassVar[Mapping[str, str]] = {"Roles": "aws:iam:role"}
    capability: ClassVar = "zones"
    difference: ClassVar = (
        "RunInstances (zone or subnet named in the request), StartInstances, CreateCapacityReservation; "
        "not CreateFleet"
    )

    def check(self, parameters: Mapping[str, str]) -> None:
        """Duration, share and zones, which are looked up when the action starts."""
        super().check(parameters)
        check_percentage(parameters["percentage"])
        listed(parameters["availabilityZoneIdentifiers"], "availabilityZoneIdentifiers")

    def inject(self, work: Work) -> None:
        """One rule for each role, operation and place."""
        dose = Dose(probability=check_percentage(work.parameters["percentage"]))
        for role in callers(work):
            for operation, place in _places(work):
                selector = Selector(service="ec2", operation=operation, resource=place, caller_role=role)
                work.put(f"{role}/{operation}/{place}", selector, _ERROR, dose)


def _places(work: Work) -> Iterator[tuple[str, str]]:
    """What names one of the zones in a request, by operation: its name or id, a subnet in it, an instance in it."""
    named = listed(work.parameters["availabilityZoneIdentifiers"], "availabilityZoneIdentifiers")
    zones = [work.doors.zones.find(name) for name in named]
    names = [zone.name for zone in zones]
    ec2, inside = work.clients.get("ec2"), [{"Name": "availability-zone", "Values": names}]
    subnets = [one["SubnetId"] for one in ec2.describe_subnets(Filters=inside)["Subnets"]]
    for place in [*names, *(zone.id for zone in zones), *subnets]:
        yield "RunInstances", place
    for name in names:
        yield "CreateCapacityReservation", name
    for reservation in ec2.describe_instances(Filters=inside)["Reservations"]:
        for instance in reservation["Instances"]:
            yield "StartInstances", instance["InstanceId"]
