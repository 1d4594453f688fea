"""Answers of the functions behind an API, what they are told about their caller, and how long that one waits."""

import functools
import json
import math
from collections.abc import Mapping
from typing import Any

import time_budget
from botocore import exceptions
from structured_log import log

_NO_ANSWER = (time_budget.OutOfTimeError, exceptions.HTTPClientError, exceptions.ConnectionError)


def answer(status: int, body: Any, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A proxy integration's answer with a JSON body."""
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json", **(headers or {})},
        "body": json.dumps(body, default=str),
    }


def in_time(handler: time_budget.Handler) -> time_budget.Handler:
    """A handler whose calls share what its invocation has left, or what the caller's app waits: `X-Patience-Ms`.

    Out of time, the answer is 503 and when to ask again.
    """

    @functools.wraps(handler)
    def within(event: dict[str, Any], context: Any) -> Any:
        told = {name.lower(): value for name, value in (event.get("headers") or {}).items()}.get("x-patience-ms", "")
        patience_s = int(told) / 1000 if told.isdecimal() else math.inf
        time_budget.begin(min(patience_s, context.get_remaining_time_in_millis() / 1000))
        try:
            return handler(event, context)
        except _NO_ANSWER as error:
            log("out of time", error=f"{type(error).__name__}: {error}")
            again = "no answer in time; ask again, with the same Idempotency-Key"
            return answer(503, {"error": again}, {"Retry-After": "1"})

    return within


def claims_of(event: Mapping[str, Any]) -> dict[str, Any]:
    """The claims of the token that API Gateway's JWT authorizer checked."""
    found: dict[str, Any] = event["requestContext"]["authorizer"]["jwt"]["claims"]
    return found


def groups_of(claims: Mapping[str, Any]) -> set[str]:
    """The Cognito groups in a token; API Gateway hands lists on as text: `[customers staff]`."""
    return set(str(claims.get("cognito:groups", "")).strip("[]").replace(",", " ").split())
