"""CodePipeline: moto keeps the definitions, executions are really carried out, each under the pipeline's role.

https://docs.aws.amazon.com/codepipeline/latest/APIReference/Welcome.html
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from botocore.exceptions import ClientError

from harness.cloud.asgi import REQUEST, App, Message, Receive, Scope, Send, read_body, replay, respond
from harness.cloud.builds.execution import Execution
from harness.cloud.builds.stages import carry_out
from harness.cloud.builds.turns import Turns
from harness.cloud.identify import Request
from harness.cloud.sessions import Client, RoleSession
from harness.target import Target

Record = dict[str, Any]
_KIND = "application/x-amz-json-1.1"
_PARALLEL = "PARALLEL"


class RefusedError(Exception):
    """CodePipeline refuses a call."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(slots=True)
class PipelinesApi:
    """An ASGI application round moto's."""

    target: Target
    records: App
    _executions: dict[tuple[str, str, str], list[Execution]] = field(default_factory=dict)
    """Account, region and pipeline → its executions, the oldest first."""
    _turns: dict[tuple[str, str, str], Turns] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call: about executions in a thread, about definitions by moto."""
        body = await read_body(receive)
        if body is None:
            return
        call: Request = scope[REQUEST]
        answer = self._operations().get(call.operation)
        if answer is None:
            status = await self._defined(scope, replay(body, receive), send)
            if call.operation == "CreatePipeline" and status == HTTPStatus.OK:
                name = json.loads(body)["pipeline"]["name"]
                await asyncio.to_thread(self._begin, (call.account, call.region, name), "CreatePipeline")
            return
        status, said = await asyncio.to_thread(self._answered, answer, call, json.loads(body or b"{}"))
        await respond(send, status, json.dumps(said, default=str).encode(), _KIND)

    async def _defined(self, scope: Scope, receive: Receive, send: Send) -> int:
        """Let moto answer; returns the status that it gave."""
        status = 0

        async def heard(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        await self.records(scope, receive, heard)
        return status

    def reset(self) -> None:
        """Stop and forget all executions."""
        with self._lock:
            for executions in self._executions.values():
                for one in executions:
                    one.ending = "Stopped"
            self._executions.clear()
            self._turns.clear()

    def _operations(self) -> Mapping[str, Callable[[tuple[str, str, str], Record], Record]]:
        return {
            "StartPipelineExecution": self._start,
            "StopPipelineExecution": self._stop,
            "GetPipelineExecution": self._told,
            "ListPipelineExecutions": self._list,
            "ListActionExecutions": self._list_actions,
            "GetPipelineState": self._state,
            "PutApprovalResult": self._approve,
        }

    def _answered(
        self, answer: Callable[[tuple[str, str, str], Record], Record], call: Request, asked: Record
    ) -> tuple[int, Record]:
        name = str(asked.get("pipelineName") or asked.get("name") or "")
        try:
            return 200, answer((call.account, call.region, name), asked)
        except RefusedError as error:
            return 400, {"__type": error.code, "message": str(error)}

    # -- the calls ---------------------------------------------------------------------------------------------

    def _definition(self, at: tuple[str, str, str]) -> Record:
        client = self.target.client("codepipeline", region=at[1])
        try:
            found: Record = client.get_pipeline(name=at[2])["pipeline"]
        except ClientError as error:
            code, words = error.response["Error"]["Code"], error.response["Error"]["Message"]
            raise RefusedError(code, words) from error
        return found

    def _start(self, at: tuple[str, str, str], _asked: Record) -> Record:
        return {"pipelineExecutionId": self._begin(at, "StartPipelineExecution")}

    def _begin(self, at: tuple[str, str, str], trigger: str) -> str:
        """Start an execution; returns its id. A pipeline starts when it is made, too.

        https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-about-starting.html
        """
        pipeline = self._definition(at)
        execution = Execution(
            id=str(uuid.uuid4()),
            pipeline=pipeline,
            client=self._clients(at, str(pipeline["roleArn"])),
            trigger=trigger,
        )
        with self._lock:
            turns = Turns() if execution.mode == _PARALLEL else self._turns.setdefault(at, Turns())
            self._executions.setdefault(at, []).append(execution)
            turns.arrive(execution, pipeline["stages"][0]["name"])
        threading.Thread(target=carry_out, args=(execution, turns), name=f"pipeline {at[2]}", daemon=True).start()
        return execution.id

    def _find(self, at: tuple[str, str, str], asked: Record) -> Execution:
        wanted = asked.get("pipelineExecutionId")
        for one in self._executions.get(at, ()):
            if one.id == wanted:
                return one
        raise RefusedError("PipelineExecutionNotFoundException", f"{at[2]} has no execution with id {wanted}")

    def _stop(self, at: tuple[str, str, str], asked: Record) -> Record:
        execution = self._find(at, asked)
        if execution.status != "InProgress":
            raise RefusedError("PipelineExecutionNotStoppableException", f"the execution is {execution.status}")
        execution.ending = "Stopped"
        return {"pipelineExecutionId": execution.id}

    def _told(self, at: tuple[str, str, str], asked: Record) -> Record:
        one = self._find(at, asked)
        told = {
            "pipelineName": at[2],
            "pipelineVersion": one.pipeline["version"],
            "artifactRevisions": [],
            "variables": [],
        }
        told |= {name: one.summary()[name] for name in ("pipelineExecutionId", "executionMode", "status", "trigger")}
        return {"pipelineExecution": told}

    def _list(self, at: tuple[str, str, str], asked: Record) -> Record:
        self._definition(at)
        found = [one.summary() for one in reversed(self._executions.get(at, ()))]
        return {"pipelineExecutionSummaries": found[: int(asked.get("maxResults") or 100)]}

    def _list_actions(self, at: tuple[str, str, str], asked: Record) -> Record:
        wanted = (asked.get("filter") or {}).get("pipelineExecutionId")
        executions = [one for one in reversed(self._executions.get(at, ())) if wanted in {None, one.id}]
        return {"actionExecutionDetails": [dict(a) for one in executions for a in reversed(one.actions.values())]}

    def _state(self, at: tuple[str, str, str], _asked: Record) -> Record:
        pipeline, executions = self._definition(at), self._executions.get(at, [])
        newest = executions[-1] if executions else None
        stages = [_stage_state(stage, newest) for stage in pipeline["stages"]]
        return {"pipelineName": at[2], "pipelineVersion": pipeline["version"], "stageStates": stages}

    def _approve(self, at: tuple[str, str, str], asked: Record) -> Record:
        where = (str(asked["stageName"]), str(asked["actionName"]))
        for one in self._executions.get(at, ()):
            waiting = one.actions.get(where, {})
            if waiting.get("status") == "InProgress" and waiting["output"].get("token") == asked.get("token"):
                one.answers[where] = dict(asked["result"])
                return {"approvedAt": time.time()}
        raise RefusedError("InvalidApprovalTokenException", "nothing waits for an answer with this token")

    def _clients(self, at: tuple[str, str, str], role: str) -> Client:
        account, region, name = at
        session = RoleSession(role=role, account=account, region=region, name=f"codepipeline-{name}")
        return session.clients(self.target)


def _stage_state(stage: Record, execution: Execution | None) -> Record:
    states, found = [], []
    for action in stage["actions"]:
        told = execution.actions.get((stage["name"], action["name"])) if execution else None
        state: Record = {"actionName": action["name"]}
        if told:
            latest = {"actionExecutionId": told["actionExecutionId"], "status": told["status"]}
            token = {"token": told["output"]["token"]} if "token" in told["output"] else {}
            state["latestExecution"] = {**latest, "lastStatusChange": told["lastUpdateTime"], **token}
            found.append(str(told["status"]))
        states.append(state)
    known: Record = {"stageName": stage["name"], "actionStates": states}
    if execution and found:
        worst = next((s for s in ("Failed", "Abandoned", "InProgress") if s in found), "Succeeded")
        status = "InProgress" if worst == "Succeeded" and len(found) < len(states) else worst
        known["latestExecution"] = {"pipelineExecutionId": execution.id, "status": status}
    return known
