"""What a call is about where the emulator does not tell IAM: the key behind an alias, parameters, a new function."""

from __future__ import annotations

from harness.cloud.permissions.calls import Call


def resource_of(call: Call, found: str) -> str:
    """The ARN that AWS asks IAM about first. Needs account and region in the emulator's context.

    An alias is no resource of what a key does: https://docs.aws.amazon.com/kms/latest/developerguide/alias-authorization.html
    """
    if call.service == "kms" and ":alias/" in found:
        from ministack.services import kms

        key = kms._resolve_key(found)  # noqa: SLF001 - this file is a seam into ministack
        return str(key["Arn"]) if key else found
    if call.service == "ssm" and found == "*":
        named = call.values("Names") or call.values("Path")
        return parameter_arn(named[0]) if named else found
    if call.service == "lambda" and call.path.rstrip("/").endswith("/functions") and call.values("FunctionName"):
        return _function_arn(call.values("FunctionName")[0])
    return found


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
