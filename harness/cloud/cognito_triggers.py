"""Cognito's PostConfirmation trigger, which ministack stores and never calls.

Cognito calls the function when a user is confirmed, by whatever way, and when a forgotten password was set anew. The
user is confirmed already: a function that fails makes the call fail and changes nothing about that. Source:
https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-post-confirmation.html
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from harness.cloud.ministack_hooks import before_first_call

Answer = tuple[int, Any, Any]
"""ministack's answer: status, headers, body."""

_SOURCES = {
    "_confirm_sign_up": "PostConfirmation_ConfirmSignUp",
    "_admin_confirm_sign_up": "PostConfirmation_ConfirmSignUp",
    "_confirm_forgot_password": "PostConfirmation_ConfirmForgotPassword",
}


def install() -> None:
    """Let confirmations call the pool's function. Call it before Cognito is used."""
    before_first_call("cognito-idp", _complete)


def _complete() -> None:
    from ministack.services import cognito

    for name, source in _SOURCES.items():
        setattr(cognito, name, _and_trigger(getattr(cognito, name), source))
    cognito._sign_up = _confirmed_at_once(cognito._sign_up)  # noqa: SLF001


def _and_trigger(confirm: Callable[[Any], Answer], source: str) -> Callable[[Any], Answer]:
    @functools.wraps(confirm)
    def confirmed(data: Mapping[str, Any]) -> Answer:
        answer = confirm(data)
        return answer if answer[0] >= 400 else _triggered(data, source) or answer

    return confirmed


def _confirmed_at_once(sign_up: Callable[[Any], Answer]) -> Callable[[Any], Answer]:
    """A PreSignUp function may confirm the user itself; then sign-up is the confirmation."""

    @functools.wraps(sign_up)
    def signed_up(data: Mapping[str, Any]) -> Answer:
        import json

        answer = sign_up(data)
        if answer[0] >= 400 or not json.loads(answer[2])["UserConfirmed"]:
            return answer
        return _triggered(data, "PostConfirmation_ConfirmSignUp") or answer

    return signed_up


def _triggered(data: Mapping[str, Any], source: str) -> Answer | None:
    """Call the pool's function; the refusal when it fails, None when it does not or there is none."""
    from ministack.core.responses import error_response_json
    from ministack.services import cognito, lambda_svc

    pool_id, pool = _pool_of(data)
    function = (pool.get("LambdaConfig") or {}).get("PostConfirmation")
    user, unknown = cognito._resolve_user(pool, data.get("Username"))  # noqa: SLF001
    if not function or unknown:
        return None
    record, config, _ = lambda_svc._get_func_record_for_ref(function)  # noqa: SLF001
    if record is None:
        words = f"PostConfirmation invocation failed: no function {function}"
        return error_response_json("UnexpectedLambdaException", words, 400)  # type: ignore[no-any-return]
    run = lambda_svc._execution_record_for_config(record, config)  # noqa: SLF001
    result = lambda_svc._execute_function_with_config_scope(run, _event(pool_id, user, data, source))  # noqa: SLF001
    if not result.get("error"):
        return None
    body = result.get("body")
    said = body.get("errorMessage", "") if isinstance(body, Mapping) else str(body)
    words = f"PostConfirmation failed with error {said}."
    return error_response_json("UserLambdaValidationException", words, 400)  # type: ignore[no-any-return]


def _pool_of(data: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    from ministack.services import cognito

    if "UserPoolId" in data:
        return data["UserPoolId"], cognito._user_pools[data["UserPoolId"]]  # noqa: SLF001
    pool, pool_id = cognito._pool_for_client(data.get("ClientId"))  # noqa: SLF001
    return str(pool_id), pool or {}


def _event(pool_id: str, user: Mapping[str, Any], data: Mapping[str, Any], source: str) -> dict[str, Any]:
    from ministack.services import cognito

    attributes = {one["Name"]: one["Value"] for one in user["Attributes"]}
    return {
        "version": "1",
        "triggerSource": source,
        "region": cognito._pool_region(pool_id),  # noqa: SLF001
        "userPoolId": pool_id,
        "userName": user["Username"],
        "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": data.get("ClientId", "")},
        "request": {
            "userAttributes": {**attributes, "cognito:user_status": user["UserStatus"]},
            "clientMetadata": data.get("ClientMetadata") or {},
        },
        "response": {},
    }
