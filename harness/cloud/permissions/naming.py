"""What a call is about where the emulator does not tell IAM: the key behind an alias, parameters, a new function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from harness.cloud.permissions.calls import call_of


def resource_of(service: str, found: str) -> str:
    """The ARN that AWS asks IAM about first. Needs account and region in the emulator's context.

    An alias is no resource of what a key does: https://docs.aws.amazon.com/kms/latest/developerguide/alias-authorization.html
    """
    correct = _CORRECTED.get(service)
    return found if correct is None else correct(found)


def _key(found: str) -> str:
    if ":alias/" in found:
        from ministack.services import kms

        key = kms._resolve_key(found)  # noqa: SLF001 - this file is a seam into ministack
        return str(key["Arn"]) if key else found
    return found


def _parameter(found: str) -> str:
    call = call_of("ssm") if found == "*" else None
    named = (call.values("Names") or call.values("Path")) if call else []
    return parameter_arn(named[0]) if named else found


def _function(found: str) -> str:
    call = call_of("lambda") if found == "*" else None
    if call and call.path.rstrip("/").endswith("/functions") and call.values("FunctionName"):
        return _function_arn(call.values("FunctionName")[0])
    return found


_CORRECTED: Final[Mapping[str, Callable[[str], str]]] = {"kms": _key, "ssm": _parameter, "lambda": _function}


def _function_arn(name: str) -> str:
    from ministack.core.responses import get_account_id, get_region

    if name.startswith("arn:"):
        return name
    return f"arn:aws:lambda:{get_region()}:{get_account_id()}:function:{name.rpartition(':')[2]}"


def parameter_arn(name: str) -> str:
    """A parameter's ARN by its name, or that of the path above parameters."""
    from ministack.core.responses import get_account_id, get_region

    if name.startswith("arn:"):
        return name
    return f"arn:aws:ssm:{get_region()}:{get_account_id()}:parameter/{name.strip('/')}"
