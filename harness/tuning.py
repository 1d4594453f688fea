"""Power tuning: one function, really invoked at several memory sizes, and its configuration put back.

Memory buys CPU on Lambda. Here the function's processes are held to the share that AWS would give them while it is
tuned (`cloud/functions/cpu_share.py`); the times are of this machine's processor all the same, so that what carries
over to AWS is the shape: where more memory stops to make it faster. Above one vCPU nothing is held: a single thread
gains nothing there on AWS either, and what several threads gain is bounded by this machine's cores.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from harness.cloud.control_client import ControlClient
from harness.cloud.functions.cpu_share import FULL_CPU_MB, SUPPORTED, share_of
from harness.errors import InconclusiveError, NotSupportedError, UsageError, nearest
from harness.measure.costs.prices import price_list
from harness.measure.costs.tuning import Invoked, Tuning, TuningRow, read_report, row_of, tuning_of
from harness.stack import RunningStack

SIZES_MB = (128, 256, 512, 1024, FULL_CPU_MB, 3008)
LEAST_MB, MOST_MB = 128, 10_240
"""Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningOrder:
    """What to tune: a function by name, the event it gets, the sizes, and how often it is invoked at each."""

    function: str
    payload: bytes = b"{}"
    sizes_mb: tuple[int, ...] = SIZES_MB
    invocations: int = 10


def tune(stack: RunningStack, order: TuningOrder, on_event: Callable[[str], None]) -> Tuning:
    """Invoke it at each size; its memory is what it was before when this returns or raises.

    Raises:
        NotSupportedError: not on the embedded cloud: a function on AWS serves others meanwhile.
        UsageError: no such function, or an order that cannot be.
        InconclusiveError: it could not be invoked.
    """
    if stack.target.kind != "embedded":
        raise NotSupportedError(
            "a function is tuned on the embedded cloud only: its memory is changed while it is measured",
            where=f"target {stack.target.kind}",
            hint="on AWS use the Lambda Power Tuning state machine on a copy of the function",
        )
    check(order)
    client, control = stack.target.client("lambda"), ControlClient(stack.target)
    before_mb = _memory_of(client, order.function)
    control.hold_cpu(order.function, on=SUPPORTED)
    rows = []
    try:
        for memory_mb in order.sizes_mb:
            rows.append(_measured(client, order, memory_mb))
            on_event(_told(rows[-1]))
    except (ClientError, BotoCoreError) as error:
        raise InconclusiveError(f"the function could not be invoked: {error}", where=order.function) from error
    finally:
        control.hold_cpu(order.function, on=False)
        client.update_function_configuration(FunctionName=order.function, MemorySize=before_mb)
    return tuning_of(order.function, rows, price_list(), cpu_is_scaled=SUPPORTED)


def check(order: TuningOrder) -> None:
    """Refuse what cannot be measured.

    Raises:
        UsageError: a size that Lambda does not have, no invocation, or an event that is no JSON.
    """
    for size_mb in order.sizes_mb:
        if not LEAST_MB <= size_mb <= MOST_MB:
            raise UsageError(f"{size_mb} MB is no size", where="--sizes", hint=f"{LEAST_MB} to {MOST_MB} MB")
    if order.invocations < 1 or not order.sizes_mb:
        raise UsageError("nothing to measure", where="--invocations", hint="1 or more, at one size or more")
    try:
        json.loads(order.payload)
    except ValueError as error:
        raise UsageError(f"the event is no JSON: {error}", where="--payload") from error


def read_payload(text: str) -> bytes:
    """The event: JSON as given, or the content of a file behind `@`.

    Raises:
        UsageError: there is no such file.
    """
    if not text.startswith("@"):
        return text.encode()
    try:
        return Path(text[1:]).read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read the event: {error.strerror}", where=text[1:]) from error


def parse_sizes(text: str) -> tuple[int, ...]:
    """Sizes in MB, comma separated; all of `SIZES_MB` for ''.

    Raises:
        UsageError: not numbers.
    """
    try:
        return tuple(sorted({int(part) for part in text.split(",") if part.strip()})) or SIZES_MB
    except ValueError as error:
        raise UsageError(f"{text!r} are no sizes", where="--sizes", hint="for example 128,512,1769") from error


def _memory_of(client: Any, function: str) -> int:  # a boto3 client
    try:
        return int(client.get_function_configuration(FunctionName=function)["MemorySize"])
    except ClientError as error:
        pages = client.get_paginator("list_functions").paginate()
        names = [one["FunctionName"] for page in pages for one in page["Functions"]]
        raise UsageError(
            f"no function {function!r}", where="blackstart tune", hint=nearest(function, names)
        ) from error


def _measured(client: Any, order: TuningOrder, memory_mb: int) -> TuningRow:
    """One size: the first invocation starts an environment and is not counted."""
    client.update_function_configuration(FunctionName=order.function, MemorySize=memory_mb)
    client.get_waiter("function_updated_v2").wait(FunctionName=order.function)
    invoked = [_invoked(client, order) for _ in range(order.invocations + 1)][1:]
    share = share_of(memory_mb)
    return row_of(memory_mb, invoked, price_list(), cpu_share=share, held=SUPPORTED and share < 1.0)


def _invoked(client: Any, order: TuningOrder) -> Invoked:
    answer = client.invoke(FunctionName=order.function, Payload=order.payload, LogType="Tail")
    error = ""
    if answer.get("FunctionError"):
        error = str(json.loads(answer["Payload"].read() or b"{}").get("errorType") or answer["FunctionError"])
    found = read_report(base64.b64decode(answer.get("LogResult") or "").decode(errors="replace"), error)
    if found is None:
        raise InconclusiveError(
            "an invocation left no REPORT line", where=order.function, hint="only Python functions are metered here"
        )
    return found


def _told(row: TuningRow) -> str:
    if row.median_ms is None:
        return f"{row.memory_mb} MB: {row.error}"
    return f"{row.memory_mb} MB: {row.median_ms:.1f} ms"
