"""An execution goes from stage to stage, each action under the pipeline's role.

https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works.html
"""

from __future__ import annotations

import functools
import threading
import time
import uuid
from collections.abc import Mapping
from itertools import groupby, zip_longest
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from harness.cloud.builds.actions import ACTIONS, ActionFailedError, Work
from harness.cloud.builds.execution import EndedError, Execution, Record
from harness.cloud.builds.turns import Turns


def carry_out(execution: Execution, turns: Turns) -> None:
    """From stage to stage, to its end. `turns` has it waiting before the first."""
    status = "Failed"
    try:
        status = "Succeeded" if _through(execution, turns) else "Failed"
    except EndedError as ended:
        status = ended.status
    finally:
        execution.updated_s = time.time()
        execution.status = status


def _through(execution: Execution, turns: Turns) -> bool:
    stages = execution.pipeline["stages"]
    for stage, following in zip_longest(stages, stages[1:]):
        turns.enter(execution, stage["name"])
        try:
            if not _stage(execution, stage):
                return False
            if following:  # before this stage is free, so that nobody overtakes
                turns.arrive(execution, following["name"])
        finally:
            turns.leave(stage["name"])
    return True


def _stage(execution: Execution, stage: Record) -> bool:
    ordered = sorted(stage["actions"], key=lambda action: int(action.get("runOrder") or 1))
    for _, together in groupby(ordered, key=lambda action: int(action.get("runOrder") or 1)):
        actions = list(together)
        execution.go_on()
        threads = [threading.Thread(target=_act, args=(execution, stage["name"], one)) for one in actions]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        ended = [execution.actions[stage["name"], one["name"]]["status"] for one in actions]
        if "Abandoned" in ended:
            raise EndedError(execution.ending or "Stopped")
        if any(status != "Succeeded" for status in ended):
            return False
    return True


def _act(execution: Execution, stage: str, action: Record) -> None:
    """One action, from its record InProgress to its end."""
    kind, where = action["actionTypeId"], (stage, action["name"])
    told = _begun(execution, stage, action)

    def record(status: str, **output: Any) -> None:
        execution.updated_s = time.time()
        execution.actions[where] = {**told, "lastUpdateTime": time.time(), "status": status, "output": output}

    waits = {"token": str(uuid.uuid4())} if kind["provider"] == "Manual" else {}
    record("InProgress", **waits)
    made = next((one["name"] for one in action.get("outputArtifacts") or ()), "")
    taken = [one["name"] for one in action.get("inputArtifacts") or ()]
    work = Work(
        client=execution.client,
        configuration=told["input"]["configuration"],
        bucket=_store(execution.pipeline),
        inputs={name: execution.artifacts[name] for name in taken if name in execution.artifacts},
        output=f"{execution.pipeline['name']}/{made}/{told['actionExecutionId'][:8]}" if made else "",
        goes_on=execution.go_on,
        approved=functools.partial(_wait_for_word, execution, where),
    )
    try:
        result = _carry(kind, work)
    except EndedError:
        record("Abandoned")
    except ActionFailedError as error:
        record("Failed", executionResult=_failed(error.code, str(error)))
    except (ClientError, BotoCoreError, KeyError, ValueError) as error:
        record("Failed", executionResult=_failed("ConfigurationError", str(error)))
    else:
        if made:
            execution.artifacts[made] = work.output
        record("Succeeded", executionResult={"externalExecutionId": result})


def _begun(execution: Execution, stage: str, action: Record) -> Record:
    """What ListActionExecutions tells of an action whatever becomes of it."""
    configuration = {str(k): str(v) for k, v in (action.get("configuration") or {}).items()}
    return {
        "pipelineExecutionId": execution.id,
        "actionExecutionId": str(uuid.uuid4()),
        "pipelineVersion": execution.pipeline["version"],
        "stageName": stage,
        "actionName": action["name"],
        "startTime": time.time(),
        "input": {"actionTypeId": action["actionTypeId"], "configuration": configuration},
    }


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
        execution.go_on()
        time.sleep(0.1)
    answer = execution.answers[where]
    if answer.get("status") != "Approved":
        raise ActionFailedError(str(answer.get("summary", "")) or "rejected")
    return str(answer.get("summary", ""))


def _store(pipeline: Record) -> str:
    store: Record = pipeline.get("artifactStore") or next(iter((pipeline.get("artifactStores") or {}).values()), {})
    return str(store.get("location", ""))
