"""What a call is asked for beside its own action, once that is allowed: keys that it uses, roles that it passes on.

The deployer with the account's own keys may do all, and is asked for trust only, as on AWS.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import Any, NamedTuple

from harness.cloud.permissions import calls, trust
from harness.cloud.permissions.calls import Call, call_of
from harness.cloud.permissions.keys import CODES, context_of_use, uses_of_keys
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

    calls.install()
    enforce, answer = iam_evaluator.enforce, iam_actions.access_denied_response

    def enforced(
        access_key: str, action: str, service: str, region: str, resource_arn: str = "*", **context: Any
    ) -> Any:  # None, or why not
        denied = enforce(access_key, action, service, region, resource_arn=resource_arn, **context)
        if denied is not None:
            return denied
        call = call_of(service)
        for question in _questions(action, service, region, resource_arn):
            about = {"resource_arn": question.resource, "service_context": question.context}
            denied = enforce(access_key, question.action, question.service, region, **about)
            if denied is not None:
                _refused.set(Refusal(question.action, question.resource))
                return denied
        if action in PASSED and (refused := _untrusted(action, call, resource_arn)):
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
        said = iam_actions.identity_denial_message(refused.action, principal, refused.resource, explicit)
        more |= {"message": said, "resource_arn": refused.resource}
        if service in CODES and refused.action.startswith("kms:"):
            more["error_code"] = CODES[service]
        return answer(service, refused.action, principal, request_id, **more)

    iam_evaluator.enforce, iam_actions.access_denied_response = enforced, answered


def _questions(action: str, service: str, region: str, resource: str) -> Iterator[Question]:
    for use, key in uses_of_keys(action, resource):
        via = {"kms:ViaService": f"{service}.{region}.amazonaws.com"}
        yield Question("kms", use, key, via | context_of_use(service, resource))
    if action in PASSED:
        for role, to in passed_by(action, call_of(service)):
            yield Question("iam", "iam:PassRole", role, _context_of_pass(to, resource))


def _context_of_pass(to: str, resource: str) -> dict[str, str]:
    about = {"iam:AssociatedResourceArn": resource} if resource.startswith("arn:") else {}
    return {"iam:PassedToService": to} | about


def _untrusted(action: str, call: Call | None, resource: str) -> Refusal | None:
    """The refusal of a service that looks at the trust policy when it is given a role."""
    for one in passed_by(action, call):
        words = _words(action, one)
        source = trust.source_of(one.to, resource)
        if words and not trust.trusts(one.role, one.to, source_arn=source):
            return Refusal("sts:AssumeRole", one.role, words.code, words.message.format(role=one.role))
    return None


def _words(action: str, passed: Passed) -> trust.Words | None:
    if action in ("ecs:RunTask", "ecs:StartTask"):
        return trust.NO_TASK
    return trust.WORDS.get(passed.to)
