"""One run of a runbook: its steps one after the other, what follows a failure, cancelling.

Source: https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-action-common.html
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from harness.cloud.automation.documents import SsmError, Version
from harness.cloud.automation.expressions import ExpressionError, filled, selected
from harness.cloud.automation.script import ScriptError
from harness.cloud.automation.steps import STEP_ACTIONS, StepError, Surroundings
from harness.errors import nearest

ENDED = frozenset({"Success", "Failed", "Cancelled", "TimedOut"})
_PROBLEMS = (StepError, ScriptError, ExpressionError, ClientError, BotoCoreError, KeyError, TypeError, ValueError)
_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "StringEquals": lambda found, wanted: str(found) == str(wanted),
    "EqualsIgnoreCase": lambda found, wanted: str(found).lower() == str(wanted).lower(),
    "StartsWith": lambda found, wanted: str(found).startswith(str(wanted)),
    "EndsWith": lambda found, wanted: str(found).endswith(str(wanted)),
    "Contains": lambda found, wanted: str(wanted) in str(found),
    "NumericEquals": lambda found, wanted: float(found) == float(wanted),
    "NumericGreater": lambda found, wanted: float(found) > float(wanted),
    "NumericLesser": lambda found, wanted: float(found) < float(wanted),
    "BooleanEquals": lambda found, wanted: str(found).lower() == str(wanted).lower(),
}


@dataclass(slots=True, kw_only=True)
class Execution:
    """A run. `known` are parameters and the outputs of the steps that were taken, by the names of expressions."""

    document: str
    version: Version
    parameters: Mapping[str, list[str]]
    known: dict[str, Any]
    surroundings: Surroundings
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = "InProgress"
    failure: str = ""
    steps: list[dict[str, Any]] = field(default_factory=list)
    started_s: float = field(default_factory=time.time)
    ended_s: float | None = None
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread = threading.Thread(target=self._run, name=f"automation-{self.id}", daemon=True)
        self._thread.start()

    def cancel(self) -> None:
        """Interrupt the step under way; what its `onCancel` names still runs. Nothing, once it has ended."""
        if self.status not in ENDED:
            self.surroundings.cancelled.set()

    def join(self, timeout_s: float) -> None:
        """Wait for its end."""
        if self._thread is not None:
            self._thread.join(timeout_s)

    def shown(self) -> dict[str, Any]:
        """As GetAutomationExecution tells it."""
        return {
            "AutomationExecutionId": self.id,
            "DocumentName": self.document,
            "DocumentVersion": self.version.number,
            "AutomationExecutionStatus": self.status,
            "StepExecutions": self.steps,
            "Parameters": self.parameters,
            "FailureMessage": self.failure,
            "Outputs": {},
            "Mode": "Auto",
            "ExecutionStartTime": self.started_s,
            **({} if self.ended_s is None else {"ExecutionEndTime": self.ended_s}),
        }

    def _run(self) -> None:
        steps = {step["name"]: step for step in self.version.content["mainSteps"]}
        order = list(steps)
        name, status, mending = order[0], "Success", False
        while name:
            step = steps[name]
            failed = self._take(step)
            cancelled = self.surroundings.cancelled.is_set() and not mending
            if cancelled:
                status, mending = "Cancelled", True
                self.surroundings.cancelled.clear()  # what mends is not cancelled
                name = _target(step.get("onCancel", "Abort"))
            elif failed:
                status = status if status == "Cancelled" else "Failed"
                self.failure = self.failure or f"Step {name} failed: {failed}"
                name = self._after_failure(step, order)
            else:
                name = self._next(step, order)
        if status == "Failed" and not any(s["StepStatus"] == "Failed" and s["IsCritical"] for s in self.steps):
            status = "Success"
        self.ended_s = time.time()
        self.status = status

    def _take(self, step: Mapping[str, Any]) -> str:
        """Run one step; returns what failed, or ''."""
        told = {
            "StepName": step["name"],
            "Action": step["action"],
            "StepStatus": "InProgress",
            "IsCritical": step.get("isCritical", True) is not False,
            "ExecutionStartTime": time.time(),
            "Inputs": _shown(step.get("inputs") or {}),
            "Outputs": {},
        }
        self.steps.append(told)
        problem = ""
        for _ in range(int(step.get("maxAttempts", 1))):
            problem = self._attempt(step, told)
            if not problem or self.surroundings.cancelled.is_set():
                break
        if problem:
            told["FailureMessage"] = problem[:1024]
        told["ExecutionEndTime"] = time.time()
        told["StepStatus"] = "Failed" if problem else "Success"  # last: whoever sees it sees all
        return problem

    def _attempt(self, step: Mapping[str, Any], told: dict[str, Any]) -> str:
        if step["action"] == "aws:branch":
            return ""
        action = STEP_ACTIONS.get(step["action"])
        if action is None:
            return f"action {step['action']} is not carried out here; {nearest(step['action'], STEP_ACTIONS)}"
        try:
            inputs = filled(step.get("inputs") or {}, self.known)
            told["Inputs"] = _shown(inputs)
            answer = action(inputs, self.surroundings)
            for output in step.get("outputs") or ():
                value = selected(answer, output["Selector"])
                self.known[f"{step['name']}.{output['Name']}"] = value
                shown = value if isinstance(value, list) else [value]
                told["Outputs"][output["Name"]] = [_text(one) for one in shown]
            for key, value in answer.items():
                self.known.setdefault(f"{step['name']}.{key}", value)
        except _PROBLEMS as error:
            return f"{type(error).__name__}: {error}"
        return ""

    def _next(self, step: Mapping[str, Any], order: list[str]) -> str:
        if step["action"] == "aws:branch":
            return self._branch(step.get("inputs") or {}) or _following(step["name"], order)
        if step.get("isEnd"):
            return ""
        return str(step.get("nextStep") or _following(step["name"], order))

    def _branch(self, inputs: Mapping[str, Any]) -> str:
        for choice in inputs.get("Choices") or ():
            found = filled(choice["Variable"], self.known)
            if all(_COMPARISONS[name](found, wanted) for name, wanted in choice.items() if name in _COMPARISONS):
                return str(choice["NextStep"])
        return str(inputs.get("Default", ""))

    def _after_failure(self, step: Mapping[str, Any], order: list[str]) -> str:
        wanted = step.get("onFailure", "Abort")
        return self._next(step, order) if wanted == "Continue" else _target(wanted)


def _text(value: Any) -> str:
    """As the outputs of a step are shown: texts, whatever they are."""
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _target(wanted: str) -> str:
    """The step in `step:name`; '' for Abort."""
    return wanted.partition("step:")[2].strip()


def _following(name: str, order: list[str]) -> str:
    position = order.index(name) + 1
    return order[position] if position < len(order) else ""


def arguments(version: Version, given: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a run by name: given ones as their types say, else their defaults.

    Raises:
        SsmError: one is missing or unknown.
    """
    declared = version.content.get("parameters") or {}
    unknown = sorted(set(given) - set(declared))
    if unknown:
        raise SsmError("InvalidAutomationExecutionParameters", f"{unknown[0]} is no parameter of the document")
    known: dict[str, Any] = {}
    for name, one in declared.items():
        if name in given:
            values = given[name] if isinstance(given[name], list) else [given[name]]
            many = str(one.get("type", "String")).endswith("List")
            known[name] = values if many else next(iter(values), "")
        elif "default" in one:
            known[name] = one["default"]
        else:
            raise SsmError("InvalidAutomationExecutionParameters", f"parameter {name} is missing")
    return known


def _shown(inputs: Mapping[str, Any]) -> dict[str, str]:
    """A step's inputs as GetAutomationExecution tells them: JSON, value by value."""
    return {name: json.dumps(value, default=str) for name, value in inputs.items()}
