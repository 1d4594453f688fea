"""aws:network:disrupt-connectivity.

On AWS the subnets get network ACLs that deny traffic; here what runs in them gets no answer from the gate.
Source: https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html#network-actions-reference
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from chaos.fis.actions.action import DURATION, LONGEST_S, Action, Parameter, Work
from chaos.fis.errors import ValidationException
from harness.cloud.faults import Blackhole, Selector

SCOPES = {"all": "", "dynamodb": "dynamodb", "s3": "s3"}
"""Scope → the service whose calls get lost; '' is every service.

`availability-zone`, `vpc`, `prefix-list` and `vpc-endpoint` are about traffic between our own processes.
"""


class DisruptConnectivity(Action):
    """What runs in the subnets no longer reaches AWS."""

    id: ClassVar = "aws:network:disrupt-connectivity"
    description: ClassVar = "Disrupts network connectivity of the target subnets."
    parameters: ClassVar = {
        "duration": DURATION,
        "scope": Parameter(f"What is cut off: {', '.join(SCOPES)}."),
    }
    targets: ClassVar[Mapping[str, str]] = {"Subnets": "aws:ec2:subnet"}
    capability: ClassVar[str] = "lambda-zones"

    def check(self, parameters: Mapping[str, str]) -> None:
        """Duration, and a scope that can be cut off here."""
        super().check(parameters)
        if parameters["scope"] not in SCOPES:
            raise ValidationException(
                f"Scope '{parameters['scope']}' is not supported here; supported: {', '.join(SCOPES)}"
            )

    def inject(self, work: Work) -> None:
        """One rule for each subnet."""
        for arn in work.resources["Subnets"]:
            subnet = arn.rpartition("/")[2]
            selector = Selector(service=SCOPES[work.parameters["scope"]], caller_subnet=subnet)
            work.put(subnet, selector, Blackhole(hold_s=min(work.duration_s, LONGEST_S)))

    def heal(self, work: Work) -> None:
        """End the rules; held calls are let go."""
        work.remove_rules()
