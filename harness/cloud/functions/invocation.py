"""What came of an invocation, in AWS's words, and as the emulator wants to hear it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["ok", "function_error", "service_error"]

SERVICE_ERROR_MARK = "Blackstart.ServiceException"
"""Value of `X-Amz-Function-Error` by which the gate knows that Lambda itself failed, and answers 5xx instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provision:
    """How an invocation met its version's provisioned concurrency: `spilled` means that it got none of it."""

    spilled: bool
    busy: int
    allotted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of one invocation.

    `payload` is the handler's JSON, or the error object. `zone` is the id of where it ran, '' when it did not.
    `function_error`: the handler or its process failed.
    `service_error`: no environment could answer, which is AWS's fault and not the function's.
    """

    kind: Kind
    payload: bytes
    log: str = ""
    reusable: bool = True
    provision: Provision | None = None
    zone: str = ""

    def to_emulator(self) -> dict[str, Any]:
        """The form that the callers of ministack's executor read."""
        body = _json_or_text(self.payload)
        result = {"body": body, "log": self.log, "provision": self.provision, "zone": self.zone}
        if self.kind == "ok":
            return result
        result |= {"error": True, "function_error": "Unhandled"}
        if self.kind == "service_error" and isinstance(body, dict):
            # API Gateway's answer when its integration is not available; other triggers read the error fields.
            body |= {
                "statusCode": 503,
                "headers": {"Content-Type": "application/json"},
                "body": '{"message":"Service Unavailable"}',
            }
            result["function_error"] = SERVICE_ERROR_MARK
        return result


def _json_or_text(payload: bytes) -> Any:
    try:
        return json.loads(payload) if payload else None
    except ValueError:
        return payload.decode(errors="replace")


def error_payload(error_type: str, message: str) -> bytes:
    """An error object as Lambda writes it."""
    return json.dumps({"errorType": error_type, "errorMessage": message}).encode()


def timed_out(request_id: str, timeout_s: float) -> bytes:
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html."""
    return error_payload(
        "Sandbox.Timedout", f"RequestId: {request_id} Error: Task timed out after {timeout_s:.2f} seconds"
    )


def runtime_exited(request_id: str, exit_code: int | None, *, killed_for_memory: bool = False) -> bytes:
    """The process ended without an answer: `exit status N`, or the signal that ended it."""
    if killed_for_memory or exit_code == -9:
        how = "with error: signal: killed"
    elif exit_code is None or exit_code < 0:
        how = f"with error: signal: {-(exit_code or 0)}"
    elif exit_code == 0:
        how = "without providing a reason"
    else:
        how = f"with error: exit status {exit_code}"
    return error_payload("Runtime.ExitError", f"RequestId: {request_id} Error: Runtime exited {how}")


def service_unavailable(message: str) -> Outcome:
    """No environment could take the invocation.

    Source: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_Errors (ServiceException, 5xx).
    """
    return Outcome(kind="service_error", payload=error_payload("ServiceException", message), reusable=False)


def nobody_waits(event: Any) -> bool:
    """Whether a service hands this event over: records of a queue, stream, topic or bucket, or one of EventBridge.

    >>> nobody_waits({"Records": [{"eventSource": "aws:sqs", "body": "{}"}]}), nobody_waits({"path": "/orders"})
    (True, False)
    """
    if not isinstance(event, dict):
        return False
    records = event.get("Records")
    first = records[0] if isinstance(records, list) and records else event
    return isinstance(first, dict) and any(key in first for key in ("eventSource", "EventSource", "detail-type"))
