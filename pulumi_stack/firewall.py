"""AWS WAF in front of what it can stand in front of: the admin API's stage and the storefront's load balancer.

An HTTP API cannot have one: it is throttled by its stage.
https://docs.aws.amazon.com/waf/latest/developerguide/how-aws-waf-works-resources.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

MANAGED = ("AWSManagedRulesSQLiRuleSet", "AWSManagedRulesKnownBadInputsRuleSet")


@dataclass(frozen=True)
class FirewallArgs:
    """`protected` has the ARN of each stage or load balancer.

    A client that sends more than `limit` requests within `window_s` (60, 120, 300 or 600 seconds) is held off until
    it sends fewer. Clients are told apart by the first address in X-Forwarded-For, which a CDN in front sets; who
    comes without one is not counted.
    """

    protected: Mapping[str, pulumi.Input[str]]
    limit: int = 100
    window_s: int = 60


class Firewall(pulumi.ComponentResource):
    """Outputs: `acl`."""

    def __init__(self, name: str, args: FirewallArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("shop:index:Firewall", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        managed = [_managed(name, number, group) for number, group in enumerate(MANAGED, start=1)]
        self.acl = aws.wafv2.WebAcl(
            name,
            scope="REGIONAL",
            default_action={"allow": {}},
            rules=[_flood(name, args), *managed],
            visibility_config=_seen(name),
            tags={"app": "shop"},
            opts=child,
        )
        for label, arn in args.protected.items():
            aws.wafv2.WebAclAssociation(f"{name}-{label}", web_acl_arn=self.acl.arn, resource_arn=arn, opts=child)
        self.register_outputs({"acl": self.acl.arn})


def _flood(name: str, args: FirewallArgs) -> dict[str, Any]:
    forwarded = {"header_name": "X-Forwarded-For", "fallback_behavior": "NO_MATCH"}
    counted = {
        "limit": args.limit,
        "evaluation_window_sec": args.window_s,
        "aggregate_key_type": "FORWARDED_IP",
        "forwarded_ip_config": forwarded,
    }
    return {
        "name": "flood",
        "priority": 0,
        "statement": {"rate_based_statement": counted},
        "action": {"block": {"custom_response": {"response_code": 429}}},
        "visibility_config": _seen(f"{name}-flood"),
    }


def _managed(name: str, priority: int, group: str) -> dict[str, Any]:
    return {
        "name": group,
        "priority": priority,
        "statement": {"managed_rule_group_statement": {"vendor_name": "AWS", "name": group}},
        "override_action": {"none": {}},
        "visibility_config": _seen(f"{name}-{group}"),
    }


def _seen(metric: str) -> dict[str, Any]:
    return {"cloudwatch_metrics_enabled": True, "sampled_requests_enabled": True, "metric_name": metric}
