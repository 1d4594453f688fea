"""Listeners of load balancers, their certificates, and their rules: conditions and actions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.load_balancer_type import Elb
from harness.deploy.providers.resource import Context, Properties

_ACTIONS = {
    "redirect": "RedirectConfig",
    "fixedResponse": "FixedResponseConfig",
    "authenticateCognito": "AuthenticateCognitoConfig",
    "authenticateOidc": "AuthenticateOidcConfig",
}


_REDIRECT = {"host": "#{host}", "path": "/#{path}", "port": "#{port}", "protocol": "#{protocol}", "query": "#{query}"}


class Listener(Elb, noun="Listener", verbs="Create - Modify Delete"):
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


class ListenerRule(Elb, noun="Rule", verbs="Create - Modify Delete"):
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


class ListenerCertificate(Elb):
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


RESOURCES = (Listener(), ListenerRule(), ListenerCertificate())
