"""Where ministack runs functions, and we do.

Every trigger ends in `lambda_svc._execute_function(record, event)`. It re-enters under the function's own account and
region, takes a concurrency slot (reserved and account limits, with AWS's throttle shape) and then calls
`_execute_function_dispatch`, which picks an executor and writes a synthetic log. `install_executor` replaces that:
scope, slots and throttles stay ministack's, execution and logs become ours.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

FunctionRecord = dict[str, Any]
"""ministack's record of a function: `config` (as GetFunctionConfiguration gives it), `code_zip`, `concurrency`…"""


ExecutionResult = dict[str, Any]
"""What ministack wants back: `body` (JSON value), and optionally `error` (True: `body` is the error object),
`throttle` (True: answers 429), `log` (text for LogResult). The callers of `_execute_function` read nothing else."""


Execute = Callable[[FunctionRecord, Any], ExecutionResult]
"""Runs one invocation: the function's record, the event as a JSON value. Called from ministack's worker threads."""


def install_executor(execute: Execute) -> None:
    """Let `execute` run every Lambda invocation, whatever triggered it.

    `execute` is called with account and region of the function in ministack's context variables and with a
    concurrency slot held. It writes its own logs. Invoke metrics stay with ministack's Invoke API.
    """
    from ministack.services import lambda_svc

    builtin = lambda_svc._execute_function_dispatch  # noqa: SLF001 - the seam that this file is for

    def dispatch(
        record: FunctionRecord, config: Mapping[str, Any], event: Any, request_id: str, started: float
    ) -> ExecutionResult:
        del config, request_id, started  # the record holds the configuration; the environment has its own request id
        return execute(record, event)

    dispatch.builtin = builtin  # type: ignore[attr-defined]
    lambda_svc._execute_function_dispatch = dispatch  # noqa: SLF001


PENDING_S = 0.05
"""How long a new or changed function is Pending: long enough to be seen."""


def functions_are_soon_active() -> None:
    """Half a second of ministack's, for nothing that happens, held up each deployment of a function."""
    from ministack.services import lambda_svc

    lambda_svc._LAMBDA_STATE_TRANSITION_DELAY = PENDING_S  # noqa: SLF001


def builtin_execute(record: FunctionRecord, event: Any) -> ExecutionResult:
    """Run an invocation on ministack's own executor (runtimes that our environments cannot run); it logs itself."""
    from ministack.services import lambda_svc

    current = lambda_svc._execute_function_dispatch  # noqa: SLF001
    builtin = getattr(current, "builtin", current)
    result: ExecutionResult = builtin(record, record.get("config") or record, event, str(uuid.uuid4()), time.time())
    return result


def within_function(config: Mapping[str, Any], run: Callable[[], str]) -> str:
    """What `run` returns under the account and region of a function, from a thread of ours."""
    from ministack.services import lambda_svc

    return str(lambda_svc._run_with_function_config_scope(dict(config), run))  # noqa: SLF001


def layer_zip(arn: str) -> bytes:
    """The content of a layer version; b'' when there is none. Needs the caller's account and region context."""
    from ministack.services import lambda_svc

    found: bytes | None = lambda_svc._resolve_layer_zip(arn)  # noqa: SLF001
    return found or b""
