"""aws:ssm:start-automation-execution: a runbook breaks something, waits and mends it; the way to faults of one's own.

Source: https://docs.aws.amazon.com/fis/latest/userguide/actions-ssm-agent.html
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any, ClassVar

from chaos.fis.actions.action import Action, Parameter, Work
from chaos.fis.actions.values import check_duration, refuse
from chaos.fis.errors import ActionError

_ENDED = frozenset({"Success", "Failed", "Cancelled", "TimedOut"})
_CHANGING = frozenset(
    {"aws:executeAwsApi", "aws:executeScript", "aws:invokeLambdaFunction", "aws:changeInstanceState"}
)
_MENDING_POLLS = 600
"""A minute to mend in."""


class StartAutomationExecution(Action):
    """Runs an automation and ends with it; stopping the experiment cancels the automation, which then mends."""

    id: ClassVar = "aws:ssm:start-automation-execution"
    description: ClassVar = "Starts the execution of a Systems Manager Automation runbook."
    parameters: ClassVar = {
        "documentArn": Parameter("The ARN of the runbook."),
        "documentVersion": Parameter("Its version; the default one by default.", required=False),
        "documentParameters": Parameter("Its parameters, as JSON text.", required=False),
        "maxDuration": Parameter("How long it may take, in ISO 8601."),
    }
    capability: ClassVar = "zones"
    poll_s: ClassVar = 0.1
    difference: ClassVar = (
        "runbooks of AWS calls, Python scripts, sleeps, branches, assertions, waits, Lambda invocations and instance "
        "states; a runbook with any other step fails by its name"
    )

    def check(self, parameters: Mapping[str, str]) -> None:
        """The ARN, the JSON and the duration."""
        check_duration(parameters["maxDuration"], "maxDuration")
        if (
            ":document/" not in parameters["documentArn"]
            and ":automation-definition/" not in parameters["documentArn"]
        ):
            raise refuse("documentArn", parameters["documentArn"], "the ARN of a document")
        _document_parameters(parameters)

    def hold_s(self, work: Work) -> float:
        """At most `maxDuration`."""
        return check_duration(work.parameters["maxDuration"], "maxDuration")

    def inject(self, work: Work) -> None:
        """Start the automation, once."""
        if "execution" not in work.undo:
            version = work.parameters.get("documentVersion")
            work.undo["execution"] = work.clients.get("ssm").start_automation_execution(
                DocumentName=work.parameters["documentArn"].rpartition("/")[2],
                Parameters=_document_parameters(work.parameters),
                **({"DocumentVersion": version} if version else {}),
            )["AutomationExecutionId"]

    def over(self, work: Work) -> bool:
        """True once the automation has ended. The first step that may change something is the proof of injection."""
        shown = _shown(work)
        begun = [one["StepName"] for one in shown.get("StepExecutions", ()) if _changes(one)]
        if begun and "told" not in work.undo:
            work.undo["told"] = begun[0]
            arn = work.parameters["documentArn"]
            work.doors.evidence.add("fault_fired", owner=work.owner, resource=arn, step=begun[0])
        return shown["AutomationExecutionStatus"] in _ENDED

    def look(self, work: Work) -> None:
        """An automation that failed or took too long fails the action."""
        shown = _shown(work)
        status = shown["AutomationExecutionStatus"]
        if status != "Success":
            reason = shown.get("FailureMessage") or f"it was {status} after {work.parameters['maxDuration']}"
            raise ActionError(f"automation {shown['DocumentName']}: {reason}")

    def heal(self, work: Work) -> None:
        """Cancel the automation if it still runs, and wait until it has mended what it broke."""
        if "execution" not in work.undo or self.over(work):
            return
        work.clients.get("ssm").stop_automation_execution(AutomationExecutionId=work.undo["execution"], Type="Cancel")
        for _ in range(_MENDING_POLLS):
            if self.over(work):
                return
            time.sleep(self.poll_s)
        raise ActionError(f"automation {work.undo['execution']} did not end after it was cancelled")


def _shown(work: Work) -> dict[str, Any]:  # JSON of SSM
    ssm = work.clients.get("ssm")
    answer = ssm.get_automation_execution(AutomationExecutionId=work.undo["execution"])
    return dict(answer["AutomationExecution"])


def _changes(step: Mapping[str, Any]) -> bool:
    """Whether a step has begun that is more than a look, a wait or a branch."""
    if step.get("StepStatus") not in {"InProgress", "Success"} or step.get("Action") not in _CHANGING:
        return False
    asked = str(step.get("Inputs", {}).get("Api", "")).lower().replace("_", "").strip('"')
    return not asked.startswith(("describe", "get", "list"))


def _document_parameters(parameters: Mapping[str, str]) -> dict[str, list[str]]:
    """The runbook's parameters, each a list of texts, as StartAutomationExecution takes them."""
    text = parameters.get("documentParameters") or "{}"
    try:
        given = json.loads(text)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise refuse("documentParameters", text[:200], "a JSON object")
    return {name: [_text(one) for one in (v if isinstance(v, list) else [v])] for name, v in given.items()}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
