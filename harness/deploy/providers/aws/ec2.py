"""EC2's VPCs and subnets, made or adopted (the default ones) and DHCP options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.aws_type import roots
from harness.deploy.providers.aws.ec2_type import Ec2, filters, given
from harness.deploy.providers.resource import Context, Properties

_DNS = ("enableDnsSupport", "enableDnsHostnames", "enableNetworkAddressUsageMetrics")
_DNS_DEFAULTS = {"enableDnsSupport": True, "enableDnsHostnames": False, "enableNetworkAddressUsageMetrics": False}


class Vpc(Ec2):
    """A network, and what comes with it: main route table, default group and ACL."""

    token: ClassVar = "aws:ec2/vpc:Vpc"
    noun: ClassVar = "Vpc"
    kind: ClassVar = "vpc"
    defaults: ClassVar = {**_DNS_DEFAULTS, "instanceTenancy": "default"}
    renames: ClassVar = {"assignGeneratedIpv6CidrBlock": "AmazonProvidedIpv6CidrBlock"}
    replace_on: ClassVar = frozenset({"cidrBlock", "instanceTenancy", "ipv4IpamPoolId", "ipv4NetmaskLength"})
    settled: ClassVar = ("State", frozenset({"available"}))

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it, then switch DNS where that is not as AWS makes it."""
        vpc = super().make(context, inputs)
        differs = {name: inputs[name] for name in _DNS if bool(inputs[name]) != _DNS_DEFAULTS[name]}
        self.modify(context, "ModifyVpcAttribute", vpc, differs)
        return vpc

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """What came with it; DNS switches are attributes that EC2 tells one by one."""
        del inputs
        client, here = self.client(context), filters(vpc_id=resource_id)
        tables = client.describe_route_tables(Filters=[*here, *filters(association__main="true")])["RouteTables"]
        groups = client.describe_security_groups(Filters=[*here, *filters(group_name="default")])["SecurityGroups"]
        acls = client.describe_network_acls(Filters=[*here, *filters(default="true")])["NetworkAcls"]
        main = next((table["RouteTableId"] for table in tables), None)
        ranges = body.get("Ipv6CidrBlockAssociationSet") or [{}]
        switches = {name: self._switch(context, resource_id, name) for name in _DNS[:2]}
        return {
            **switches,
            "ownerId": body.get("OwnerId", context.account_id),
            "mainRouteTableId": main,
            "defaultRouteTableId": main,
            "defaultSecurityGroupId": next((group["GroupId"] for group in groups), None),
            "defaultNetworkAclId": next((acl["NetworkAclId"] for acl in acls), None),
            "ipv6CidrBlock": ranges[0].get("Ipv6CidrBlock"),
            "ipv6AssociationId": ranges[0].get("AssociationId"),
        }

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Switches."""
        differs = roots(olds, news) & set(_DNS)
        self.modify(context, "ModifyVpcAttribute", resource_id, {name: news[name] for name in sorted(differs)})

    def _switch(self, context: Context, vpc: str, name: str) -> bool:
        answer = self.client(context).describe_vpc_attribute(VpcId=vpc, Attribute=name)
        return bool(answer[f"{name[0].upper()}{name[1:]}"]["Value"])


class DefaultVpc(Vpc):
    """The region's default VPC: taken over, or made when there is none; left alone at the end unless forced."""

    token: ClassVar = "aws:ec2/defaultVpc:DefaultVpc"
    defaults: ClassVar = {"enableDnsSupport": True, "enableDnsHostnames": True, "forceDestroy": False}
    replace_on: ClassVar = frozenset()
    outlives: ClassVar = True

    def make(self, context: Context, inputs: Properties) -> str:
        """Find it."""
        client = self.client(context)
        found = client.describe_vpcs(Filters=filters(is_default="true"))["Vpcs"]
        vpc = str((found[0] if found else client.create_default_vpc()["Vpc"])["VpcId"])
        self.modify(context, "ModifyVpcAttribute", vpc, given(inputs, *_DNS))
        return vpc

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """It was there before."""
        return {**super().tell(context, resource_id, body, inputs), "existingDefaultVpc": True}

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Nothing, unless it is to be destroyed."""
        if state.get("forceDestroy"):
            super().remove(context, resource_id, state)


_LAUNCH = (
    "mapPublicIpOnLaunch", "assignIpv6AddressOnCreation", "enableDns64", "enableResourceNameDnsARecordOnLaunch",
    "enableResourceNameDnsAaaaRecordOnLaunch", "privateDnsHostnameTypeOnLaunch",
)  # fmt: skip


class Subnet(Ec2):
    """A subnet in its zone."""

    token: ClassVar = "aws:ec2/subnet:Subnet"
    noun: ClassVar = "Subnet"
    kind: ClassVar = "subnet"
    defaults: ClassVar = {
        "mapPublicIpOnLaunch": False,
        "assignIpv6AddressOnCreation": False,
        "enableDns64": False,
        "enableResourceNameDnsARecordOnLaunch": False,
        "enableResourceNameDnsAaaaRecordOnLaunch": False,
        "ipv6Native": False,
    }
    replace_on: ClassVar = frozenset(
        {"vpcId", "cidrBlock", "availabilityZone", "availabilityZoneId", "outpostArn", "ipv6Native"}
    )
    renames: ClassVar = {"privateDnsHostnameTypeOnLaunch": "PrivateDnsHostnameTypeOnLaunch"}
    settled: ClassVar = ("State", frozenset({"available"}))

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it, then set what it does on launches."""
        subnet = super().make(context, inputs)
        wanted = {name: value for name, value in given(inputs, *_LAUNCH).items() if value is not False}
        self.modify(context, "ModifySubnetAttribute", subnet, wanted)
        return subnet

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """Owner, IPv6 range, and how names are made."""
        del resource_id, inputs
        ranges = body.get("Ipv6CidrBlockAssociationSet") or [{}]
        names = body.get("PrivateDnsNameOptionsOnLaunch") or {}
        return {
            "ownerId": body.get("OwnerId", context.account_id),
            "ipv6CidrBlock": ranges[0].get("Ipv6CidrBlock"),
            "ipv6CidrBlockAssociationId": ranges[0].get("AssociationId"),
            "privateDnsHostnameTypeOnLaunch": names.get("HostnameType", "ip-name"),
        }

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """What it does on launches."""
        wanted = given(news, *(roots(olds, news) & set(_LAUNCH)))
        self.modify(context, "ModifySubnetAttribute", resource_id, wanted)


class DefaultSubnet(Subnet):
    """The default subnet of a zone: taken over, or made when there is none."""

    token: ClassVar = "aws:ec2/defaultSubnet:DefaultSubnet"
    defaults: ClassVar = {"forceDestroy": False}
    replace_on: ClassVar = frozenset({"availabilityZone"})
    outlives: ClassVar = True

    def make(self, context: Context, inputs: Properties) -> str:
        """Find it."""
        client, zone = self.client(context), str(inputs["availabilityZone"])
        wanted = [*filters(default_for_az="true"), *filters(availability_zone=zone)]
        found = client.describe_subnets(Filters=wanted)["Subnets"]
        subnet = found[0] if found else client.create_default_subnet(AvailabilityZone=zone)["Subnet"]
        self.modify(context, "ModifySubnetAttribute", str(subnet["SubnetId"]), given(inputs, *_LAUNCH))
        return str(subnet["SubnetId"])

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Nothing, unless it is to be destroyed."""
        if state.get("forceDestroy"):
            super().remove(context, resource_id, state)


_DHCP = {
    "domainName": "domain-name",
    "domainNameServers": "domain-name-servers",
    "ntpServers": "ntp-servers",
    "netbiosNameServers": "netbios-name-servers",
    "netbiosNodeType": "netbios-node-type",
}


class VpcDhcpOptions(Ec2):
    """What a VPC tells its hosts by DHCP."""

    token: ClassVar = "aws:ec2/vpcDhcpOptions:VpcDhcpOptions"
    noun: ClassVar = "DhcpOptions"
    plural: ClassVar = "DhcpOptions"
    kind: ClassVar = "dhcp-options"
    key: ClassVar = {"DhcpOptionsId": "id"}
    replace_on: ClassVar = frozenset(_DHCP)
    computed: ClassVar = {"ownerId": "{account}"}

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """As pairs of a name and values."""
        del context
        values = {_DHCP[name]: inputs[name] for name in given(inputs, *_DHCP)}
        listed = {key: value if isinstance(value, list) else [value] for key, value in values.items()}
        return {"dhcpConfigurations": [{"key": key, "values": value} for key, value in listed.items()]}


class VpcDhcpOptionsAssociation(Ec2):
    """Which options a VPC uses; the default ones again at the end."""

    token: ClassVar = "aws:ec2/vpcDhcpOptionsAssociation:VpcDhcpOptionsAssociation"
    parts: ClassVar = ("dhcpOptionsId", "vpcId")
    separator: ClassVar = "-vpc-"
    id_format: ClassVar = "{dhcpOptionsId}-{vpcId}"
    replace_on: ClassVar = frozenset({"vpcId"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Associate them."""
        self.send(context, "AssociateDhcpOptions", inputs)
        return self.joined(inputs)

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """There as long as the VPC uses them."""
        options, _, vpc = resource_id.partition("-vpc-")
        vpc = str(inputs.get("vpcId") or f"vpc-{vpc}")
        found = self.client(context).describe_vpcs(VpcIds=[vpc])["Vpcs"][0].get("DhcpOptionsId")
        wanted = str(inputs.get("dhcpOptionsId") or options)
        return {"dhcpOptionsId": found, "vpcId": vpc} if found == wanted else None

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Associate others."""
        del resource_id, olds
        self.send(context, "AssociateDhcpOptions", news)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Back to AWS's own."""
        del resource_id
        self.send(context, "AssociateDhcpOptions", {**state, "dhcpOptionsId": "default"})


RESOURCES = (
    Vpc(), DefaultVpc(), Subnet(), DefaultSubnet(), VpcDhcpOptions(), VpcDhcpOptionsAssociation(),
)  # fmt: skip
