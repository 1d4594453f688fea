"""Target groups of load balancers, their health checks, and the targets in them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.described import Attributed
from harness.deploy.providers.aws.load_balancer_type import Elb
from harness.deploy.providers.aws.shapes import scalar_text
from harness.deploy.providers.resource import Context, Invoke, Properties
from harness.errors import ProviderError

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


class TargetGroup(Elb, Attributed, noun="TargetGroup", verbs="Create - Modify Delete"):
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


class TargetGroupAttachment(Elb):
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


def _target(inputs: Properties) -> dict[str, Any]:
    target = {"Id": inputs["targetId"]}
    if inputs.get("port") is not None:
        target["Port"] = int(inputs["port"])
    return {**target, **({"AvailabilityZone": inputs["availabilityZone"]} if inputs.get("availabilityZone") else {})}


def target_group(context: Context, arguments: Properties) -> Properties:
    """One target group, by ARN or name."""
    handler = TargetGroup()
    arn = arguments.get("arn") or handler.find(context, {"name": arguments.get("name")})
    found = handler.read(context, str(arn), {}) if arn else None
    if found is None:
        raise ProviderError(
            "no target group matches", where="aws:lb/getTargetGroup:getTargetGroup", hint="by arn or name"
        )
    return {**found, "id": arn}


RESOURCES = (TargetGroup(), TargetGroupAttachment())


INVOKES: dict[str, Invoke] = {
    "aws:lb/getTargetGroup:getTargetGroup": target_group,
    "aws:alb/getTargetGroup:getTargetGroup": target_group,
}
