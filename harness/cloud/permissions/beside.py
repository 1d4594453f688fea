"""Calls of services that the emulator does not answer, moto's and our own, asked of IAM before they are answered.

What their calls are about is not known here: a call passes when it is allowed on some resource that a policy names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from harness.cloud import ministack_hooks
from harness.cloud.asgi import REQUEST, App, Receive, Scope, Send, read_body, replay, respond
from harness.cloud.identify import Request
from harness.cloud.models import Models
from harness.cloud.permissions import trust
from harness.cloud.permissions.calls import Call, during
from harness.cloud.permissions.passing import PASSED, Passed, passed_by
from harness.cloud.wire_errors import wire_error


class Denial(NamedTuple):
    """Why a call is refused."""

    code: str
    message: str
    status: int


def guarded(services: Mapping[str, App], models: Models) -> Mapping[str, App]:
    """The same services, asking; as they are where IAM is not enforced."""
    if not ministack_hooks.iam_enforced():
        return services
    return {name: Guard(app, models) for name, app in services.items()}


@dataclass(frozen=True, slots=True)
class Guard:
    """A service that answers whom IAM lets."""

    app: App
    models: Models

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer or refuse one call."""
        request: Request = scope[REQUEST]
        metadata = self.models.get(request.service)["metadata"]
        action = f"{metadata.get('signingName') or metadata['endpointPrefix']}:{request.operation}"
        if not request.operation or (_root(request) and action not in PASSED):
            await self.app(scope, receive, send)
            return
        body = await read_body(receive)
        if body is None:
            return
        denied = denial(request, action, body)
        if denied is None:
            await self.app(scope, replay(body, receive), send)
            return
        said = {"code": denied.code, "status": denied.status, "message": denied.message}
        error = wire_error(self.models, request.service, request.protocol, **said)  # type: ignore[arg-type]
        await respond(send, error.status, error.body, error.content_type, error.headers)


def denial(request: Request, action: str, body: bytes) -> Denial | None:
    """Why the caller may not, in AWS's words; None when it may."""
    from ministack.core import iam_actions, iam_evaluator
    from ministack.core.responses import request_scope

    call = Call(service=request.service, path="", headers={}, params={}, body=body)
    with request_scope(request.account, request.region), during(call):
        caller = iam_evaluator.resolve_principal(request.access_key, request.account)
        if isinstance(caller, iam_evaluator.AuthError):
            return Denial(caller.code, caller.message, 403)
        passed = tuple(passed_by(action, call))
        for asked in _asked(action, passed) if caller.policies is not None else ():
            decision = _decision(caller, asked, request.region)
            if decision != "Allow":
                explicit = decision == "Deny"
                said = iam_actions.identity_denial_message(asked.action, caller.arn, asked.resource, explicit)
                return Denial("AccessDeniedException", said.replace(" on resource: *", ""), 400)
        untrusting = trust.refused(action, passed)
    return None if untrusting is None else Denial(*untrusting[1], 400)


class _Asked(NamedTuple):
    action: str
    resource: str
    context: Mapping[str, str]


def _asked(action: str, passed: Iterable[Passed]) -> Iterator[_Asked]:
    yield _Asked(action, _SOME, {})
    for role, to in passed:
        yield _Asked("iam:PassRole", role, {"iam:passedtoservice": to})


_SOME: Final = "*"
"""Some resource: nobody knows which."""


def _decision(caller: Any, asked: _Asked, region: str) -> str:
    """`Allow`, `Deny` or `ImplicitDeny` of the caller's policies."""
    from ministack.core import iam_evaluator

    context = iam_evaluator.EvalContext(
        principal_arn=caller.arn,
        principal_type=caller.type,
        principal_account=caller.account,
        action=asked.action,
        resource_arn=asked.resource,
        region=region,
        service_context=dict(asked.context),
        principal_keys=caller.keys,
    )
    named = {one for statements in caller.policies for each in statements for one in each.resources}
    tried = [asked.resource, *(sorted(named) if asked.resource == _SOME else ())]
    found = [
        iam_evaluator.evaluate(replace(context, resource_arn=one), caller.policies, *caller.limits).decision
        for one in tried
    ]
    return next((one for one in ("Allow", "Deny") if one in found), "ImplicitDeny")


def _root(request: Request) -> bool:
    from ministack.core import iam_evaluator

    return bool(iam_evaluator.is_root_access_key(request.access_key))
