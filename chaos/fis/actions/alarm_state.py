"""aws:cloudwatch:assert-alarm-state: the experiment goes on only when alarms are as they should be.

Source: https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html#cloudwatch-actions-reference
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from chaos.fis.actions.action import Action, Parameter, Work
from chaos.fis.actions.values import check_one_of, listed, refuse
from chaos.fis.errors import ActionError
from chaos.fis.stop_conditions import alarm_states

_STATES = ("OK", "ALARM", "INSUFFICIENT_DATA")


class AssertAlarmState(Action):
    """Fails when an alarm is in no listed state."""

    id: ClassVar = "aws:cloudwatch:assert-alarm-state"
    description: ClassVar = "Asserts that the specified alarms are in one of the specified states."
    parameters: ClassVar = {
        "alarmArns": Parameter("ARNs of up to five alarms, comma separated."),
        "alarmStates": Parameter(f"States, comma separated: {', '.join(_STATES)}."),
    }

    def check(self, parameters: Mapping[str, str]) -> None:
        """ARNs of alarms and states of alarms."""
        for arn in listed(parameters["alarmArns"], "alarmArns", most=5):
            if ":alarm:" not in arn:
                raise refuse("alarmArns", arn, "the ARN of an alarm")
        for state in listed(parameters["alarmStates"], "alarmStates"):
            check_one_of(state, "alarmStates", _STATES)

    def inject(self, work: Work) -> None:
        """Look once."""
        wanted = listed(work.parameters["alarmStates"], "alarmStates")
        states = alarm_states(work.clients, listed(work.parameters["alarmArns"], "alarmArns"))
        wrong = [f"{arn.rpartition(':')[2]} is in {state}" for arn, state in states.items() if state not in wanted]
        if wrong:
            raise ActionError(f"{wrong[0]}, not in {' or '.join(wanted)}")

    def heal(self, work: Work) -> None:
        """Nothing is in force."""
