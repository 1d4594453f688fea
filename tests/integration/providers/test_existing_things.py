"""Data sources: what programs ask for that exists already."""

from typing import Any

import pytest

from harness.errors import ProviderError

VPC = ("aws:ec2/vpc:Vpc", {"cidrBlock": "10.0.0.0/16", "tags": {"Name": "shop"}})


@pytest.fixture
def ask(lives: Any) -> Any:
    context = lives.instances.context({}, urn="urn:pulumi:dev::shop::aws:index/x:X::x", timeout_s=120)
    return lambda token, **arguments: lives.registry.invokes[token](context, arguments)


def test_networks_are_found_by_filter_tag_and_id(lives: Any, ask: Any) -> None:
    vpc = lives.create("vpc", *VPC)
    subnet = lives.create("subnet", "aws:ec2/subnet:Subnet", {"vpcId": "${vpc}", "cidrBlock": "10.0.1.0/24"})
    group = lives.create("group", "aws:ec2/securityGroup:SecurityGroup", {"vpcId": "${vpc}", "name": "web"})
    assert ask("aws:ec2/getVpc:getVpc", tags={"Name": "shop"})["id"] == vpc.id
    assert ask("aws:ec2/getVpc:getVpc", default=True)["id"] != vpc.id
    assert ask("aws:ec2/getVpcs:getVpcs", tags={"Name": "shop"})["ids"] == [vpc.id]
    found = ask("aws:ec2/getSubnets:getSubnets", filters=[{"name": "vpc-id", "values": [vpc.id]}])
    assert found["ids"] == [subnet.id]
    assert ask("aws:ec2/getSubnet:getSubnet", id=subnet.id)["cidrBlock"] == "10.0.1.0/24"
    assert ask("aws:ec2/getSecurityGroup:getSecurityGroup", name="web", vpcId=vpc.id)["id"] == group.id
    assert ask("aws:ec2/getRouteTable:getRouteTable", vpcId=vpc.id)["id"] == vpc.outputs["mainRouteTableId"]
    with pytest.raises(ProviderError, match="no VPCs match"):
        ask("aws:ec2/getVpc:getVpc", tags={"Name": "none"})


def test_what_amazon_offers_is_found(ask: Any) -> None:
    wanted = [{"name": "name", "values": ["al2023-ami-2023.*-x86_64"]}]
    image = ask("aws:ec2/getAmi:getAmi", owners=["amazon"], mostRecent=True, filters=wanted)
    assert image["id"].startswith("ami-")
    assert image["architecture"] == "x86_64"
    old = {
        "owners": ["137112412989"],
        "mostRecent": True,
        "filters": [{"name": "name", "values": ["amzn-ami-hvm-*"]}],
    }
    assert ask("aws:ec2/getAmi:getAmi", **old)["id"] == ask("aws:ec2/getAmi:getAmi", **old)["id"]
    with pytest.raises(ProviderError, match="no AMI matches"):
        ask("aws:ec2/getAmi:getAmi", **{**old, "owners": ["self"]})
    assert ask("aws:ec2/getInstanceType:getInstanceType", instanceType="t3.micro")["defaultVcpus"] == 2
    assert ask("aws:index/getAvailabilityZone:getAvailabilityZone", name="us-east-1b")["nameSuffix"] == "b"
    assert ask("aws:ec2/getPrefixList:getPrefixList", name="com.amazonaws.us-east-1.s3")["id"].startswith("pl-")
    assert ask("aws:elb/getServiceAccount:getServiceAccount")["arn"] == "arn:aws:iam::127311923021:root"
    assert ask("aws:elb/getHostedZoneId:getHostedZoneId")["id"] == "Z35SXDOTRQ7X7K"
    assert ask("aws:rds/getEngineVersion:getEngineVersion", engine="postgres")["version"]


def test_zones_certificates_and_repositories_are_found(lives: Any, ask: Any) -> None:
    zone = lives.create("zone", "aws:route53/zone:Zone", {"name": "example.com"})
    settings = {"domainName": "example.com", "validationMethod": "DNS"}
    certificate = lives.create("certificate", "aws:acm/certificate:Certificate", settings)
    lives.create("images", "aws:ecr/repository:Repository", {"name": "shop"})
    assert ask("aws:route53/getZone:getZone", name="example.com.")["zoneId"] == zone.id
    assert (
        ask("aws:acm/getCertificate:getCertificate", domain="example.com", mostRecent=True)["arn"] == certificate.id
    )
    assert ask("aws:ecr/getRepository:getRepository", name="shop")["repositoryUrl"].endswith("/shop")
    assert ask("aws:ecr/getAuthorizationToken:getAuthorizationToken")["userName"] == "AWS"
