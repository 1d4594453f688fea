"""EC2's network: VPCs, subnets, security groups."""

from __future__ import annotations

from typing import Any, ClassVar

from harness.deploy.providers.aws.aws_type import AwsType, roots
from harness.deploy.providers.aws.tags import EC2
from harness.deploy.providers.resource import Context, Properties


class _Ec2(AwsType):
    service: ClassVar[str] = "ec2"
    tagging = EC2
    kind: ClassVar[str]

    def tag_specification(self, context: Context, inputs: Properties) -> list[dict[str, Any]]:
        """Tags at creation, in EC2's form."""
        tags = self.wire_tags(context, inputs)
        return [{"ResourceType": self.kind, "Tags": tags}] if tags else []

    def tag_target(self, resource_id: str, state: Properties) -> list[str]:
        """EC2 tags by id."""
        del state
        return [resource_id]

    def arn(self, context: Context, resource_id: str) -> str:
        """The resource's ARN."""
        return f"arn:aws:ec2:{context.region}:{context.account_id}:{self.kind}/{resource_id}"


class Vpc(_Ec2):
    """aws:ec2/vpc:Vpc."""

    token: ClassVar = "aws:ec2/vpc:Vpc"
    kind: ClassVar = "vpc"
    defaults: ClassVar = {"enableDnsSupport": True, "enableDnsHostnames": False, "instanceTenancy": "default"}
    replace_on: ClassVar = frozenset({"cidrBlock", "instanceTenancy"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it, then switch DNS."""
        answer = self.client(context).create_vpc(
            CidrBlock=inputs["cidrBlock"],
            InstanceTenancy=inputs["instanceTenancy"],
            TagSpecifications=self.tag_specification(context, inputs),
        )
        vpc = str(answer["Vpc"]["VpcId"])
        self._dns(context, vpc, inputs)
        return vpc

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """ARN, owner, and what came with it."""
        del inputs
        client = self.client(context)
        vpc = client.describe_vpcs(VpcIds=[resource_id])["Vpcs"][0]
        filters = [{"Name": "vpc-id", "Values": [resource_id]}]
        groups = client.describe_security_groups(Filters=filters)["SecurityGroups"]
        tables = client.describe_route_tables(Filters=filters)["RouteTables"]
        main = [t["RouteTableId"] for t in tables if any(a.get("Main") for a in t.get("Associations", ()))]
        default = [g["GroupId"] for g in groups if g["GroupName"] == "default"]
        return {
            "arn": self.arn(context, resource_id),
            "cidrBlock": vpc["CidrBlock"],
            "ownerId": context.account_id,
            "defaultSecurityGroupId": default[0] if default else "",
            "mainRouteTableId": main[0] if main else "",
            "defaultRouteTableId": main[0] if main else "",
        }

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """DNS switches."""
        if roots(olds, news) & {"enableDnsSupport", "enableDnsHostnames"}:
            self._dns(context, resource_id, news)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it."""
        del state
        self.client(context).delete_vpc(VpcId=resource_id)

    def _dns(self, context: Context, vpc: str, inputs: Properties) -> None:
        client = self.client(context)
        client.modify_vpc_attribute(VpcId=vpc, EnableDnsSupport={"Value": bool(inputs["enableDnsSupport"])})
        client.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": bool(inputs["enableDnsHostnames"])})


class Subnet(_Ec2):
    """aws:ec2/subnet:Subnet."""

    token: ClassVar = "aws:ec2/subnet:Subnet"
    kind: ClassVar = "subnet"
    defaults: ClassVar = {"mapPublicIpOnLaunch": False, "assignIpv6AddressOnCreation": False}
    replace_on: ClassVar = frozenset({"vpcId", "cidrBlock", "availabilityZone", "availabilityZoneId"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it in its zone."""
        known = {key: value for key, value in inputs.items() if key != "tags"}
        answer = self.call(context, "CreateSubnet", known, TagSpecifications=self.tag_specification(context, inputs))
        subnet = str(answer["Subnet"]["SubnetId"])
        if inputs["mapPublicIpOnLaunch"]:
            self.change(context, subnet, {}, inputs)
        return subnet

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """ARN and zone."""
        del inputs
        subnet = self.client(context).describe_subnets(SubnetIds=[resource_id])["Subnets"][0]
        return {
            "arn": self.arn(context, resource_id),
            "cidrBlock": subnet["CidrBlock"],
            "availabilityZone": subnet["AvailabilityZone"],
            "availabilityZoneId": subnet.get("AvailabilityZoneId", ""),
            "ownerId": context.account_id,
        }

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Public addresses on launch."""
        if "mapPublicIpOnLaunch" in roots(olds, news):
            self.client(context).modify_subnet_attribute(
                SubnetId=resource_id, MapPublicIpOnLaunch={"Value": bool(news["mapPublicIpOnLaunch"])}
            )

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it."""
        del state
        self.client(context).delete_subnet(SubnetId=resource_id)


class SecurityGroup(_Ec2):
    """aws:ec2/securityGroup:SecurityGroup, with its inline rules."""

    token: ClassVar = "aws:ec2/securityGroup:SecurityGroup"
    kind: ClassVar = "security-group"
    named: ClassVar = "name"
    defaults: ClassVar = {"description": "Managed by Pulumi", "revokeRulesOnDelete": False}
    replace_on: ClassVar = frozenset({"name", "namePrefix", "description", "vpcId"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it without EC2's own way out, then with the rules given."""
        vpc = {"VpcId": inputs["vpcId"]} if inputs.get("vpcId") else {}
        answer = self.client(context).create_security_group(
            GroupName=inputs["name"],
            Description=inputs["description"],
            TagSpecifications=self.tag_specification(context, inputs),
            **vpc,
        )
        group = str(answer["GroupId"])
        everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
        if vpc:
            self.client(context).revoke_security_group_egress(GroupId=group, IpPermissions=everything)
        self.change(context, group, {}, inputs)
        return group

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """ARN, owner, VPC."""
        del inputs
        group = self.client(context).describe_security_groups(GroupIds=[resource_id])["SecurityGroups"][0]
        return {
            "arn": self.arn(context, resource_id),
            "name": group["GroupName"],
            "ownerId": context.account_id,
            "vpcId": group.get("VpcId", ""),
        }

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Revoke what is gone, authorize what is new."""
        client = self.client(context)
        for way in ("ingress", "egress"):
            before = [_permission(rule, resource_id) for rule in olds.get(way) or ()]
            after = [_permission(rule, resource_id) for rule in news.get(way) or ()]
            gone = [rule for rule in before if rule not in after]
            new = [rule for rule in after if rule not in before]
            if gone:
                getattr(client, f"revoke_security_group_{way}")(GroupId=resource_id, IpPermissions=gone)
            if new:
                getattr(client, f"authorize_security_group_{way}")(GroupId=resource_id, IpPermissions=new)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it."""
        del state
        self.client(context).delete_security_group(GroupId=resource_id)


def _permission(rule: Properties, own: str) -> dict[str, Any]:
    """One inline rule in EC2's form."""
    body: dict[str, Any] = {"IpProtocol": str(rule["protocol"])}
    if body["IpProtocol"] != "-1":
        body |= {"FromPort": int(rule["fromPort"]), "ToPort": int(rule["toPort"])}
    described = {"Description": rule["description"]} if rule.get("description") else {}
    if rule.get("cidrBlocks"):
        body["IpRanges"] = [{"CidrIp": cidr, **described} for cidr in rule["cidrBlocks"]]
    if rule.get("ipv6CidrBlocks"):
        body["Ipv6Ranges"] = [{"CidrIpv6": cidr, **described} for cidr in rule["ipv6CidrBlocks"]]
    groups = [*(rule.get("securityGroups") or ()), *([own] if rule.get("self") else ())]
    if groups:
        body["UserIdGroupPairs"] = [{"GroupId": group, **described} for group in groups]
    return body


RESOURCES = (Vpc(), Subnet(), SecurityGroup())
