"""Names and what proves them: Route 53, ACM, Cloud Map; and the files of EFS."""

import json
from typing import Any

D = "aws:route53/"
M = "aws:servicediscovery/"
F = "aws:efs/"
PLACE = {
    "vpc": ("aws:ec2/vpc:Vpc", {"cidrBlock": "10.0.0.0/16"}),
    "subnet": ("aws:ec2/subnet:Subnet", {"vpcId": "${vpc}", "cidrBlock": "10.0.1.0/24"}),
    "group": ("aws:ec2/securityGroup:SecurityGroup", {"vpcId": "${vpc}"}),
}

NAMES = {
    **PLACE,
    "other": ("aws:ec2/vpc:Vpc", {"cidrBlock": "10.1.0.0/16"}),
    "zone": (D + "zone:Zone", {"name": "example.com", "tags": {"a": "b"}}),
    "inside": (D + "zone:Zone", {"name": "shop.internal", "vpcs": [{"vpcId": "${vpc}"}], "forceDestroy": True}),
    "seen": (D + "zoneAssociation:ZoneAssociation", {"zoneId": "${inside}", "vpcId": "${other}"}),
    "check": (D + "healthCheck:HealthCheck", {
        "type": "HTTPS", "fqdn": "shop.example.com", "port": 443, "resourcePath": "/health", "requestInterval": 30,
        "failureThreshold": 3, "tags": {"a": "b"}}),
    "www": (D + "record:Record", {
        "zoneId": "${zone.zoneId}", "name": "www", "type": "A", "ttl": 60, "records": ["192.0.2.1", "192.0.2.2"]}),
    "apex": (D + "record:Record", {
        "zoneId": "${zone.zoneId}", "name": "example.com", "type": "A", "aliases": [
            {"name": "d1.cloudfront.net", "zoneId": "Z2FDTNDATAQYW2", "evaluateTargetHealth": False}]}),
    "text": (D + "record:Record", {
        "zoneId": "${zone.zoneId}", "name": "_dmarc", "type": "TXT", "ttl": 60, "records": ["v=DMARC1; p=none"]}),
    "first": (D + "record:Record", {
        "zoneId": "${zone.zoneId}", "name": "api", "type": "CNAME", "ttl": 5, "records": ["a.example.com"],
        "setIdentifier": "first", "failoverRoutingPolicies": [{"type": "PRIMARY"}], "healthCheckId": "${check}"}),
    "second": (D + "record:Record", {
        "zoneId": "${zone.zoneId}", "name": "api", "type": "CNAME", "ttl": 5, "records": ["b.example.com"],
        "setIdentifier": "second", "failoverRoutingPolicies": [{"type": "SECONDARY"}]}),
    "half": (D + "record:Record", {
        "zoneId": "${zone.zoneId}", "name": "*.beta.example.com", "type": "A", "ttl": 5, "records": ["192.0.2.1"],
        "setIdentifier": "half", "weightedRoutingPolicies": [{"weight": 50}]}),
    "certificate": ("aws:acm/certificate:Certificate", {
        "domainName": "example.com", "subjectAlternativeNames": ["*.example.com"], "validationMethod": "DNS",
        "tags": {"a": "b"}}),
    "proved": ("aws:acm/certificateValidation:CertificateValidation", {"certificateArn": "${certificate.arn}"}),
}  # fmt: skip
NAMES_CHANGES: dict[str, dict[str, Any]] = {
    "zone": {"comment": "the shop", "tags": {"a": "c"}},
    "check": {"resourcePath": "/ready", "failureThreshold": 5, "tags": {}},
    "www": {"records": ["192.0.2.3"], "ttl": 30},
    "apex": {"aliases": [{"name": "d2.cloudfront.net", "zoneId": "Z2FDTNDATAQYW2", "evaluateTargetHealth": False}]},
    "half": {"weightedRoutingPolicies": [{"weight": 100}]},
    "certificate": {"tags": {"a": "c"}},
}

FOUND = {
    **PLACE,
    "private": (M + "privateDnsNamespace:PrivateDnsNamespace", {
        "name": "shop.local", "vpc": "${vpc}", "tags": {"a": "b"}}),
    "http": (M + "httpNamespace:HttpNamespace", {"name": "shop"}),
    "web": (M + "service:Service", {
        "name": "web", "dnsConfig": {"namespaceId": "${private}", "dnsRecords": [{"ttl": 10, "type": "A"}]},
        "healthCheckCustomConfig": {"failureThreshold": 1}}),
    "one": (M + "instance:Instance", {
        "serviceId": "${web}", "instanceId": "one", "attributes": {"AWS_INSTANCE_IPV4": "10.0.1.10"}}),
}  # fmt: skip
FOUND_CHANGES: dict[str, dict[str, Any]] = {
    "web": {"description": "the shop's pages"},
    "one": {"attributes": {"AWS_INSTANCE_IPV4": "10.0.1.11"}},
}

FILES = {
    **PLACE,
    "second": ("aws:ec2/securityGroup:SecurityGroup", {"vpcId": "${vpc}"}),
    "files": (F + "fileSystem:FileSystem", {
        "encrypted": True, "lifecyclePolicies": [{"transitionToIa": "AFTER_30_DAYS"}], "tags": {"a": "b"}}),
    "mount": (F + "mountTarget:MountTarget", {
        "fileSystemId": "${files}", "subnetId": "${subnet}", "securityGroups": ["${group}"]}),
    "point": (F + "accessPoint:AccessPoint", {
        "fileSystemId": "${files}", "posixUser": {"uid": 1000, "gid": 1000}, "rootDirectory": {"path": "/shop"},
        "tags": {"a": "b"}}),
    "policy": (F + "fileSystemPolicy:FileSystemPolicy", {"fileSystemId": "${files}", "policy": json.dumps({
        "Version": "2012-10-17", "Id": "1", "Statement": [{
            "Sid": "all", "Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "elasticfilesystem:*",
            "Resource": "${files.arn}"}]})}),
    "kept": (F + "backupPolicy:BackupPolicy", {"fileSystemId": "${files}", "backupPolicy": {"status": "ENABLED"}}),
}  # fmt: skip
FILES_CHANGES: dict[str, dict[str, Any]] = {
    "files": {"lifecyclePolicies": [{"transitionToIa": "AFTER_7_DAYS"}], "tags": {"a": "c"}},
    "mount": {"securityGroups": ["${second}"]},
}


def test_names(lives: Any) -> None:
    lives.run(NAMES, NAMES_CHANGES)


def test_found_services(lives: Any) -> None:
    lives.run(FOUND, FOUND_CHANGES)


def test_files(lives: Any) -> None:
    lives.run(FILES, FILES_CHANGES)
