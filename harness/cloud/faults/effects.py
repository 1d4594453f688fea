"""What a fault does to a call it hits, and in which order effects apply."""

from __future__ import annotations

import msgspec


class Latency(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="latency", tag_field="kind"):
    """The call starts `delay_s` seconds later."""

    delay_s: float


class Reset(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="reset", tag_field="kind"):
    """The connection is reset before the backend sees the call."""


class Blackhole(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="blackhole", tag_field="kind"
):
    """No answer for `hold_s` seconds (or until healed), then a reset; the backend never sees the call."""

    hold_s: float = 60.0


class ApiError(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="error", tag_field="kind"):
    """The service's own error, in its exact wire form; `code` should be one the service's model knows."""

    code: str
    status: int = 0
    """HTTP status; 0 takes the one that botocore's model gives for the code, else 500."""
    message: str = ""


class CommitThenFail(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag="commit_then_fail",
    tag_field="kind",
):
    """The backend applies the call, the client sees a reset: what separates idempotent systems from others."""


class FunctionError(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag="function_error",
    tag_field="kind",
):
    """An invocation is marked failed; the handler runs first unless `prevent_execution`. Layer `invocation` only."""

    prevent_execution: bool = True
    error_type: str = "FaultInjectionError"
    message: str = "injected by AWS FIS"


class HttpResponse(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag="http_response",
    tag_field="kind",
):
    """An invocation answers with a proxy-integration response. Layer `invocation` only."""

    status: int
    content_type: str = "application/json"
    prevent_execution: bool = True


Effect = Latency | Reset | Blackhole | ApiError | CommitThenFail | FunctionError | HttpResponse

ORDER: dict[type[Effect], int] = {
    Latency: 0,
    Reset: 1,
    Blackhole: 1,
    CommitThenFail: 2,
    ApiError: 3,
    FunctionError: 3,
    HttpResponse: 3,
}
"""Effects compose: latency → reset or black hole → error; within one step, the older rule comes first."""
