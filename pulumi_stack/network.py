"""A network across availability zones: private subnets, and from each a way out that no other zone can take along.

What is in a private subnet reaches DynamoDB and S3 by gateway endpoints, which cost nothing and are in no zone, and
every other service through the NAT gateway of its own zone: with one for all, the loss of its zone would cut all off.
https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-basics.html
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

ANYWHERE = "0.0.0.0/0"
GATEWAY_ENDPOINTS = ("dynamodb", "s3")


@dataclass(frozen=True)
class NetworkArgs:
    """`zones` are zone letters; each gets a private subnet, and a public one for its NAT gateway."""

    region: str
    zones: Sequence[str]
    cidr: str = "10.20.0.0/16"


class Network(pulumi.ComponentResource):
    """Outputs: `subnet_ids` (zone name → id of the private subnet) and `security_group_id`."""

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("orders:index:Network", name, None, opts)
        self._name, self._args, self._child = name, args, pulumi.ResourceOptions(parent=self)
        self._tags = {"app": "orders"}
        self.vpc = aws.ec2.Vpc(
            name,
            cidr_block=args.cidr,
            enable_dns_support=True,
            enable_dns_hostnames=True,
            tags=self._tags,
            opts=self._child,
        )
        self.subnets = {
            f"{args.region}{zone}": self._subnet(zone, zone, f"{16 * _number(zone)}.0/20") for zone in args.zones
        }
        self._lead_out()
        self.security_group = aws.ec2.SecurityGroup(
            name,
            description="Functions: no way in, every way out",
            vpc_id=self.vpc.id,
            egress=[{"protocol": "-1", "from_port": 0, "to_port": 0, "cidr_blocks": [ANYWHERE]}],
            tags=self._tags,
            opts=self._child,
        )
        self.subnet_ids = {zone: subnet.id for zone, subnet in self.subnets.items()}
        self.security_group_id = self.security_group.id
        self.register_outputs({"subnet_ids": self.subnet_ids})

    def _subnet(self, label: str, zone: str, ending: str) -> aws.ec2.Subnet:
        """A subnet of a zone; `ending` is what follows the network's first two numbers."""
        return aws.ec2.Subnet(
            f"{self._name}-{label}",
            vpc_id=self.vpc.id,
            cidr_block=f"{'.'.join(self._args.cidr.split('.')[:2])}.{ending}",
            availability_zone=f"{self._args.region}{zone}",
            tags={**self._tags, "Name": f"{self._name}-{label}"},
            opts=self._child,
        )

    def _lead_out(self) -> None:
        """Public subnets to the internet gateway, private ones to the NAT gateway of their zone."""
        internet = aws.ec2.InternetGateway(self._name, vpc_id=self.vpc.id, tags=self._tags, opts=self._child)
        public = self._routes("public", {"gateway_id": internet.id})
        gateways = {zone: self._nat_gateway(zone, public) for zone in self._args.zones}
        tables = []
        for zone in self._args.zones:
            gateway = gateways[zone]
            table = self._routes(zone, {"nat_gateway_id": gateway.id})
            self._associate(zone, self.subnets[f"{self._args.region}{zone}"], table)
            tables.append(table)
        for service in GATEWAY_ENDPOINTS:
            aws.ec2.VpcEndpoint(
                f"{self._name}-{service}",
                vpc_id=self.vpc.id,
                service_name=f"com.amazonaws.{self._args.region}.{service}",
                route_table_ids=[table.id for table in tables],
                tags=self._tags,
                opts=self._child,
            )

    def _nat_gateway(self, zone: str, public: aws.ec2.RouteTable) -> aws.ec2.NatGateway:
        """In a public subnet of the zone."""
        subnet = self._subnet(f"public-{zone}", zone, f"{240 + _number(zone)}.0/24")
        routed = self._associate(f"public-{zone}", subnet, public)
        address = aws.ec2.Eip(f"{self._name}-{zone}", domain="vpc", tags=self._tags, opts=self._child)
        return aws.ec2.NatGateway(
            f"{self._name}-{zone}",
            subnet_id=subnet.id,
            allocation_id=address.id,
            tags=self._tags,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[routed]),
        )

    def _routes(self, label: str, out: dict[str, pulumi.Input[str]]) -> aws.ec2.RouteTable:
        return aws.ec2.RouteTable(
            f"{self._name}-{label}",
            vpc_id=self.vpc.id,
            routes=[{"cidr_block": ANYWHERE, **out}],
            tags=self._tags,
            opts=self._child,
        )

    def _associate(
        self, label: str, subnet: aws.ec2.Subnet, table: aws.ec2.RouteTable
    ) -> aws.ec2.RouteTableAssociation:
        return aws.ec2.RouteTableAssociation(
            f"{self._name}-{label}", subnet_id=subnet.id, route_table_id=table.id, opts=self._child
        )


def _number(zone: str) -> int:
    return "abcdef".index(zone)
