"""aws:network:disrupt-vpc-endpoint: an interface endpoint takes no connections.

On AWS its security groups are swapped for an empty one. Source:
https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html#network-actions-reference
"""

from __future__ import annotations

from typing import ClassVar

from chaos.fis.actions.action import DURATION, RuleAction, Work
from chaos.fis.actions.vpc_paths import endpoint, subnets_of
from harness.cloud.faults import Blackhole, Selector


class DisruptVpcEndpoint(RuleAction):
    """Calls that would go through the endpoints get lost."""

    id: ClassVar = "aws:network:disrupt-vpc-endpoint"
    description: ClassVar = "Blocks traffic to the target interface VPC endpoints."
    parameters: ClassVar = {"duration": DURATION}
    targets: ClassVar = {"VPCEndpoints": "aws:ec2:vpc-endpoint"}
    capability: ClassVar = "lambda-zones"
    difference: ClassVar = (
        "calls of Lambda functions in the endpoint's VPC to its service get lost; the security groups are not swapped"
    )

    def inject(self, work: Work) -> None:
        """A rule for each endpoint and subnet of its VPC."""
        for resource in work.resources["VPCEndpoints"]:
            service = endpoint(resource.described).service
            for subnet in subnets_of(work.clients, resource.described["VpcId"]):
                selector = Selector(service=service, caller_subnet=subnet["SubnetId"])
                work.put(f"{resource.name}/{subnet['SubnetId']}", selector, Blackhole(hold_s=work.duration_s))
