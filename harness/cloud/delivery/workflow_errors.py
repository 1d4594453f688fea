"""The names under which Step Functions tells a task what Lambda itself refused; a function's own errors keep theirs.

https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_THROTTLED, _UNAVAILABLE = "TooManyRequestsException", "ServiceException"


def install() -> None:
    """Name them as AWS does; ministack says Lambda.Unknown of a throttle. Call it before it serves."""
    from ministack.services import stepfunctions

    call = stepfunctions._call_lambda  # noqa: SLF001 - the seam into ministack's tasks

    def named(function: str, event: Any) -> Any:
        try:
            return call(function, event)
        except stepfunctions._ExecutionError as error:  # noqa: SLF001
            name = lambda_error(str(error.cause))
            if not name:
                raise
            raise stepfunctions._ExecutionError(name, error.cause) from error  # noqa: SLF001

    stepfunctions._call_lambda = named  # noqa: SLF001


def lambda_error(cause: str) -> str:
    """The name of what Lambda refused, '' for an error of the function.

    >>> lambda_error('{"__type": "TooManyRequestsException"}')
    'Lambda.TooManyRequestsException'
    """
    try:
        told = json.loads(cause)
    except ValueError:
        return ""
    if not isinstance(told, Mapping):
        return ""
    if told.get("__type") == _THROTTLED:
        return f"Lambda.{_THROTTLED}"
    ours = told.get("errorType") == _UNAVAILABLE and told.get("statusCode") == 503
    return f"Lambda.{_UNAVAILABLE}" if ours else ""
