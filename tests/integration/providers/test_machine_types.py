"""EC2's machines, and its links between networks and to services."""

from typing import Any

import pytest

from harness.errors import ProviderError

E = "aws:ec2/"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBYxQJ0nq1ZgWcqB6Vd9e1m3Q0T0cNqgkq3l5D5fJ1aB shop"

MACHINES = {
    "vpc": (E + "vpc:Vpc", {"cidrBlock": "10.0.0.0/16"}),
    "subnet": (E + "subnet:Subnet", {
        "vpcId": "${vpc}", "cidrBlock": "10.0.1.0/24", "availabilityZone": "us-east-1a"}),
    "group": (E + "securityGroup:SecurityGroup", {"vpcId": "${vpc}"}),
    "other": (E + "securityGroup:SecurityGroup", {"vpcId": "${vpc}"}),
    "key": (E + "keyPair:KeyPair", {"publicKey": KEY, "tags": {"a": "b"}}),
    "placement": (E + "placementGroup:PlacementGroup", {"strategy": "cluster"}),
    "template": (E + "launchTemplate:LaunchTemplate", {
        "imageId": "ami-0c2023a1b2c3d4e5f", "instanceType": "t3.micro", "vpcSecurityGroupIds": ["${group}"],
        "userData": "IyEvYmluL3No", "iamInstanceProfile": {"name": "web"},
        "blockDeviceMappings": [{"deviceName": "/dev/xvda", "ebs": {"volumeSize": 20, "volumeType": "gp3"}}],
        "tagSpecifications": [{"resourceType": "instance", "tags": {"Name": "web"}}], "tags": {"a": "b"}}),
    "web": (E + "instance:Instance", {
        "ami": "ami-0c2023a1b2c3d4e5f", "instanceType": "t3.micro", "subnetId": "${subnet}", "keyName": "${key}",
        "vpcSecurityGroupIds": ["${group}"], "userData": "#!/bin/sh", "tags": {"Name": "web"},
        "rootBlockDevice": {"volumeSize": 20}}),
    "disk": ("aws:ebs/volume:Volume", {
        "availabilityZone": "us-east-1a", "size": 10, "type": "gp3", "tags": {"a": "b"}}),
    "in": (E + "volumeAttachment:VolumeAttachment", {
        "deviceName": "/dev/sdh", "instanceId": "${web}", "volumeId": "${disk}"}),
    "address": (E + "eip:Eip", {"instance": "${web}"}),
    "card": (E + "networkInterface:NetworkInterface", {
        "subnetId": "${subnet}", "securityGroups": ["${group}"], "description": "card", "tags": {"a": "b"}}),
    "loose": (E + "eip:Eip", {}),
    "given": (E + "eipAssociation:EipAssociation", {
        "allocationId": "${loose}", "networkInterfaceId": "${card}"}),
}  # fmt: skip
MACHINES_CHANGES: dict[str, dict[str, Any]] = {
    "template": {"instanceType": "t3.small", "updateDefaultVersion": True},
    "web": {"tags": {"Name": "shop"}, "instanceType": "t3.small", "userData": "#!/bin/bash"},
    "disk": {"size": 20},
    "card": {"tags": {"a": "c"}},
}

LINKS = {
    "vpc": (E + "vpc:Vpc", {"cidrBlock": "10.0.0.0/16"}),
    "peer": (E + "vpc:Vpc", {"cidrBlock": "10.1.0.0/16"}),
    "subnet": (E + "subnet:Subnet", {"vpcId": "${vpc}", "cidrBlock": "10.0.1.0/24"}),
    "group": (E + "securityGroup:SecurityGroup", {"vpcId": "${vpc}"}),
    "table": (E + "routeTable:RouteTable", {"vpcId": "${vpc}"}),
    "second": (E + "routeTable:RouteTable", {"vpcId": "${vpc}"}),
    "s3": (E + "vpcEndpoint:VpcEndpoint", {
        "vpcId": "${vpc}", "serviceName": "com.amazonaws.us-east-1.s3", "routeTableIds": ["${table}"],
        "tags": {"a": "b"}}),
    "sqs": (E + "vpcEndpoint:VpcEndpoint", {
        "vpcId": "${vpc}", "serviceName": "com.amazonaws.us-east-1.sqs", "vpcEndpointType": "Interface",
        "subnetIds": ["${subnet}"], "securityGroupIds": ["${group}"]}),
    "dynamodb": (E + "vpcEndpoint:VpcEndpoint", {
        "vpcId": "${vpc}", "serviceName": "com.amazonaws.us-east-1.dynamodb"}),
    "to-dynamodb": (E + "vpcEndpointRouteTableAssociation:VpcEndpointRouteTableAssociation", {
        "vpcEndpointId": "${dynamodb}", "routeTableId": "${second}"}),
    "flows": (E + "flowLog:FlowLog", {
        "vpcId": "${vpc}", "trafficType": "ALL", "logDestination": "arn:aws:logs:us-east-1:000000000000:log-group:x",
        "iamRoleArn": "arn:aws:iam::000000000000:role/flows", "tags": {"a": "b"}}),
    "peering": (E + "vpcPeeringConnection:VpcPeeringConnection", {
        "vpcId": "${vpc}", "peerVpcId": "${peer}", "tags": {"a": "b"}}),
    "accepted": (E + "vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter", {
        "vpcPeeringConnectionId": "${peering}", "autoAccept": True}),
    "ranges": (E + "managedPrefixList:ManagedPrefixList", {
        "addressFamily": "IPv4", "maxEntries": 5, "entries": [{"cidr": "10.0.0.0/8", "description": "ours"}]}),
    "vpn": (E + "vpnGateway:VpnGateway", {"vpcId": "${vpc}", "tags": {"a": "b"}}),
    "customer": (E + "customerGateway:CustomerGateway", {
        "bgpAsn": "65000", "ipAddress": "203.0.113.1", "type": "ipsec.1"}),
}  # fmt: skip
LINKS_CHANGES: dict[str, dict[str, Any]] = {
    "s3": {"routeTableIds": ["${second}"], "tags": {"a": "c"}},
    "peering": {"tags": {"a": "c"}},
    "ranges": {"entries": [{"cidr": "10.0.0.0/8", "description": "ours"}, {"cidr": "192.168.0.0/16"}]},
}


def test_machines(lives: Any) -> None:
    lives.run(MACHINES, MACHINES_CHANGES)


def test_an_instance_takes_its_root_volume_along_and_lets_go_of_others(lives: Any) -> None:
    web = lives.create(
        "web", "aws:ec2/instance:Instance", {"ami": "ami-0c2023a1b2c3d4e5f", "instanceType": "t3.micro"}
    )
    data = lives.create("data", "aws:ebs/volume:Volume", {"availabilityZone": "us-east-1a", "size": 1})
    client = web.context.client("ec2")
    client.attach_volume(VolumeId=data.id, InstanceId=web.id, Device="/dev/sdf")
    holding = {"Filters": [{"Name": "attachment.instance-id", "Values": [web.id]}]}
    assert len(client.describe_volumes(**holding)["Volumes"]) == 2
    client.terminate_instances(InstanceIds=[web.id])
    assert client.describe_volumes(**holding)["Volumes"] == []
    assert client.describe_volumes(VolumeIds=[data.id])["Volumes"][0]["State"] == "available"


def test_links(lives: Any) -> None:
    lives.run(LINKS, LINKS_CHANGES)


def test_an_instance_whose_change_is_refused_runs_again(lives: Any) -> None:
    """What stopped the instance for it starts it again."""
    lives.create("web", "aws:ec2/instance:Instance", {"ami": "ami-0c2023a1b2c3d4e5f", "instanceType": "t3.micro"})
    with lives.refused("InvalidInstanceAttributeValue"):
        lives.change("web", {"instanceType": "t3.enormous"})
    assert lives.living["web"].read()["instanceState"] == "running"
    with pytest.raises(ProviderError, match="it lacks ModifyInstanceAttribute"):
        lives.change("web", {"disableApiTermination": True})
