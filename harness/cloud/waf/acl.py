"""A web ACL judges a request: rules by priority, the first action that ends decides. Pure but for counted rates.

https://docs.aws.amazon.com/waf/latest/developerguide/web-acl-processing.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.cloud.waf.managed import GROUPS
from harness.cloud.waf.statements import Resolve, Spec, Test, UnsupportedStatementError, WebRequest, compile_statement

DEFAULT = "Default_Action"
"""What decided, where no rule did."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a request, and by which rule. `response` is a CustomResponse, where one is given.

    `counted` are the rules that matched it and only counted.
    """

    blocked: bool
    rule: str = DEFAULT
    response: Mapping[str, Any] | None = None
    counted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One compiled rule. `action` is Allow, Block or Count; `labels` it adds to what it matches."""

    name: str
    test: Test
    action: str
    response: Mapping[str, Any] | None
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WebAcl:
    """A web ACL, compiled."""

    rules: tuple[Rule, ...]
    default: str
    response: Mapping[str, Any] | None

    @classmethod
    def of(cls, spec: Spec, resolve: Resolve) -> WebAcl:
        """Compile what CreateWebACL is given.

        Raises:
            UnsupportedStatementError: a rule is not evaluated here.
        """
        ordered = sorted(spec.get("Rules") or (), key=lambda rule: int(rule["Priority"]))
        rules = tuple(one for rule in ordered for one in _rules(rule, resolve))
        action, response = _action(spec.get("DefaultAction") or {"Allow": {}})
        return cls(rules, action, response)

    def judge(self, request: WebRequest) -> Verdict:
        """The first rule that matches and does not only count decides; the default action otherwise."""
        counted: tuple[str, ...] = ()
        for rule in self.rules:
            if not rule.test(request):
                continue
            request.labels.update(rule.labels)
            if rule.action != "Count":
                return Verdict(rule.action == "Block", rule.name, rule.response, counted)
            counted = (*counted, rule.name)
        return Verdict(self.default == "Block", response=self.response, counted=counted)


def _rules(rule: Spec, resolve: Resolve) -> Iterator[Rule]:
    statement = rule["Statement"]
    managed = statement.get("ManagedRuleGroupStatement")
    if managed is not None:
        group = GROUPS.get(str(managed["Name"]))
        if group is None or managed.get("VendorName") != "AWS":
            raise UnsupportedStatementError(f"{managed['Name']} is not among {', '.join(sorted(GROUPS))}")
        excluded = {one["Name"] for one in managed.get("ExcludedRules") or ()}
        overridden = {one["Name"]: one["ActionToUse"] for one in managed.get("RuleActionOverrides") or ()}
        for name, inner in group.items():
            action = {"Count": {}} if name in excluded else overridden.get(name, {"Block": {}})
            yield _rule(f"{rule['Name']}:{name}", {"Statement": inner, "Action": _over(rule, action)}, resolve)
        return
    reference = statement.get("RuleGroupReferenceStatement")
    if reference is not None:
        group_rules = sorted(resolve(reference["ARN"]).get("Rules") or (), key=lambda one: int(one["Priority"]))
        for one in group_rules:
            yield _rule(str(one["Name"]), {**one, "Action": _over(rule, one.get("Action") or {})}, resolve)
        return
    yield _rule(str(rule["Name"]), rule, resolve)


def _over(rule: Spec, action: Spec) -> Spec:
    return {"Count": {}} if "Count" in (rule.get("OverrideAction") or {}) else action


def _rule(name: str, spec: Spec, resolve: Resolve) -> Rule:
    action, response = _action(spec["Action"])
    labels = tuple(str(one["Name"]) for one in spec.get("RuleLabels") or ())
    test = compile_statement(spec["Statement"], resolve)
    return Rule(name=name, test=test, action=action, response=response, labels=labels)


def _action(spec: Spec) -> tuple[str, Mapping[str, Any] | None]:
    (kind, detail), *_ = spec.items()
    if kind not in {"Allow", "Block", "Count"}:
        raise UnsupportedStatementError(f"the action {kind} is not taken here")
    return kind, (detail or {}).get("CustomResponse")
