"""What load balancers use of ministack: its records and answers, with what it loses of them kept.

It forgets weights of target groups and query-string conditions, places every subnet in zone a, and tells targets
apart by their ids only. Every name is pinned by `tests/contract/test_ministack_hooks.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from harness.cloud.signals.emulated import in_scope, members, scope

__all__ = ["in_scope", "members", "scope", "xml"]

Record = dict[str, Any]
Answer = tuple[int, dict[str, str], bytes]
Proceed = Callable[[Any], Answer]
Operation = Callable[[Record, Callable[[], Answer]], Answer]
"""Answers an operation: its parameters in nested form, and what lets ministack answer it."""


def wrap(operations: Mapping[str, Operation], after: Callable[[str, Record], None]) -> None:
    """Let `operations` answer, and tell `after` of every call that changed something, with its parameters."""
    from ministack.services import alb

    def wrapped(name: str, builtin: Proceed, operation: Operation | None) -> Proceed:
        def answer(params: Any) -> Answer:
            asked = members(params)
            found = operation(asked, lambda: builtin(params)) if operation else builtin(params)
            if found[0] < 300 and not name.startswith("Describe"):
                after(name, asked)
            return found

        return answer

    known = alb._ACTION_MAP  # noqa: SLF001 - the seam that this file is for
    for name in {**known, **operations}:
        known[name] = wrapped(name, known.get(name, _unknown), operations.get(name))
    _keep_what_is_put()


def _unknown(_params: Any) -> Answer:
    return refused("InvalidAction", "the operation is not known here")


def _keep_what_is_put() -> None:
    from ministack.services import alb

    parse_actions, action_xml = alb._parse_actions, alb._action_xml  # noqa: SLF001
    parse_conditions, condition_xml, lb_xml = alb._parse_conditions, alb._condition_xml, alb._lb_xml  # noqa: SLF001

    def actions(params: Any, prefix: str = "DefaultActions") -> list[Record]:
        found: list[Record] = parse_actions(params, prefix)
        for action, given in zip(found, members(params).get(prefix) or (), strict=False):
            groups = list((given.get("ForwardConfig") or {}).get("TargetGroups") or ())
            if groups:
                action["ForwardConfig"] = given["ForwardConfig"]
            if len(groups) == 1:
                action["TargetGroupArn"] = groups[0]["TargetGroupArn"]
        return found

    def shown_action(action: Record) -> str:
        said: str = action_xml(action)
        config = action.get("ForwardConfig")
        if action["Type"] == "forward" and not config and action.get("TargetGroupArn"):
            config = {"TargetGroups": [{"TargetGroupArn": action["TargetGroupArn"], "Weight": 1}]}
        return said.replace("</member>", f"<ForwardConfig>{xml(config)}</ForwardConfig></member>") if config else said

    def conditions(params: Any, prefix: str = "Conditions") -> list[Record]:
        found: list[Record] = parse_conditions(params, prefix)
        for condition, given in zip(found, members(params).get(prefix) or (), strict=False):
            if given.get("QueryStringConfig"):
                condition["QueryStringConfig"] = given["QueryStringConfig"]
        return found

    def shown_condition(condition: Record) -> str:
        said: str = condition_xml(condition)
        config = condition.get("QueryStringConfig")
        return said.removesuffix("</member>") + f"<QueryStringConfig>{xml(config)}</QueryStringConfig></member>" if (
            config
        ) else said  # fmt: skip

    def shown_balancer(balancer: Record) -> str:
        said: str = lb_xml(balancer)
        for subnet in balancer.get("Subnets") or ():
            said = said.replace(
                f"<ZoneName>{scope()[1]}a</ZoneName><SubnetId>{subnet}<",
                f"<ZoneName>{zone_of_subnet(subnet) or scope()[1] + 'a'}</ZoneName><SubnetId>{subnet}<",
            )
        return said

    alb._parse_actions, alb._action_xml = actions, shown_action  # noqa: SLF001
    alb._parse_conditions, alb._condition_xml = conditions, shown_condition  # noqa: SLF001
    alb._lb_xml = shown_balancer  # noqa: SLF001


def zone_of_subnet(subnet: str) -> str:
    """The name of a subnet's zone; '' when there is no such subnet."""
    from ministack.services import ec2

    return str(ec2._subnets.get(subnet, {}).get("AvailabilityZone", ""))  # noqa: SLF001


def zone_of_instance(instance: str) -> tuple[str, str]:
    """The zone's name and the private address of an EC2 instance."""
    from ministack.services import ec2

    found = ec2._instances.get(instance, {})  # noqa: SLF001
    return str((found.get("Placement") or {}).get("AvailabilityZone", "")), str(found.get("PrivateIpAddress", ""))


def balancers() -> dict[str, Record]:
    """The caller's load balancers by ARN; the records are live."""
    from ministack.services import alb

    return dict(alb._lbs.items())  # noqa: SLF001


def groups() -> dict[str, Record]:
    """The caller's target groups by ARN; the records are live."""
    from ministack.services import alb

    return dict(alb._tgs.items())  # noqa: SLF001


def listeners() -> dict[str, Record]:
    """The caller's listeners by ARN."""
    from ministack.services import alb

    return dict(alb._listeners.items())  # noqa: SLF001


def rules() -> dict[str, Record]:
    """The caller's rules by ARN; the records are live."""
    from ministack.services import alb

    return dict(alb._rules.items())  # noqa: SLF001


def certificate(arn: str) -> Record | None:
    """A certificate of ACM, of the caller's account and region; the record is live."""
    from ministack.services import acm

    found: Record | None = acm._certificates.get(arn)  # noqa: SLF001
    return found


def issue_before_it_is_shown(issue: Callable[[str], object]) -> None:
    """Let `issue` see to it that there is a certificate, by its ARN, before ACM answers with it."""
    from ministack.services import acm

    builtin = acm._get_certificate  # noqa: SLF001

    def answer(asked: Record) -> Any:
        issue(str(asked.get("CertificateArn", "")))
        return builtin(asked)

    acm._get_certificate = answer  # noqa: SLF001


def attributes(arn: str) -> dict[str, str]:
    """The attributes of a load balancer or a target group."""
    from ministack.services import alb

    found = alb._lb_attrs.get(arn) or alb._tg_attrs.get(arn) or ()  # noqa: SLF001
    return {one["Key"]: one["Value"] for one in found}


def put_targets(group: str, targets: list[Record]) -> None:
    """Let ministack's own record follow who is registered."""
    from ministack.services import alb

    alb._targets[group] = targets  # noqa: SLF001


def answered(action: str, body: Mapping[str, Any]) -> Answer:
    """An answer of our own."""
    from ministack.services import alb

    found: Answer = alb._xml(200, action, xml(body)) if body else alb._empty(action)  # noqa: SLF001
    return found


def refused(code: str, message: str) -> Answer:
    """A refusal of our own."""
    from ministack.services import alb

    found: Answer = alb._error(code, message)  # noqa: SLF001
    return found


async def invoke(function: str, group: str, request: Mapping[str, Any]) -> tuple[int, dict[str, Any], bytes]:
    """A Lambda target's answer: status, headers, body. Under the group's account and region."""
    from ministack.services import alb

    found: tuple[int, dict[str, Any], bytes] = await alb._invoke_lambda_target(function, group, **request)  # noqa: SLF001
    return found


def xml(value: Any) -> str:  # wire JSON
    """JSON as a query service writes it: lists as `<member>`."""
    from xml.sax.saxutils import escape

    if isinstance(value, Mapping):
        return "".join(f"<{name}>{xml(inner)}</{name}>" for name, inner in value.items())
    if isinstance(value, list):
        return "".join(f"<member>{xml(inner)}</member>" for inner in value)
    return escape(str(value))
