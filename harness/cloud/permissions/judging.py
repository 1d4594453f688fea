"""What a call is asked for beside its own action, once that is allowed: keys that it uses, roles that it passes on.

The deployer with the account's own keys may do all, and is asked for trust only, as on AWS.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, Final, NamedTuple

from harness.cloud.permissions import calls, trust
from harness.cloud.permissions.calls import Call, call_of
from harness.cloud.permissions.grants import granted
from harness.cloud.permissions.keys import (
    CODES,
    NOT_FOR_LOGS,
    USES,
    context_of_use,
    log_group_without_key,
    uses_of_keys,
)
from harness.cloud.permissions.naming import parameter_arn, resource_of
from harness.cloud.permissions.passing import PASSED, Passed, passed_by


class Question(NamedTuple):
    """An action on a resource that a call is asked for too."""

    service: str
    action: str
    resource: str
    context: Mapping[str, Any]


class Refusal(NamedTuple):
    """Why the call under way was refused: what it may not do, or, where `code` is set, the service's own words."""

    action: str
    resource: str
    code: str = ""
    message: str = ""


_refused: ContextVar[Refusal | None] = ContextVar("refusal of the call under way", default=None)


def install() -> None:
    """Let it be asked of callers. Call it before the emulator serves."""
    from ministack.core import iam_actions, iam_evaluator

    calls.install(resource_of)
    by_policies, answer = iam_evaluator.enforce, iam_actions.access_denied_response

    def enforced(
        access_key: str, action: str, service: str, region: str, resource_arn: str = "*", **context: Any
    ) -> Any:  # None, or why not
        denied = by_policies(access_key, action, service, region, resource_arn=resource_arn, **context)
        if denied is not None:
            if _granted(denied, action, resource_arn, context.get("service_context") or {}):
                return None
            if resource_arn.startswith("arn:") and not getattr(denied, "resource_policy_arn", "x"):
                _refused.set(Refusal(action, resource_arn))
            return denied
        if action not in _ASKED:
            return None
        for use, key in uses_of_keys(action, resource_arn):
            about = {"kms:ViaService": f"{service}.{region}.amazonaws.com"} | context_of_use(service, resource_arn)
            if denied := ask(access_key, region, Question("kms", use, key, about)):
                return denied
        return more(access_key, region, action, resource_arn, call_of(service)) if action in _ASKED_MORE else None

    def ask(access_key: str, region: str, question: Question) -> Any:  # None, or why not
        service, action, resource, about = question
        denied = by_policies(access_key, action, service, region, resource_arn=resource, service_context=about)
        if denied is None or _granted(denied, action, resource, about):
            return None
        _refused.set(Refusal(action, resource))
        return denied

    def more(access_key: str, region: str, action: str, resource: str, call: Call | None) -> Any:  # None, or why not
        passed = tuple(passed_by(action, call))
        for question in _questions(action, call, region, resource, passed):
            if denied := ask(access_key, region, question):
                return denied
        if refused := _refusal(action, call, resource, passed):
            _refused.set(refused)
            return iam_evaluator.EvalResult("ImplicitDeny")
        return None

    def answered(service: str, action: str, principal: str, request_id: str, **more: Any) -> Any:
        refused = _refused.get()
        if refused is None:
            return answer(service, action, principal, request_id, **more)
        if refused.code:
            more |= {"error_code": refused.code, "message": refused.message, "resource_arn": refused.resource}
            return (400, *answer(service, refused.action, principal, request_id, **more)[1:])
        explicit = more.get("explicit_deny", False)
        on = f'"{refused.resource}"' if refused.action.startswith("s3:") else refused.resource
        said = iam_actions.identity_denial_message(refused.action, principal, on, explicit)
        more |= {"message": said, "resource_arn": refused.resource}
        if service in CODES and refused.action.startswith("kms:"):
            more["error_code"] = CODES[service]
        return answer(service, refused.action, principal, request_id, **more)

    iam_evaluator.enforce, iam_actions.access_denied_response = enforced, answered


_WITH_KEYS: Final = ("logs:CreateLogGroup", "logs:AssociateKmsKey")
_ASKED_MORE: Final = frozenset((*PASSED, *_WITH_KEYS, "ssm:GetParameters"))
_ASKED: Final = frozenset((*USES, *_ASKED_MORE))
"""Actions whose calls are asked for more than the action."""


def _granted(denied: Any, action: str, resource: str, about: Mapping[str, Any]) -> bool:
    """Whether a grant allows what no policy allows, and none denies."""
    implicit = action.startswith("kms:") and getattr(denied, "decision", "") == "ImplicitDeny"
    return implicit and granted(action, denied.principal_arn, resource, about)


def _questions(
    action: str, call: Call | None, region: str, resource: str, passed: Sequence[Passed]
) -> Iterator[Question]:
    """Each further parameter with its key; each role that is passed on."""
    if action == "ssm:GetParameters" and call:
        via = {"kms:ViaService": f"ssm.{region}.amazonaws.com"}
        for arn in map(parameter_arn, call.values("Names")[1:]):
            yield Question("ssm", action, arn, {})
            for use, key in uses_of_keys(action, arn):
                yield Question("kms", use, key, via | context_of_use("ssm", arn))
    for role, to in passed:
        yield Question("iam", "iam:PassRole", role, _context_of_pass(to, resource))


def _context_of_pass(to: str, resource: str) -> dict[str, str]:
    about = {"iam:AssociatedResourceArn": resource} if resource.startswith("arn:") else {}
    return {"iam:PassedToService": to} | about


def _refusal(action: str, call: Call | None, resource: str, passed: Sequence[Passed]) -> Refusal | None:
    """That of a service which looks at once whether it may take on a role, or use a key, that it is given."""
    if action in _WITH_KEYS and call and (group := log_group_without_key(call)):
        return Refusal("kms:Encrypt", group, "AccessDeniedException", NOT_FOR_LOGS.format(group=group))
    untrusting = trust.refused(action, passed, resource)
    return None if untrusting is None else Refusal("sts:AssumeRole", untrusting[0], *untrusting[1])
