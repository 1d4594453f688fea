"""The trace in ministack: carried into queues and executions. ministack knows no X-Ray and drops every header."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextvars import ContextVar
from datetime import datetime
from typing import Any

from harness.cloud.signals.emulated import scope
from harness.cloud.traces.header import CURRENT, new_id
from harness.cloud.traces.store import Document, TraceStore
from harness.cloud.traces.weaving import Weaver

_STAGE = re.compile(r"^/(?:_aws/execute-api/[^/]+/)?([^/]+)")
_DELIVERING: ContextVar[bool] = ContextVar("delivering", default=False)


class Emulator:
    """ministack as the weaver sees it."""

    def scope(self) -> tuple[str, str]:
        """Account and region of the work under way."""
        return scope()

    def traced_stage(self, api_id: str, path: str) -> tuple[tuple[str, str], str] | None:
        """A REST stage with tracing."""
        from ministack.services import apigateway_v1

        match = _STAGE.match(path)
        for (account, region, known), api in apigateway_v1._rest_apis.all_items():  # noqa: SLF001 - the seam into ministack
            if known == api_id and match is not None:
                stages = apigateway_v1._stages_v1.get_scoped(account, region, api_id, {})  # noqa: SLF001
                traced = str((stages.get(match[1]) or {}).get("tracingEnabled")).lower() == "true"
                return ((account, region), f"{api.get('name')}/{match[1]}") if traced else None
        return None


def install(store: TraceStore) -> Weaver:
    """Carry the trace through ministack. Call it before it serves."""
    from ministack.services import eventbridge, sqs, stepfunctions

    weaver = Weaver(store, Emulator())
    sqs._build_send_sys_attrs = _sent(sqs._build_send_sys_attrs)  # noqa: SLF001
    sqs._ensure_msg_fields = _delivered(sqs._ensure_msg_fields)  # noqa: SLF001
    eventbridge._dispatch_to_sqs = _delivering(eventbridge._dispatch_to_sqs)  # noqa: SLF001
    stepfunctions._run_execution = _traced_execution(stepfunctions._run_execution, weaver)  # noqa: SLF001
    stepfunctions._create_state_machine = _keep_tracing(stepfunctions._create_state_machine)  # noqa: SLF001
    stepfunctions._update_state_machine = _keep_tracing(stepfunctions._update_state_machine)  # noqa: SLF001
    return weaver


def _sent(builtin: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """A message that is sent carries the sender's trace."""

    def attributes(now_s: float, given: dict[str, Any]) -> dict[str, Any]:
        found, header = builtin(now_s, given), CURRENT.get()
        if header is not None:
            found.setdefault("AWSTraceHeader", str(header))
        return found

    return attributes


def _delivered(builtin: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
    """A message that SNS, S3 or EventBridge puts into a queue carries it too; one that is received is left alone."""

    def ensure(message: dict[str, Any]) -> None:
        fresh, header = "sys" not in message or _DELIVERING.get(), CURRENT.get()
        builtin(message)
        if fresh and header is not None:
            message["sys"].setdefault("AWSTraceHeader", str(header))

    return ensure


def _delivering(builtin: Callable[..., None]) -> Callable[..., None]:
    def dispatch(*arguments: Any, **named: Any) -> None:
        token = _DELIVERING.set(True)
        try:
            builtin(*arguments, **named)
        finally:
            _DELIVERING.reset(token)

    return dispatch


def _keep_tracing(builtin: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    """A state machine's tracing configuration, which ministack forgets."""

    def change(data: dict[str, Any]) -> Any:
        import json

        from ministack.services import stepfunctions

        answer = builtin(data)
        arn = data.get("stateMachineArn") or (
            json.loads(answer[2]).get("stateMachineArn") if answer[0] == 200 else ""
        )
        machine = stepfunctions._state_machines.get(arn)  # noqa: SLF001
        if machine is not None and "tracingConfiguration" in data:
            machine["tracingConfiguration"] = data["tracingConfiguration"]
        return answer

    return change


def _traced_execution(builtin: Callable[[str], None], weaver: Weaver) -> Callable[[str], None]:
    """An execution has a segment, and each of its states a subsegment."""

    def run(arn: str) -> None:
        from ministack.services import stepfunctions

        execution = stepfunctions._executions.get(arn) or {}  # noqa: SLF001
        machine = stepfunctions._state_machines.get(execution.get("stateMachineArn")) or {}  # noqa: SLF001
        traced = bool((machine.get("tracingConfiguration") or {}).get("enabled"))
        with weaver.execution(str(machine.get("name", "")), arn, traced=traced) as segment:
            builtin(arn)
            if segment is not None:
                segment["subsegments"] = list(_states(execution.get("events") or ()))
                if execution.get("status") in {"FAILED", "TIMED_OUT"}:
                    segment["fault"] = True

    return run


def _states(events: Any) -> list[Document]:
    """A subsegment for each state that an execution's history says was entered."""
    entered: dict[str, Any] = {}
    found = []
    for event in events:
        kind = str(event.get("type"))
        if kind.endswith("StateEntered"):
            entered[event["stateEnteredEventDetails"]["name"]] = event["timestamp"]
        elif kind.endswith("StateExited"):
            name = event["stateExitedEventDetails"]["name"]
            start = _seconds(entered.pop(name, event["timestamp"]))
            found.append(
                {"id": new_id(), "name": name, "start_time": start, "end_time": _seconds(event["timestamp"])}
            )
    return found


def _seconds(instant: Any) -> float:
    return datetime.fromisoformat(instant).timestamp() if isinstance(instant, str) else float(instant)
