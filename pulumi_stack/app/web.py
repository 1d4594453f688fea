"""Answers of the functions behind an API, and what they are told about their caller."""

import json
from collections.abc import Mapping
from typing import Any


def answer(status: int, body: Any, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A proxy integration's answer with a JSON body."""
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json", **(headers or {})},
        "body": json.dumps(body, default=str),
    }


def claims_of(event: Mapping[str, Any]) -> dict[str, Any]:
    """The claims of the token that API Gateway's JWT authorizer checked."""
    found: dict[str, Any] = event["requestContext"]["authorizer"]["jwt"]["claims"]
    return found


def groups_of(claims: Mapping[str, Any]) -> set[str]:
    """The Cognito groups in a token; API Gateway hands lists on as text: `[customers staff]`."""
    return set(str(claims.get("cognito:groups", "")).strip("[]").replace(",", " ").split())
