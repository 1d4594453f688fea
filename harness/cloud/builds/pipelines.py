"""CodePipeline: moto keeps the definitions, executions are really carried out, each under the pipeline's role.

One execution of a pipeline runs at a time, in the order in which they were started.
https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works.html
"""

from __future__ import annotations

import asyncio
import functools
import json
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import groupby
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from harness.cloud.asgi import REQUEST, App, Message, Receive, Scope, Send, read_body, replay, respond
from harness.cloud.builds.actions import ACTIONS, ActionFailedError, Work
from harness.cloud.identify import Request
from harness.cloud.sessions import Client, RoleSession
from harness.target import Target

Record = dict[str, Any]
_KIND = "application/x-amz-json-1.1"
_ENDED = frozenset({"Succeeded", "Failed", "Stopped"})


class RefusedError(Exception):
    """CodePipeline refuses a call."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class _StoppedError(Exception):
    """The execution was stopped."""


@dataclass(slots=True, kw_only=True)
class Execution:
    """One run of a pipeline. What readers see of an action is replaced as a whole."""

    id: str
    pipeline: Record
    client: Client
    trigger: str
    started_s: float = field(default_factory=time.time)
    updated_s: float = field(default_factory=time.time)
    status: str = "InProgress"
    stopped: bool = False
    actions: dict[tuple[str, str], Record] = field(default_factory=dict)
    """By stage and action: what ListActionExecutions tells."""
    answers: dict[tuple[str, str], Record] = field(default_factory=dict)
    """Somebody's word on what waits for it."""
    artifacts: dict[str, str] = field(default_factory=dict)

    def summary(self) -> Record:
        """As ListPipelineExecutions tells it."""
        return {
            "pipelineExecutionId": self.id,
            "status": self.status,
            "startTime": self.started_s,
            "lastUpdateTime": self.updated_s,
            "sourceRevisions": [],
            "trigger": {"triggerType": self.trigger, "triggerDetail": ""},
        }


@dataclass(slots=True)
class PipelinesApi:
    """An ASGI application round moto's."""

    target: Target
    records: App
    _executions: dict[tuple[str, str, str], list[Execution]] = field(default_factory=dict)
    """Account, region and pipeline → its executions, the oldest first."""
    _turns: dict[tuple[str, str, str], threading.Lock] = field(default_factory=dict)
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
                    one.stopped = True
            self._executions.clear()

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
            self._executions.setdefault(at, []).append(execution)
            turn = self._turns.setdefault(at, threading.Lock())
        threading.Thread(target=_carry_out, args=(execution, turn), name=f"pipeline {at[2]}", daemon=True).start()
        return execution.id

    def _find(self, at: tuple[str, str, str], asked: Record) -> Execution:
        wanted = asked.get("pipelineExecutionId")
        for one in self._executions.get(at, ()):
            if one.id == wanted:
                return one
        raise RefusedError("PipelineExecutionNotFoundException", f"{at[2]} has no execution with id {wanted}")

    def _stop(self, at: tuple[str, str, str], asked: Record) -> Record:
        execution = self._find(at, asked)
        if execution.status in _ENDED:
            raise RefusedError("PipelineExecutionNotStoppableException", f"the execution is {execution.status}")
        execution.stopped = True
        return {"pipelineExecutionId": execution.id}

    def _told(self, at: tuple[str, str, str], asked: Record) -> Record:
        one = self._find(at, asked)
        told = {
            "pipelineName": at[2],
            "pipelineVersion": one.pipeline["version"],
            "artifactRevisions": [],
            "variables": [],
        }
        told |= {name: one.summary()[name] for name in ("pipelineExecutionId", "status", "trigger")}
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


# -- one execution --------------------------------------------------------------------------------------------


def _carry_out(execution: Execution, turn: threading.Lock) -> None:
    """From stage to stage; the actions of one run order at the same time."""
    with turn:
        status = "Failed"
        try:
            status = "Succeeded" if all(_stage(execution, one) for one in execution.pipeline["stages"]) else "Failed"
        except _StoppedError:
            status = "Stopped"
        finally:
            execution.updated_s = time.time()
            execution.status = status


def _stage(execution: Execution, stage: Record) -> bool:
    ordered = sorted(stage["actions"], key=lambda action: int(action.get("runOrder") or 1))
    for _, together in groupby(ordered, key=lambda action: int(action.get("runOrder") or 1)):
        actions = list(together)
        _go_on(execution)
        threads = [threading.Thread(target=_act, args=(execution, stage["name"], one)) for one in actions]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        ended = [execution.actions[stage["name"], one["name"]]["status"] for one in actions]
        if "Abandoned" in ended:
            raise _StoppedError
        if any(status != "Succeeded" for status in ended):
            return False
    return True


def _go_on(execution: Execution) -> None:
    if execution.stopped:
        raise _StoppedError


def _act(execution: Execution, stage: str, action: Record) -> None:
    """One action, from its record InProgress to its end."""
    kind, where, now_s = action["actionTypeId"], (stage, action["name"]), time.time()
    configuration = {str(k): str(v) for k, v in (action.get("configuration") or {}).items()}
    names = {key: [one["name"] for one in action.get(key) or ()] for key in ("inputArtifacts", "outputArtifacts")}
    told: Record = {
        "pipelineExecutionId": execution.id,
        "actionExecutionId": str(uuid.uuid4()),
        "pipelineVersion": execution.pipeline["version"],
        "stageName": stage,
        "actionName": action["name"],
        "startTime": now_s,
        "input": {"actionTypeId": kind, "configuration": configuration},
    }

    def record(status: str, **output: Any) -> None:
        execution.updated_s = time.time()
        execution.actions[where] = {**told, "lastUpdateTime": time.time(), "status": status, "output": output}

    waits = {"token": str(uuid.uuid4())} if kind["provider"] == "Manual" else {}
    record("InProgress", **waits)
    bucket = _store(execution.pipeline)
    made = next(iter(names["outputArtifacts"]), "")
    output = f"{execution.pipeline['name']}/{made}/{told['actionExecutionId'][:8]}" if made else ""
    work = Work(
        client=execution.client,
        configuration=configuration,
        bucket=bucket,
        inputs={name: execution.artifacts[name] for name in names["inputArtifacts"] if name in execution.artifacts},
        output=output,
        goes_on=functools.partial(_go_on, execution),
        approved=functools.partial(_wait_for_word, execution, where),
    )
    try:
        result = _carry(kind, work)
    except _StoppedError:
        record("Abandoned")
    except ActionFailedError as error:
        record("Failed", executionResult=_failed(error.code, str(error)))
    except (ClientError, BotoCoreError, KeyError, ValueError) as error:
        record("Failed", executionResult=_failed("ConfigurationError", str(error)))
    else:
        if output:
            execution.artifacts[made] = output
        record("Succeeded", executionResult={"externalExecutionId": result})


def _carry(kind: Mapping[str, str], work: Work) -> str:
    do = ACTIONS.get((kind["category"], kind["provider"])) if kind["owner"] == "AWS" else None
    if do is None:
        named = f"{kind['owner']} {kind['category']} {kind['provider']}"
        raise ActionFailedError(f"the action {named} is not supported by this cloud", "ConfigurationError")
    return do(work)


def _failed(code: str, message: str) -> Record:
    return {"externalExecutionSummary": message, "errorDetails": {"code": code, "message": message}}


def _wait_for_word(execution: Execution, where: tuple[str, str]) -> str:
    while where not in execution.answers:
        _go_on(execution)
        time.sleep(0.1)
    answer = execution.answers[where]
    if answer.get("status") != "Approved":
        raise ActionFailedError(str(answer.get("summary", "")) or "rejected")
    return str(answer.get("summary", ""))


def _store(pipeline: Record) -> str:
    store: Record = pipeline.get("artifactStore") or next(iter((pipeline.get("artifactStores") or {}).values()), {})
    return str(store.get("location", ""))
