"""EC2's network: VPCs, ways out of them, packet filters."""

from typing import Any

E = "aws:ec2/"
V = "aws:vpc/"

NETWORK = {
    "vpc": (E + "vpc:Vpc", {"cidrBlock": "10.0.0.0/16", "enableDnsHostnames": True, "tags": {"Name": "shop"}}),
    "dhcp": (E + "vpcDhcpOptions:VpcDhcpOptions", {
        "domainName": "shop.internal", "domainNameServers": ["AmazonProvidedDNS"]}),
    "uses": (E + "vpcDhcpOptionsAssociation:VpcDhcpOptionsAssociation", {
        "vpcId": "${vpc}", "dhcpOptionsId": "${dhcp}"}),
    "a": (E + "subnet:Subnet", {
        "vpcId": "${vpc}", "cidrBlock": "10.0.1.0/24", "availabilityZone": "us-east-1a",
        "mapPublicIpOnLaunch": True}),
    "b": (E + "subnet:Subnet", {"vpcId": "${vpc}", "cidrBlock": "10.0.2.0/24", "availabilityZone": "us-east-1b"}),
    "igw": (E + "internetGateway:InternetGateway", {"vpcId": "${vpc}", "tags": {"a": "b"}}),
    "loose": (E + "internetGateway:InternetGateway", {}),
    "other": (E + "vpc:Vpc", {"cidrBlock": "10.9.0.0/16"}),
    "tie": (E + "internetGatewayAttachment:InternetGatewayAttachment", {
        "internetGatewayId": "${loose}", "vpcId": "${other}"}),
    "eigw": (E + "egressOnlyInternetGateway:EgressOnlyInternetGateway", {"vpcId": "${vpc}"}),
    "eip": (E + "eip:Eip", {"domain": "vpc", "tags": {"a": "b"}}),
    "nat": (E + "natGateway:NatGateway", {"allocationId": "${eip}", "subnetId": "${a}", "tags": {"a": "b"}}),
    "public": (E + "routeTable:RouteTable", {
        "vpcId": "${vpc}", "routes": [{"cidrBlock": "0.0.0.0/0", "gatewayId": "${igw}"}], "tags": {"a": "b"}}),
    "private": (E + "routeTable:RouteTable", {"vpcId": "${vpc}"}),
    "out": (E + "route:Route", {
        "routeTableId": "${private}", "destinationCidrBlock": "0.0.0.0/0", "natGatewayId": "${nat}"}),
    "of-a": (E + "routeTableAssociation:RouteTableAssociation", {"subnetId": "${a}", "routeTableId": "${public}"}),
    "spare": (E + "routeTable:RouteTable", {"vpcId": "${other}"}),
    "main": (E + "mainRouteTableAssociation:MainRouteTableAssociation", {
        "vpcId": "${other}", "routeTableId": "${spare}"}),
    "default-table": (E + "defaultRouteTable:DefaultRouteTable", {
        "defaultRouteTableId": "${vpc.defaultRouteTableId}",
        "routes": [{"cidrBlock": "0.0.0.0/0", "gatewayId": "${igw}"}]}),
}  # fmt: skip
NETWORK_CHANGES: dict[str, dict[str, Any]] = {
    "vpc": {"enableDnsHostnames": False, "tags": {"Name": "store"}},
    "a": {"mapPublicIpOnLaunch": False, "enableResourceNameDnsARecordOnLaunch": True},
    "igw": {"tags": {"c": "d"}},
    "loose": {"tags": {"c": "d"}},
    "eip": {"tags": {"a": "c"}},
    "nat": {"tags": {}},
    "public": {
        "routes": [
            {"cidrBlock": "0.0.0.0/0", "natGatewayId": "${nat}"},
            {"cidrBlock": "10.8.0.0/16", "gatewayId": "${igw}"},
        ]
    },
    "out": {"natGatewayId": None, "gatewayId": "${igw}"},
    "default-table": {"routes": []},
}

FILTERS = {
    "vpc": (E + "vpc:Vpc", {"cidrBlock": "10.0.0.0/16"}),
    "subnet": (E + "subnet:Subnet", {"vpcId": "${vpc}", "cidrBlock": "10.0.1.0/24"}),
    "web": (E + "securityGroup:SecurityGroup", {
        "vpcId": "${vpc}", "description": "web", "ingress": [
            {"protocol": "tcp", "fromPort": 80, "toPort": 80, "cidrBlocks": ["0.0.0.0/0"]},
            {"protocol": "tcp", "fromPort": 443, "toPort": 443, "self": True, "description": "own"}],
        "egress": [{"protocol": "-1", "fromPort": 0, "toPort": 0, "cidrBlocks": ["0.0.0.0/0"]}], "tags": {"a": "b"}}),
    "db": (E + "securityGroup:SecurityGroup", {"vpcId": "${vpc}"}),
    "from-web": (E + "securityGroupRule:SecurityGroupRule", {
        "type": "ingress", "securityGroupId": "${db}", "protocol": "tcp", "fromPort": 5432, "toPort": 5432,
        "sourceSecurityGroupId": "${web}", "description": "web"}),
    "in": (V + "securityGroupIngressRule:SecurityGroupIngressRule", {
        "securityGroupId": "${db}", "ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "cidrIpv4": "10.0.0.0/8",
        "tags": {"a": "b"}}),
    "out": (V + "securityGroupEgressRule:SecurityGroupEgressRule", {
        "securityGroupId": "${db}", "ipProtocol": "-1", "cidrIpv4": "0.0.0.0/0"}),
    "default": (E + "defaultSecurityGroup:DefaultSecurityGroup", {"vpcId": "${vpc}"}),
    "acl": (E + "networkAcl:NetworkAcl", {
        "vpcId": "${vpc}", "subnetIds": ["${subnet}"], "tags": {"a": "b"}, "ingress": [
            {"protocol": "tcp", "ruleNo": 100, "action": "allow", "cidrBlock": "0.0.0.0/0", "fromPort": 80,
             "toPort": 80}]}),
    "rule": (E + "networkAclRule:NetworkAclRule", {
        "networkAclId": "${acl}", "ruleNumber": 200, "egress": True, "protocol": "-1", "ruleAction": "allow",
        "cidrBlock": "0.0.0.0/0"}),
    "bare": (E + "networkAcl:NetworkAcl", {"vpcId": "${vpc}"}),
    "second": (E + "subnet:Subnet", {"vpcId": "${vpc}", "cidrBlock": "10.0.2.0/24"}),
    "given": (E + "networkAclAssociation:NetworkAclAssociation", {
        "networkAclId": "${bare}", "subnetId": "${second}"}),
}  # fmt: skip
FILTERS_CHANGES: dict[str, dict[str, Any]] = {
    "web": {"ingress": [{"protocol": "tcp", "fromPort": 443, "toPort": 443, "cidrBlocks": ["10.0.0.0/8"]}]},
    "from-web": {"description": "from the web"},
    "in": {"fromPort": 23, "toPort": 24, "tags": {"a": "c"}},
    "acl": {
        "ingress": [
            {"protocol": "-1", "ruleNo": 100, "action": "deny", "cidrBlock": "10.0.0.0/8", "fromPort": 0, "toPort": 0}
        ]
    },
}


def test_networks(lives: Any) -> None:
    lives.run(NETWORK, NETWORK_CHANGES)


def test_packet_filters(lives: Any) -> None:
    lives.run(FILTERS, FILTERS_CHANGES)
