"""FIS: from StartExperiment to the effect, from StopExperiment to its end, what a thousand rules cost the gate."""

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from botocore.exceptions import ClientError
from gate_bench import calls
from invoke_bench import function
from peers import Table, callers, our_cloud, side_by_side

from chaos.fis.role import stand_in
from harness.target import Target

ROLE = "arn:aws:iam::000000000000:role/fis"
ROUNDS = 21
EXPERIMENTS, ACTIONS = 100, 10
FUNCTIONS = {"t": {"resourceType": "aws:lambda:function", "resourceTags": {"app": "bench"}, "selectionMode": "ALL"}}


def template(fis: Any, actions: dict[str, Any], targets: dict[str, Any]) -> str:
    """A template's id."""
    body = {"description": "d", "roleArn": ROLE, "stopConditions": [{"source": "none"}]}
    return str(fis.create_experiment_template(**body, actions=actions, targets=targets)["experimentTemplate"]["id"])


def effect_ms(fis: Any, identity: str, hit: Callable[[], bool]) -> tuple[float, float]:
    """Milliseconds from StartExperiment to the first call hit, and from StopExperiment to the first spared."""
    began_s = time.perf_counter()
    experiment = fis.start_experiment(experimentTemplateId=identity)["experiment"]["id"]
    while not hit():
        pass
    seen_ms = (time.perf_counter() - began_s) * 1000
    began_s = time.perf_counter()
    fis.stop_experiment(id=experiment)
    while hit():
        pass
    return seen_ms, (time.perf_counter() - began_s) * 1000


def fails(call: Callable[[], Any]) -> bool:
    """Whether a call is hit."""
    try:
        return "FunctionError" in call()
    except ClientError:
        return True


def latencies(table: Table, target: Target) -> None:
    """Start and stop of an API error, which has no target, and of Lambda errors, whose functions are found by tag."""
    fis, sqs = target.client("fis"), target.client("sqs", retries={"total_max_attempts": 1})
    silent = function(target)
    silent.tag_resource(
        Resource=silent.get_function(FunctionName="silent")["Configuration"]["FunctionArn"], Tags={"app": "bench"}
    )
    silent.invoke(FunctionName="silent")
    parameters = {"duration": "PT10M", "service": "sqs", "operations": "ListQueues", "percentage": "100"}
    api = {"a": {"actionId": "aws:fis:inject-api-unavailable-error", "parameters": parameters}}
    error = {
        "a": {
            "actionId": "aws:lambda:invocation-error",
            "parameters": {"duration": "PT10M", "preventExecution": "true"},
            "targets": {"Functions": "t"},
        }
    }
    for name, actions, targets, call in (
        ("an API error", api, {}, sqs.list_queues),
        ("a Lambda error", error, FUNCTIONS, partial(silent.invoke, FunctionName="silent")),
    ):
        identity = template(fis, actions, targets)
        measured = [effect_ms(fis, identity, partial(fails, call)) for _ in range(ROUNDS)]
        for what, number in (("start → effect", 0), ("stop → gone", 1)):
            values = sorted(one[number] for one in measured)
            table.limit(f"{what} of {name}, median", statistics.median(values), "ms", at_most=100)
            table.limit(f"{what} of {name}, worst of {ROUNDS}", values[-1], "ms", at_most=100)


def load_experiments(target: Target) -> None:
    """A hundred experiments of ten rules each, about the very calls that are measured, made by ten other roles."""
    iam, fis = target.client("iam"), target.client("fis")
    arns = [f"arn:aws:iam::000000000000:role/bench-{number}" for number in range(ACTIONS)]
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    for arn in arns:
        iam.create_role(RoleName=arn.rpartition("/")[2], AssumeRolePolicyDocument=trust)
    targets = {
        f"t{number}": {"resourceType": "aws:iam:role", "resourceArns": [arn], "selectionMode": "ALL"}
        for number, arn in enumerate(arns)
    }
    actions = {
        f"a{number}": {
            "actionId": "aws:fis:inject-api-throttle-error",
            "parameters": {
                "duration": "PT1H",
                "service": ("sqs", "dynamodb")[number % 2],
                "operations": ("SendMessage", "PutItem")[number % 2],
                "percentage": "100",
            },
            "targets": {"Roles": f"t{number}"},
        }
        for number in range(ACTIONS)
    }
    identity = template(fis, actions, targets)
    for _ in range(EXPERIMENTS):
        fis.start_experiment(experimentTemplateId=identity)
    while any(
        e["state"]["status"] != "running"
        for page in fis.get_paginator("list_experiments").paginate()
        for e in page["experiments"]
    ):
        time.sleep(0.2)


def main() -> int:
    table = Table()
    os.environ["BLACKSTART_FIS_ACTIVE_EXPERIMENTS"] = str(EXPERIMENTS)
    with our_cloud() as quiet, our_cloud() as loaded:
        for cloud in (quiet, loaded):
            stand_in(cloud.target, ROLE)
        latencies(table, quiet.target)
        load_experiments(loaded.target)
        time.sleep(1.0)
        rules = len(loaded.control.rules())
        for threads in (1, 8):
            sides = [callers(threads, calls, cloud.target) for cloud in (loaded, quiet)]
            for name in ("sqs.send_message", "dynamodb.put_item"):
                with_rules, without = side_by_side([partial(s.rate, name, threads=threads, calls=400) for s in sides])
                table.row(f"{name}, {rules} rules, {threads} threads", with_rules, without, "/s", at_least=0.8)
    return table.missed


if __name__ == "__main__":
    sys.exit(main())
