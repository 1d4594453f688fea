"""WAFv2: web ACLs, rule groups, sets of addresses and patterns, what they protect, and their logs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.aws_type import roots
from harness.deploy.providers.aws.declared import Declared
from harness.deploy.providers.aws.described import agrees
from harness.deploy.providers.aws.shapes import to_request
from harness.deploy.providers.aws.tags import Tagging
from harness.deploy.providers.resource import Context, Properties


class _Waf(Declared):
    """One kind of thing with a scope; changes and deletions are guarded by a lock token."""

    service: ClassVar[str] = "wafv2"
    tagging: ClassVar[Tagging | None] = Tagging(resource="ResourceARN")
    noun: ClassVar[str] = ""
    key: ClassVar[Mapping[str, str]] = {"Id": "id", "Name": "name", "Scope": "scope"}
    id_from: ClassVar[str] = "Summary.Id"
    named: ClassVar[str] = "name"
    name_rules: ClassVar[Mapping[str, Any]] = {"limit": 128}
    compared: ClassVar[tuple[str, ...]] = ()
    """Properties that are compared in AWS's form: statements are too many kinds to be told one by one."""
    replace_on: ClassVar[frozenset[str]] = frozenset({"name", "namePrefix", "scope"})

    def __init_subclass__(cls) -> None:
        """Spell out what follows from the noun."""
        super().__init_subclass__()
        if cls.noun:
            cls.creates, cls.reads = f"Create{cls.noun}", f"Get{cls.noun}"
            cls.updates, cls.deletes, cls.body = f"Update{cls.noun}", f"Delete{cls.noun}", cls.noun

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """Blocks that AWS has otherwise."""
        given = {**inputs}
        bodies = given.pop("customResponseBodies", None)
        if bodies:
            told = {one["key"]: {name: one[name] for name in ("content", "contentType")} for one in bodies}
            given["customResponseBodies"] = told
        if given.get("rules"):
            given["rules"] = [_rule(one) for one in given["rules"]]
        if self.noun in {"WebACL", "RuleGroup"}:
            given.setdefault("rules", [])
        if given.get("regularExpressions") is not None:
            given["regularExpressionList"] = given.pop("regularExpressions")
        return given

    def ask(self, context: Context, resource_id: str, inputs: Properties) -> dict[str, Any] | None:
        """With its lock token. An import is `<id>/<name>/<scope>`."""
        told = dict(zip(("id", "name", "scope"), resource_id.split("/"), strict=False))
        known = {**told, **{name: inputs[name] for name in ("name", "scope") if inputs.get(name)}}
        where = {"Id": known["id"], "Name": known.get("name"), "Scope": known.get("scope")}
        answer = self.send(context, self.reads, {}, **where)
        return {**answer[self.body], "LockToken": answer.get("LockToken")}

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """Those that are compared in AWS's form."""
        told: Properties = {
            "lockToken": body.get("LockToken"),
            "capacity": body.get("Capacity") or inputs.get("capacity"),
        }
        shape = self.client(context).meta.service_model.operation_model(self.creates).input_shape
        for name in self.compared:
            if inputs.get(name) is not None:
                wire = to_request(shape, self.arrange(context, {name: inputs[name]}), self.renames)
                same = all(
                    agrees(value, body.get(member)) for member, value in wire.items() if member != "Rules" or value
                )
                told[name] = inputs[name] if same else _plain(body.get(next(iter(wire), ""), None))
        return told

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Everything again, with the lock token of now."""
        if roots(olds, news) - {"tags"}:
            token = (self.ask(context, resource_id, news) or {})["LockToken"]
            wanted = {
                name: value for name, value in self.arrange(context, news).items() if name not in {"name", "scope"}
            }
            self.send(context, self.updates, wanted, **self.keys(resource_id, news), LockToken=token)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it, with the lock token of now."""
        body = self.ask(context, resource_id, state) or {}
        self.send(context, self.deletes, {}, **self.keys(resource_id, state), LockToken=body["LockToken"])


class WebAcl(_Waf):
    """Rules that requests are held against."""

    token: ClassVar = "aws:wafv2/webAcl:WebAcl"
    noun: ClassVar = "WebACL"
    compared: ClassVar = ("rules", "defaultAction", "visibilityConfig", "customResponseBodies")


class RuleGroup(_Waf):
    """Rules that several ACLs use."""

    token: ClassVar = "aws:wafv2/ruleGroup:RuleGroup"
    noun: ClassVar = "RuleGroup"
    compared: ClassVar = ("rules", "visibilityConfig", "customResponseBodies")
    replace_on: ClassVar = frozenset({"name", "namePrefix", "scope", "capacity"})


class IpSet(_Waf):
    """Addresses that rules name."""

    token: ClassVar = "aws:wafv2/ipSet:IpSet"
    noun: ClassVar = "IPSet"
    renames: ClassVar = {"ipAddressVersion": "IPAddressVersion"}
    replace_on: ClassVar = frozenset({"name", "namePrefix", "scope", "ipAddressVersion"})

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """An empty set is sent as such."""
        return {**inputs, "addresses": inputs.get("addresses") or []}


class RegexPatternSet(_Waf):
    """Patterns that rules name."""

    token: ClassVar = "aws:wafv2/regexPatternSet:RegexPatternSet"
    noun: ClassVar = "RegexPatternSet"
    compared: ClassVar = ("regularExpressions",)


class WebAclAssociation(Declared):
    """What an ACL protects; the id is both ARNs."""

    token: ClassVar = "aws:wafv2/webAclAssociation:WebAclAssociation"
    parts: ClassVar = ("webAclArn", "resourceArn")
    separator: ClassVar = ","
    replace_on: ClassVar = frozenset({"webAclArn", "resourceArn"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Associate it; a resource that was made a moment ago may not be known to WAF yet."""
        client = self.client(context)

        def accepted() -> bool:
            try:
                client.associate_web_acl(WebACLArn=inputs["webAclArn"], ResourceArn=inputs["resourceArn"])
            except client.exceptions.WAFUnavailableEntityException:
                return False
            return True

        context.wait_until(accepted, f"association of {inputs['resourceArn']}")
        return self.joined(inputs)

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """There as long as the resource has this ACL."""
        acl, resource = resource_id.split(",")
        found = self.client(context).get_web_acl_for_resource(ResourceArn=resource).get("WebACL")
        there = found is not None and found["ARN"] == acl
        return {"webAclArn": acl, "resourceArn": resource} if there else None

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Take it away."""
        if self.read(context, resource_id, state) is not None:
            self.client(context).disassociate_web_acl(ResourceArn=state["resourceArn"])


class WebAclLoggingConfiguration(Declared, noun="LoggingConfiguration", verbs="Put Get Put Delete"):
    """Where an ACL's decisions are written; the id is the ACL's ARN."""

    token: ClassVar = "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration"
    parts: ClassVar = ("resourceArn",)
    separator: ClassVar = "\n"
    wraps: ClassVar = "LoggingConfiguration"
    body: ClassVar = "LoggingConfiguration"
    key: ClassVar = {"ResourceArn": "resourceArn"}
    replace_on: ClassVar = frozenset({"resourceArn"})

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Put it again."""
        self.send(context, self.updates, news)


def _rule(rule: Properties) -> Properties:
    """One rule; a negation has one statement where programs write a list of one."""
    return {**rule, "statement": _statement(rule["statement"])} if "statement" in rule else rule


def _statement(statement: Any) -> Any:
    block = statement[0] if isinstance(statement, list) and statement else statement
    if not isinstance(block, dict):
        return block
    made = {}
    for name, inner in block.items():
        if inner is None:
            continue
        inside = inner[0] if isinstance(inner, list) and inner else inner
        if isinstance(inside, dict):
            inside = {**inside}
            if name == "notStatement":
                inner_statements = inside.pop("statements", None) or [inside.pop("statement", None)]
                inside["statement"] = _statement(inner_statements[0])
            elif inside.get("statements"):
                inside["statements"] = [_statement(one) for one in inside["statements"]]
            if inside.get("scopeDownStatement"):
                inside["scopeDownStatement"] = _statement(inside["scopeDownStatement"])
        made[name] = inside
    return made


def _plain(found: Any) -> Any:
    """AWS's answer as JSON has it: patterns are bytes."""
    return json.loads(json.dumps(found, default=lambda value: value.decode("latin-1")))


RESOURCES = (WebAcl(), RuleGroup(), IpSet(), RegexPatternSet(), WebAclAssociation(), WebAclLoggingConfiguration())
