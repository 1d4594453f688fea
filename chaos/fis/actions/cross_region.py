"""Cross-Region disruption: aws:network:route-table-… and transit-gateway-disrupt-cross-region-connectivity.

On AWS routes to the other Region's ranges are blocked; here calls from the subnets to services there get lost.
Source: https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html#network-actions-reference
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from chaos.fis.actions.action import DURATION, Parameter, Parity, RuleAction, Work
from chaos.fis.actions.values import region_name
from harness.cloud.faults import Blackhole, Selector
from harness.cloud.links import LinkFault


class _CrossRegionAction(RuleAction):
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "duration": DURATION,
        "region": Parameter("The Region that is no longer reached."),
    }
    capability: ClassVar[str] = "lambda-zones"

    def subnets(self, work: Work) -> Iterable[str]:
        """The ids of the subnets whose traffic is cut."""
        raise NotImplementedError

    def check(self, parameters: Mapping[str, str]) -> None:
        """Duration and a region."""
        super().check(parameters)
        region_name(parameters["region"])

    def inject(self, work: Work) -> None:
        """A rule for each subnet."""
        for subnet in self.subnets(work):
            selector = Selector(region=work.parameters["region"], caller_subnet=subnet)
            work.put(subnet, selector, Blackhole(hold_s=work.duration_s))
            far = work.parameters["region"]
            work.disturb(LinkFault(id=f"{subnet}/{far}", owner="", near=subnet, far=far, cut=True, services=False))


class RouteTableDisruption(_CrossRegionAction):
    """Subnets no longer reach another Region."""

    id: ClassVar = "aws:network:route-table-disrupt-cross-region-connectivity"
    description: ClassVar = "Blocks traffic of the target subnets to the specified Region."
    targets: ClassVar = {"Subnets": "aws:ec2:subnet"}
    difference: ClassVar = (
        "cuts AWS calls of Lambda functions in the subnets to that Region; no route table is cloned"
    )

    def subnets(self, work: Work) -> Iterable[str]:
        """The target subnets."""
        return [subnet.name for subnet in work.resources["Subnets"]]


class TransitGatewayDisruption(_CrossRegionAction):
    """What is attached to the transit gateways no longer reaches another Region."""

    id: ClassVar = "aws:network:transit-gateway-disrupt-cross-region-connectivity"
    description: ClassVar = "Blocks traffic of the target transit gateways' peerings to the specified Region."
    targets: ClassVar = {"TransitGateways": "aws:ec2:transit-gateway"}
    parity: ClassVar[Parity] = "state only"
    difference: ClassVar = (
        "cuts AWS calls from the attached subnets to that Region; the embedded EC2 has no transit gateways yet, so "
        "the target is empty and the action is skipped or fails as emptyTargetResolutionMode says"
    )

    def subnets(self, work: Work) -> Iterable[str]:
        """The subnets of the VPC attachments of the gateways."""
        gateways = [one.name for one in work.resources["TransitGateways"]]
        filters = [{"Name": "transit-gateway-id", "Values": gateways}]
        found = work.clients.get("ec2").describe_transit_gateway_vpc_attachments(Filters=filters)
        return [subnet for one in found["TransitGatewayVpcAttachments"] for subnet in one["SubnetIds"]]
