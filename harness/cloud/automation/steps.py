"""What the steps of a runbook do.

Source: https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-actions.html
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore import xform_name

from harness.clock import parse_duration_s
from harness.cloud.automation.expressions import selected
from harness.cloud.automation.script import ScriptHost

_POLL_S = 0.5


class StepError(Exception):
    """A step failed; says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a step may use: clients of the automation's role, its credentials for scripts, and the cancel signal."""

    client: Callable[[str], Any]  # boto3 makes clients at run time
    environment: Mapping[str, str]
    scripts: ScriptHost
    cancelled: threading.Event

    def call(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """An AWS call as `Service`, `Api` and the rest of the inputs say it."""
        given = {key: value for key, value in inputs.items() if key not in _NOT_FOR_THE_API}
        answer: dict[str, Any] = getattr(self.client(inputs["Service"]), xform_name(inputs["Api"]))(**given)
        answer.pop("ResponseMetadata", None)
        return answer

    def sleep(self, duration_s: float) -> None:
        """Wait, unless the automation is cancelled."""
        if self.cancelled.wait(duration_s):
            raise StepError("cancelled")


_NOT_FOR_THE_API = frozenset({"Service", "Api", "PropertySelector", "DesiredValues"})
Inputs = Mapping[str, Any]  # a step's `inputs`, expressions filled in
StepAction = Callable[[Inputs, Surroundings], dict[str, Any]]


def execute_api(inputs: Inputs, around: Surroundings) -> dict[str, Any]:
    """aws:executeAwsApi."""
    return around.call(inputs)


def execute_script(inputs: Inputs, around: Surroundings) -> dict[str, Any]:
    """aws:executeScript."""
    return around.scripts.run(inputs, around.environment, around.cancelled)


def sleep(inputs: Inputs, around: Surroundings) -> dict[str, Any]:
    """aws:sleep, for a duration."""
    if "Duration" not in inputs:
        raise StepError("aws:sleep needs a Duration here; a Timestamp is not supported")
    around.sleep(parse_duration_s(str(inputs["Duration"])))
    return {}


def assert_property(inputs: Inputs, around: Surroundings) -> dict[str, Any]:
    """aws:assertAwsResourceProperty."""
    found = selected(around.call(inputs), inputs["PropertySelector"])
    if str(found) not in [str(one) for one in inputs["DesiredValues"]]:
        raise StepError(f"{inputs['PropertySelector']} is {found}, not in {inputs['DesiredValues']}")
    return {}


def wait_for_property(inputs: Inputs, around: Surroundings) -> dict[str, Any]:
    """aws:waitForAwsResourceProperty: the step's time limit ends it, or cancelling."""
    while True:
        try:
            return assert_property(inputs, around)
        except StepError:
            around.sleep(_POLL_S)


def invoke_function(inputs: Inputs, around: Surroundings) -> dict[str, Any]:
    """aws:invokeLambdaFunction."""
    payload = inputs.get("Payload") or json.dumps(inputs.get("InputPayload") or {})
    answer = around.client("lambda").invoke(FunctionName=inputs["FunctionName"], Payload=str(payload).encode())
    body = answer["Payload"].read().decode()
    if answer.get("FunctionError"):
        raise StepError(f"function {inputs['FunctionName']} failed: {body[:300]}")
    return {"StatusCode": answer["StatusCode"], "Payload": body}


def change_instances(inputs: Inputs, around: Surroundings) -> dict[str, Any]:
    """aws:changeInstanceState."""
    ec2, names = around.client("ec2"), list(inputs["InstanceIds"])
    change = {"running": ec2.start_instances, "stopped": ec2.stop_instances, "terminated": ec2.terminate_instances}
    change[inputs["DesiredState"]](InstanceIds=names)
    return {"InstanceStates": [inputs["DesiredState"]] * len(names)}


STEP_ACTIONS: Mapping[str, StepAction] = {
    "aws:assertAwsResourceProperty": assert_property,
    "aws:changeInstanceState": change_instances,
    "aws:executeAwsApi": execute_api,
    "aws:executeScript": execute_script,
    "aws:invokeLambdaFunction": invoke_function,
    "aws:sleep": sleep,
    "aws:waitForAwsResourceProperty": wait_for_property,
}
