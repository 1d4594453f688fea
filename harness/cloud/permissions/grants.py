"""Grants on keys: what one lets its grantee do is allowed, whatever policies say, unless they deny it.

Source: https://docs.aws.amazon.com/kms/latest/developerguide/grants.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.cloud.permissions.calls import Call, call_of

_CONTEXT = "kms:encryptioncontext:"


def granted(action: str, principal: str, key: str, context: Mapping[str, Any]) -> bool:
    """Whether a grant on the key lets the principal do it. Needs the key's account and region in context.

    `context` holds the condition keys of the use, among them those of the encryption context where a service uses it.
    """
    if not action.startswith("kms:"):
        return False
    from ministack.services import kms

    call = call_of("kms")
    if action == "kms:RetireGrant":
        return any(_may_retire(one, principal) for one in kms._grants.values() if _named(one, call))  # noqa: SLF001
    operation, encryption = action.removeprefix("kms:"), _encryption_context(context, call)
    return any(
        operation in one["Operations"]
        and _is(principal, one["GranteePrincipal"])
        and (
            _no_wider(one, call) if operation == "CreateGrant" else _within(one.get("Constraints") or {}, encryption)
        )
        for one in kms._grants.values()  # noqa: SLF001 - this file is a seam into ministack
        if one["KeyId"] == key
    )


def _encryption_context(context: Mapping[str, Any], call: Call | None) -> dict[str, str]:
    """That of a service that uses the key, else that of the call to KMS."""
    told = {name: str(value) for name, value in context.items() if name.lower().startswith(_CONTEXT)}
    if told or call is None:
        return {name[len(_CONTEXT) :]: value for name, value in told.items()}
    given = call.document.get("EncryptionContext") or {}
    return {str(name): str(value) for name, value in given.items()}


def _within(constraints: Mapping[str, Mapping[str, str]], encryption: Mapping[str, str]) -> bool:
    """An encryption context that is the same, or that contains what must be in it."""
    equals, subset = constraints.get("EncryptionContextEquals"), constraints.get("EncryptionContextSubset")
    if equals is not None and dict(equals) != dict(encryption):
        return False
    return subset is None or subset.items() <= encryption.items()


def _no_wider(grant: Mapping[str, Any], call: Call | None) -> bool:
    """A grantee may grant no more than it was granted, and under the same constraints."""
    asked = call.document if call else {}
    same = (asked.get("Constraints") or None) == (grant.get("Constraints") or None)
    return same and set(asked.get("Operations") or ()) <= set(grant["Operations"])


def _may_retire(grant: Mapping[str, Any], principal: str) -> bool:
    by_grantee = "RetireGrant" in grant["Operations"] and _is(principal, grant["GranteePrincipal"])
    return by_grantee or _is(principal, grant.get("RetiringPrincipal") or "")


def _named(grant: Mapping[str, Any], call: Call | None) -> bool:
    """Whether the call names this grant: by its id, or by a token of it."""
    said = call.document if call else {}
    return said.get("GrantId") == grant["GrantId"] or said.get("GrantToken") in grant["_tokens"]


def _is(principal: str, named: str) -> bool:
    """Whether a principal is who is named: itself, or a session of the role."""
    account, _, session = principal.removeprefix("arn:aws:sts::").partition(":assumed-role/")
    role = session.partition("/")[0]
    of_role = bool(role) and named.startswith(f"arn:aws:iam::{account}:role/") and named.rpartition("/")[2] == role
    return bool(named) and (principal == named or of_role)
