"""Elastic Load Balancing version 2: load balancers, and what is known of their regions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.aws_type import roots
from harness.deploy.providers.aws.described import Attributed
from harness.deploy.providers.aws.load_balancer_regions import LOG_ACCOUNTS, ZONE_IDS
from harness.deploy.providers.aws.load_balancer_type import Elb
from harness.deploy.providers.resource import Context, Invoke, Properties
from harness.errors import ProviderError


class LoadBalancer(Elb, Attributed):
    """An application, network or gateway load balancer; the id is the ARN."""

    token: ClassVar = "aws:lb/loadBalancer:LoadBalancer"
    aliases: ClassVar = ("aws:alb/loadBalancer:LoadBalancer",)
    creates: ClassVar = "CreateLoadBalancer"
    reads: ClassVar = "DescribeLoadBalancers"
    deletes: ClassVar = "DeleteLoadBalancer"
    modifies: ClassVar = "ModifyLoadBalancerAttributes"
    tells: ClassVar = "DescribeLoadBalancerAttributes"
    selects: ClassVar = "LoadBalancerArns"
    body: ClassVar = "LoadBalancers"
    key: ClassVar = {"LoadBalancerArn": "id"}
    id_from: ClassVar = "LoadBalancers.0.LoadBalancerArn"
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 32}
    renames: ClassVar = {
        "loadBalancerType": "Type", "name": "LoadBalancerName", "arn": "LoadBalancerArn", "dnsName": "DNSName",
        "zoneId": "CanonicalHostedZoneId", "internal": "", "subnetMappings": "", "healthCheckLogs": "",
    }  # fmt: skip
    defaults: ClassVar = {
        "loadBalancerType": "application",
        "internal": False,
        "enableDeletionProtection": False,
        "ipAddressType": "ipv4",
    }
    replace_on: ClassVar = frozenset({"name", "namePrefix", "internal", "loadBalancerType", "customerOwnedIpv4Pool"})
    attributes: ClassVar = {
        "enableDeletionProtection": "deletion_protection.enabled",
        "enableCrossZoneLoadBalancing": "load_balancing.cross_zone.enabled",
        "enableHttp2": "routing.http2.enabled",
        "enableWafFailOpen": "waf.fail_open.enabled",
        "enableXffClientPort": "routing.http.xff_client_port.enabled",
        "enableTlsVersionAndCipherSuiteHeaders": "routing.http.x_amzn_tls_version_and_cipher_suite.enabled",
        "enableZonalShift": "zonal_shift.config.enabled",
        "idleTimeout": "idle_timeout.timeout_seconds",
        "clientKeepAlive": "client_keep_alive.seconds",
        "desyncMitigationMode": "routing.http.desync_mitigation_mode",
        "dropInvalidHeaderFields": "routing.http.drop_invalid_header_fields.enabled",
        "preserveHostHeader": "routing.http.preserve_host_header.enabled",
        "xffHeaderProcessingMode": "routing.http.xff_header_processing.mode",
        "dnsRecordClientRoutingPolicy": "dns_record.client_routing_policy",
        "accessLogs.enabled": "access_logs.s3.enabled",
        "accessLogs.bucket": "access_logs.s3.bucket",
        "accessLogs.prefix": "access_logs.s3.prefix",
        "connectionLogs.enabled": "connection_logs.s3.enabled",
        "connectionLogs.bucket": "connection_logs.s3.bucket",
        "connectionLogs.prefix": "connection_logs.s3.prefix",
    }

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """Whether it faces the internet is a scheme; the name is plain in requests."""
        del context
        scheme = "internal" if inputs.get("internal") else "internet-facing"
        return {**inputs, "scheme": scheme}

    def send(self, context: Context, operation: str, inputs: Properties, **fixed: Any) -> dict[str, Any]:
        """Requests say Name where answers say LoadBalancerName."""
        if operation == self.creates:
            named = {
                "subnetId": "SubnetId",
                "allocationId": "AllocationId",
                "privateIpv4Address": "PrivateIPv4Address",
            }
            mappings = [
                {member: one[name] for name, member in named.items() if one.get(name)}
                for one in inputs.get("subnetMappings") or ()
            ]
            fixed = {**fixed, "Name": inputs["name"], **({"SubnetMappings": mappings} if mappings else {})}
        return super().send(context, operation, inputs, **fixed)

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """Subnets, suffix, attributes."""
        del context
        subnets = [zone["SubnetId"] for zone in body.get("AvailabilityZones", ())]
        wanted = inputs.get("subnets")
        return {
            **self.told_attributes(dict(body), inputs),
            "internal": body["Scheme"] == "internal",
            "arnSuffix": resource_id.partition(":loadbalancer/")[2],
            "subnets": wanted if wanted and set(wanted) == set(subnets) else subnets,
        }

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Subnets, groups, address type, attributes."""
        differs, client = roots(olds, news), self.client(context)
        if "securityGroups" in differs:
            client.set_security_groups(LoadBalancerArn=resource_id, SecurityGroups=news.get("securityGroups") or [])
        if "subnets" in differs and news.get("subnets"):
            client.set_subnets(LoadBalancerArn=resource_id, Subnets=news["subnets"])
        if "ipAddressType" in differs:
            client.set_ip_address_type(LoadBalancerArn=resource_id, IpAddressType=news["ipAddressType"])
        self.set_attributes(context, resource_id, olds, news)

    def find(self, context: Context, inputs: Properties) -> str | None:
        """By name."""
        pages = self.client(context).get_paginator("describe_load_balancers").paginate()
        arns = [
            one["LoadBalancerArn"]
            for page in pages
            for one in page["LoadBalancers"]
            if one["LoadBalancerName"] == inputs["name"]
        ]
        return arns[0] if arns else None


def load_balancer(context: Context, arguments: Properties) -> Properties:
    """One load balancer, by ARN or name."""
    handler = LoadBalancer()
    arn = arguments.get("arn") or handler.find(context, {"name": arguments.get("name")})
    found = handler.read(context, str(arn), {}) if arn else None
    if found is None:
        raise ProviderError(
            "no load balancer matches", where="aws:lb/getLoadBalancer:getLoadBalancer", hint="by arn or name"
        )
    return {**found, "id": arn}


def hosted_zone_id(context: Context, arguments: Properties) -> Properties:
    """The zone that load balancers of a region are in, for alias records."""
    region, kind = (
        str(arguments.get("region") or context.region),
        str(arguments.get("loadBalancerType") or "application"),
    )
    if region not in ZONE_IDS:
        raise ProviderError(
            f"no hosted zone id is known for {region}", where="aws:lb/getHostedZoneId:getHostedZoneId"
        )
    return {**arguments, "id": ZONE_IDS[region][kind == "network"], "region": region}


def service_account(context: Context, arguments: Properties) -> Properties:
    """The account that writes load balancers' access logs."""
    region = str(arguments.get("region") or context.region)
    if region not in LOG_ACCOUNTS:
        raise ProviderError(f"no account is known for {region}", where="aws:elb/getServiceAccount:getServiceAccount")
    account = LOG_ACCOUNTS[region]
    return {"id": account, "arn": f"arn:aws:iam::{account}:root", "region": region}


RESOURCES = (LoadBalancer(),)


INVOKES: dict[str, Invoke] = {
    "aws:lb/getLoadBalancer:getLoadBalancer": load_balancer,
    "aws:alb/getLoadBalancer:getLoadBalancer": load_balancer,
    "aws:lb/getHostedZoneId:getHostedZoneId": hosted_zone_id,
    "aws:elb/getHostedZoneId:getHostedZoneId": hosted_zone_id,
    "aws:elb/getServiceAccount:getServiceAccount": service_account,
}
