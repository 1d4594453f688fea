"""Whether a bus's policy lets another account put events on it. Pure.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-account.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_ACTIONS = frozenset({"events:PutEvents", "events:*", "*"})


def bus_admits(policy: Mapping[str, Any] | None, account: str) -> bool:  # a policy document
    """True when a statement allows PutEvents to the account, to all, or to an organization (which is not judged)."""
    statements = [one for one in (policy or {}).get("Statement", ()) if _concerns(one, account)]
    effects = {one.get("Effect") for one in statements}
    return "Allow" in effects and "Deny" not in effects


def _concerns(statement: Mapping[str, Any], account: str) -> bool:
    principal = statement.get("Principal")
    named = _listed(principal.get("AWS") if isinstance(principal, Mapping) else principal)
    mine = {"*", account, f"arn:aws:iam::{account}:root"}
    return bool(mine & named) and bool(_ACTIONS & _listed(statement.get("Action")))


def _listed(value: Any) -> set[str]:
    return {str(one) for one in value} if isinstance(value, list) else {str(value)}
