"""Elastic Load Balancing version 2: load balancers, listeners and their rules, target groups and their targets."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.aws_type import roots
from harness.deploy.providers.aws.described import Attributed, Described
from harness.deploy.providers.aws.load_balancer_regions import LOG_ACCOUNTS, ZONE_IDS
from harness.deploy.providers.aws.shapes import scalar_text
from harness.deploy.providers.aws.tags import Tagging
from harness.deploy.providers.resource import Context, Invoke, Properties
from harness.errors import ProviderError

ELB = Tagging(tag="add_tags", untag="remove_tags", resource="ResourceArns")


class _Elb(Described):
    service: ClassVar[str] = "elbv2"
    tagging: ClassVar[Tagging | None] = ELB

    def tag_target(self, resource_id: str, state: Properties) -> list[str]:
        """By ARN, in a list."""
        del state
        return [resource_id]


class LoadBalancer(_Elb, Attributed):
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


_HEALTH = {
    "enabled": "HealthCheckEnabled",
    "healthyThreshold": "HealthyThresholdCount",
    "interval": "HealthCheckIntervalSeconds",
    "path": "HealthCheckPath",
    "port": "HealthCheckPort",
    "protocol": "HealthCheckProtocol",
    "timeout": "HealthCheckTimeoutSeconds",
    "unhealthyThreshold": "UnhealthyThresholdCount",
}


class TargetGroup(_Elb, Attributed, noun="TargetGroup", verbs="Create - Modify Delete"):
    """Where requests go; the id is the ARN."""

    token: ClassVar = "aws:lb/targetGroup:TargetGroup"
    aliases: ClassVar = ("aws:alb/targetGroup:TargetGroup",)
    reads: ClassVar = "DescribeTargetGroups"
    modifies: ClassVar = "ModifyTargetGroupAttributes"
    tells: ClassVar = "DescribeTargetGroupAttributes"
    selects: ClassVar = "TargetGroupArns"
    body: ClassVar = "TargetGroups"
    key: ClassVar = {"TargetGroupArn": "id"}
    id_from: ClassVar = "TargetGroups.0.TargetGroupArn"
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 32}
    renames: ClassVar = {"arn": "TargetGroupArn"}
    defaults: ClassVar = {"targetType": "instance", "deregistrationDelay": 300}
    replace_on: ClassVar = frozenset(
        {"name", "namePrefix", "port", "protocol", "protocolVersion", "targetType", "vpcId", "ipAddressType"}
    )
    attributes: ClassVar = {
        "deregistrationDelay": "deregistration_delay.timeout_seconds",
        "slowStart": "slow_start.duration_seconds",
        "connectionTermination": "deregistration_delay.connection_termination.enabled",
        "lambdaMultiValueHeadersEnabled": "lambda.multi_value_headers.enabled",
        "loadBalancingAlgorithmType": "load_balancing.algorithm.type",
        "loadBalancingAnomalyMitigation": "load_balancing.algorithm.anomaly_mitigation",
        "loadBalancingCrossZoneEnabled": "load_balancing.cross_zone.enabled",
        "preserveClientIp": "preserve_client_ip.enabled",
        "proxyProtocolV2": "proxy_protocol_v2.enabled",
        "stickiness.enabled": "stickiness.enabled",
        "stickiness.type": "stickiness.type",
        "stickiness.cookieDuration": "stickiness.lb_cookie.duration_seconds",
    }

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """The health check's settings are the group's own."""
        del context
        check = inputs.get("healthCheck") or {}
        flat = {member[0].lower() + member[1:]: check[name] for name, member in _HEALTH.items() if name in check}
        code = "grpcCode" if inputs.get("protocolVersion") == "GRPC" else "httpCode"
        matcher = {code: check["matcher"]} if check.get("matcher") else None
        plain = {name: value for name, value in inputs.items() if name not in {"healthCheck", "stickiness"}}
        return {**plain, **flat, "matcher": matcher}

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """The health check as a block, suffix, attributes."""
        del context
        check = {name: body[member] for name, member in _HEALTH.items() if member in body}
        matcher = body.get("Matcher") or {}
        check["matcher"] = matcher.get("HttpCode") or matcher.get("GrpcCode")
        wanted = inputs.get("healthCheck")
        seen = {name: check.get(name, value) for name, value in wanted.items()} if wanted else check
        same = wanted and {n: scalar_text(v) for n, v in seen.items()} == {
            n: scalar_text(v) for n, v in wanted.items()
        }
        return {
            **self.told_attributes(dict(body), inputs),
            "name": body["TargetGroupName"],
            "healthCheck": wanted if same else seen,
            "arnSuffix": resource_id.rpartition(":")[2],
            "loadBalancerArns": body.get("LoadBalancerArns", []),
        }

    def find(self, context: Context, inputs: Properties) -> str | None:
        """By name."""
        client = self.client(context)
        pages = client.get_paginator("describe_target_groups").paginate()
        found = [one for page in pages for one in page["TargetGroups"] if one["TargetGroupName"] == inputs["name"]]
        return found[0]["TargetGroupArn"] if found else None


_ACTIONS = {
    "redirect": "RedirectConfig",
    "fixedResponse": "FixedResponseConfig",
    "authenticateCognito": "AuthenticateCognitoConfig",
    "authenticateOidc": "AuthenticateOidcConfig",
}
_REDIRECT = {"host": "#{host}", "path": "/#{path}", "port": "#{port}", "protocol": "#{protocol}", "query": "#{query}"}


class Listener(_Elb, noun="Listener", verbs="Create - Modify Delete"):
    """A port that a load balancer listens on; the id is the ARN."""

    token: ClassVar = "aws:lb/listener:Listener"
    aliases: ClassVar = ("aws:alb/listener:Listener",)
    reads: ClassVar = "DescribeListeners"
    selects: ClassVar = "ListenerArns"
    body: ClassVar = "Listeners"
    key: ClassVar = {"ListenerArn": "id"}
    id_from: ClassVar = "Listeners.0.ListenerArn"
    renames: ClassVar = {"arn": "ListenerArn", **_ACTIONS, "forward": "ForwardConfig"}
    replace_on: ClassVar = frozenset({"loadBalancerArn"})

    def check(self, context: Context, inputs: Properties, olds: Properties | None) -> Properties:
        """TLS listeners have a policy, application load balancers speak HTTP unless told."""
        given = super().check(context, inputs, olds)
        if given.get("port") is not None and "loadbalancer/app/" in str(given["loadBalancerArn"]):
            given.setdefault("protocol", "HTTP")
        if given.get("protocol") in {"HTTPS", "TLS"}:
            given.setdefault("sslPolicy", "ELBSecurityPolicy-2016-08")
        return given

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """Certificate and ALPN as lists; actions in AWS's form."""
        del context
        arn, alpn = inputs.get("certificateArn"), inputs.get("alpnPolicy")
        return {
            **inputs,
            "certificates": [{"certificateArn": arn}] if arn else None,
            "alpnPolicy": [alpn] if alpn else None,
            "defaultActions": wire_actions(inputs["defaultActions"]),
        }

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """The default certificate; actions as they were given, when they still say so."""
        del context, resource_id
        certificates = body.get("Certificates") or [{}]
        return {
            "certificateArn": certificates[0].get("CertificateArn"),
            "defaultActions": seen_actions(inputs.get("defaultActions") or [], body["DefaultActions"]),
        }


class ListenerRule(_Elb, noun="Rule", verbs="Create - Modify Delete"):
    """What a listener does with requests that match; the id is the ARN."""

    token: ClassVar = "aws:lb/listenerRule:ListenerRule"
    aliases: ClassVar = ("aws:alb/listenerRule:ListenerRule",)
    reads: ClassVar = "DescribeRules"
    selects: ClassVar = "RuleArns"
    body: ClassVar = "Rules"
    key: ClassVar = {"RuleArn": "id"}
    id_from: ClassVar = "Rules.0.RuleArn"
    renames: ClassVar = {"arn": "RuleArn", **_ACTIONS, "conditions": ""}
    replace_on: ClassVar = frozenset({"listenerArn"})

    def make(self, context: Context, inputs: Properties) -> str:
        """A rule without a priority comes after all others."""
        if inputs.get("priority") is None:
            rules = self.client(context).describe_rules(ListenerArn=inputs["listenerArn"])["Rules"]
            taken = [int(rule["Priority"]) for rule in rules if rule["Priority"].isdigit()]
            inputs = {**inputs, "priority": max(taken, default=0) + 1}
        return super().make(context, inputs)

    def send(self, context: Context, operation: str, inputs: Properties, **fixed: Any) -> dict[str, Any]:
        """Conditions, with a configuration for each kind."""
        if operation in {self.creates, self.updates}:
            fixed = {**fixed, "Conditions": [_condition(one) for one in inputs["conditions"]]}
        return super().send(context, operation, inputs, **fixed)

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """Actions in AWS's form."""
        del context
        return {**inputs, "actions": wire_actions(inputs["actions"])}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Priorities have an operation of their own."""
        super().change(context, resource_id, {**olds, "priority": None}, {**news, "priority": None})
        if news.get("priority") is not None and olds.get("priority") != news["priority"]:
            ranked = {"RuleArn": resource_id, "Priority": int(news["priority"])}
            self.client(context).set_rule_priorities(RulePriorities=[ranked])

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """Its listener is in its ARN; actions and conditions as they were given, when they still say so."""
        del context
        listener = resource_id.replace(":listener-rule/", ":listener/").rpartition("/")[0]
        told: Properties = {"listenerArn": listener, "priority": int(body["Priority"])}
        told["actions"] = seen_actions(inputs.get("actions") or [], body["Actions"])
        wanted = [_condition(one) for one in inputs.get("conditions") or ()]
        if _values(wanted) == _values(body.get("Conditions", ())):
            told["conditions"] = inputs.get("conditions")
        else:
            told["conditions"] = [{"field": field, "values": values} for field, values in _values(body["Conditions"])]
        return told


class TargetGroupAttachment(_Elb):
    """A target of a group."""

    token: ClassVar = "aws:lb/targetGroupAttachment:TargetGroupAttachment"
    aliases: ClassVar = ("aws:alb/targetGroupAttachment:TargetGroupAttachment",)
    parts: ClassVar = ("targetGroupArn", "targetId")
    tagging: ClassVar = None
    replace_on: ClassVar = frozenset({"availabilityZone", "port", "targetGroupArn", "targetId", "quicServerId"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Register it."""
        self.client(context).register_targets(TargetGroupArn=inputs["targetGroupArn"], Targets=[_target(inputs)])
        return self.joined(inputs)

    def joined(self, inputs: Properties) -> str:
        """The group's ARN and a hash; the real provider's digits are random."""
        digest = hashlib.sha256(json.dumps(_target(inputs), sort_keys=True).encode())
        return f"{inputs['targetGroupArn']}-{digest.hexdigest()[:26]}"

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """Among the group's targets."""
        del resource_id
        answer = self.client(context).describe_target_health(TargetGroupArn=inputs["targetGroupArn"])
        wanted = _target(inputs)
        for one in answer["TargetHealthDescriptions"]:
            told = {name: one["Target"].get(name) for name in wanted}
            if told == wanted and one["TargetHealth"]["State"] != "draining":
                return {}
        return None

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Deregister it."""
        del resource_id
        self.client(context).deregister_targets(TargetGroupArn=state["targetGroupArn"], Targets=[_target(state)])


class ListenerCertificate(_Elb):
    """One more certificate of a listener."""

    token: ClassVar = "aws:lb/listenerCertificate:ListenerCertificate"
    aliases: ClassVar = ("aws:alb/listenerCertificate:ListenerCertificate",)
    tagging: ClassVar = None
    parts: ClassVar = ("listenerArn", "certificateArn")
    separator: ClassVar = "_"
    replace_on: ClassVar = frozenset({"listenerArn", "certificateArn"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Add it."""
        certificate = [{"CertificateArn": inputs["certificateArn"]}]
        self.client(context).add_listener_certificates(ListenerArn=inputs["listenerArn"], Certificates=certificate)
        return self.joined(inputs)

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """Among the listener's certificates."""
        listener, certificate = resource_id.split("_", 1)
        del inputs
        found = self.client(context).describe_listener_certificates(ListenerArn=listener)["Certificates"]
        there = any(one["CertificateArn"] == certificate for one in found)
        return {"listenerArn": listener, "certificateArn": certificate} if there else None

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Take it away."""
        del resource_id
        certificate = [{"CertificateArn": state["certificateArn"]}]
        self.client(context).remove_listener_certificates(ListenerArn=state["listenerArn"], Certificates=certificate)


def wire_actions(actions: list[Properties]) -> list[Properties]:
    """Actions as requests take them: a single target group both ways, redirects with AWS's own placeholders."""
    made = []
    for order, action in enumerate(actions, start=1):
        one = {**action, "order": action.get("order") or order}
        forward = one.pop("forward", None)
        if forward:
            groups = [{"targetGroupArn": g["arn"], "weight": g.get("weight", 1)} for g in forward["targetGroups"]]
            sticky = forward.get("stickiness")
            kept = {"targetGroupStickinessConfig": {"enabled": sticky.get("enabled", False),
                    "durationSeconds": sticky["duration"]}} if sticky else {}  # fmt: skip
            one["forwardConfig"] = {"targetGroups": groups, **kept}
            if len(groups) == 1:
                one["targetGroupArn"] = groups[0]["targetGroupArn"]
        if one.get("redirect"):
            one["redirect"] = {**_REDIRECT, **one["redirect"]}
        made.append(one)
    return made


def seen_actions(wanted: list[Properties], found: list[dict[str, Any]]) -> list[Properties]:
    """`wanted` when AWS says the same of type, group and the heart of each action; else what it says."""
    ordered = sorted(found, key=lambda action: int(action.get("Order") or 0))
    alike = len(wanted) == len(ordered) and all(map(_same_action, wanted, ordered))
    return (
        wanted if alike else [{"type": one["Type"], "targetGroupArn": one.get("TargetGroupArn")} for one in ordered]
    )


def _same_action(wanted: Properties, found: Mapping[str, Any]) -> bool:
    inner = {"redirect": ("RedirectConfig", "statusCode"), "fixedResponse": ("FixedResponseConfig", "statusCode")}
    for name, (member, key) in inner.items():
        if wanted.get(name) and str(wanted[name].get(key)) != str((found.get(member) or {}).get("StatusCode")):
            return False
    group = wanted.get("targetGroupArn")
    return wanted["type"] == found["Type"] and (not group or group == found.get("TargetGroupArn"))


_FIELDS = {"hostHeader": "host-header", "pathPattern": "path-pattern", "httpRequestMethod": "http-request-method",
           "sourceIp": "source-ip", "httpHeader": "http-header", "queryStrings": "query-string"}  # fmt: skip


def _condition(condition: Properties) -> dict[str, Any]:
    """One condition in AWS's form."""
    kind = next(name for name in _FIELDS if condition.get(name))
    given, field = condition[kind], _FIELDS[kind]
    if kind == "queryStrings":
        pairs = [{name.title(): value for name, value in one.items()} for one in given]
        return {"Field": field, "QueryStringConfig": {"Values": pairs}}
    config: dict[str, Any] = {"Values": given["values"]}
    if kind == "httpHeader":
        config["HttpHeaderName"] = given["httpHeaderName"]
    return {"Field": field, f"{kind[0].upper()}{kind[1:]}Config": config}


def _values(conditions: Any) -> list[tuple[str, list[Any]]]:
    """Field and values of each condition, in one order."""
    told = []
    for one in conditions:
        config: Any = next((value for name, value in one.items() if name.endswith("Config") and value), {})
        told.append((one["Field"], sorted(map(str, config.get("Values") or one.get("Values") or ()))))
    return sorted(told)


def _target(inputs: Properties) -> dict[str, Any]:
    target = {"Id": inputs["targetId"]}
    if inputs.get("port") is not None:
        target["Port"] = int(inputs["port"])
    return {**target, **({"AvailabilityZone": inputs["availabilityZone"]} if inputs.get("availabilityZone") else {})}


def load_balancer(context: Context, arguments: Properties) -> Properties:
    """One load balancer, by ARN or name."""
    handler = RESOURCES[0]
    arn = arguments.get("arn") or handler.find(context, {"name": arguments.get("name")})
    found = handler.read(context, str(arn), {}) if arn else None
    if found is None:
        raise ProviderError(
            "no load balancer matches", where="aws:lb/getLoadBalancer:getLoadBalancer", hint="by arn or name"
        )
    return {**found, "id": arn}


def target_group(context: Context, arguments: Properties) -> Properties:
    """One target group, by ARN or name."""
    handler = RESOURCES[1]
    arn = arguments.get("arn") or handler.find(context, {"name": arguments.get("name")})
    found = handler.read(context, str(arn), {}) if arn else None
    if found is None:
        raise ProviderError(
            "no target group matches", where="aws:lb/getTargetGroup:getTargetGroup", hint="by arn or name"
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


RESOURCES = (
    LoadBalancer(), TargetGroup(), Listener(), ListenerRule(), TargetGroupAttachment(), ListenerCertificate(),
)  # fmt: skip
INVOKES: dict[str, Invoke] = {
    "aws:lb/getLoadBalancer:getLoadBalancer": load_balancer,
    "aws:alb/getLoadBalancer:getLoadBalancer": load_balancer,
    "aws:lb/getTargetGroup:getTargetGroup": target_group,
    "aws:alb/getTargetGroup:getTargetGroup": target_group,
    "aws:lb/getHostedZoneId:getHostedZoneId": hosted_zone_id,
    "aws:elb/getHostedZoneId:getHostedZoneId": hosted_zone_id,
    "aws:elb/getServiceAccount:getServiceAccount": service_account,
}
