"""aws:arc:start-zonal-autoshift: load balancers are kept away from a zone.

Source: https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html#arc-actions-reference
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping
from typing import ClassVar

from botocore.exceptions import ClientError

from chaos.fis.actions.action import DURATION, Action, Parameter, Work
from chaos.fis.actions.values import check_one_of, listed
from chaos.fis.errors import ActionError

_KINDS = ("ASG", "ALB", "NLB", "EKS")


class StartZonalAutoshift(Action):
    """Traffic shifts away from a zone, and back at the end."""

    id: ClassVar = "aws:arc:start-zonal-autoshift"
    description: ClassVar = "Shifts traffic of the target resources away from one zone."
    parameters: ClassVar = {
        "duration": DURATION,
        "availabilityZoneIdentifier": Parameter("The zone's id or name, for example use1-az2."),
        "managedResourceTypes": Parameter("Kinds of resources, comma separated: ASG, ALB, NLB, EKS."),
        "zonalAutoshiftStatus": Parameter("ENABLED, DISABLED or ANY; ANY by default.", required=False),
    }
    targets: ClassVar[Mapping[str, str]] = {"ManagedResources": "aws:arc:zonal-shift-managed-resource"}
    capability: ClassVar[str] = "ecs"
    difference: ClassVar = (
        "shifts Application Load Balancers whose zonal shift is enabled, as a person's shift would; autoshift itself "
        "counts as disabled"
    )

    def check(self, parameters: Mapping[str, str]) -> None:
        """Duration, kinds and status."""
        super().check(parameters)
        for kind in listed(parameters["managedResourceTypes"], "managedResourceTypes"):
            check_one_of(kind, "managedResourceTypes", _KINDS)
        check_one_of(
            parameters.get("zonalAutoshiftStatus", "ANY"), "zonalAutoshiftStatus", ("ENABLED", "DISABLED", "ANY")
        )

    def inject(self, work: Work) -> None:
        """Start a shift for each load balancer.

        Raises:
            ActionError: ARC refuses, as where a shift is in force already.
        """
        if "ALB" not in listed(work.parameters["managedResourceTypes"], "managedResourceTypes"):
            return
        if work.parameters.get("zonalAutoshiftStatus", "ANY") == "ENABLED":
            return  # autoshift is enabled for none
        zone = work.doors.zones.find(work.parameters["availabilityZoneIdentifier"])
        minutes = max(1, math.ceil(work.duration_s / 60))
        for resource in work.resources["ManagedResources"]:
            if resource.arn in work.undo:
                continue
            try:
                shift = work.clients.get("arc-zonal-shift").start_zonal_shift(
                    resourceIdentifier=resource.arn, awayFrom=zone.id, expiresIn=f"{minutes}m", comment=work.owner
                )
            except ClientError as error:
                raise ActionError(str(error), "DependentServiceFailure") from error
            work.undo[resource.arn] = shift["zonalShiftId"]
            work.doors.evidence.add("fault_fired", owner=work.owner, service="arc-zonal-shift", resource=resource.arn)

    def heal(self, work: Work) -> None:
        """Cancel the shifts; what is over or gone needs none."""
        arc = work.clients.get("arc-zonal-shift")
        for arn, shift in list(work.undo.items()):
            with contextlib.suppress(arc.exceptions.ConflictException, arc.exceptions.ResourceNotFoundException):
                arc.cancel_zonal_shift(zonalShiftId=shift)
            del work.undo[arn]
