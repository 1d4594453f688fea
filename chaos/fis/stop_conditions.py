"""Stop conditions: CloudWatch alarms that are watched from start to end, also while nothing but a wait runs.

Source: https://docs.aws.amazon.com/fis/latest/userguide/stop-conditions.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chaos.fis.clients import Clients
from chaos.fis.errors import ActionError

POLL_S = 0.25
"""AWS does not document how often it looks; this stops an experiment well within a second."""


def alarms_of(conditions: Sequence[Mapping[str, Any]]) -> list[str]:
    """The ARNs of the alarms that stop the experiment."""
    return [one["value"] for one in conditions if one["source"] == "aws:cloudwatch:alarm"]


def alarm_states(clients: Clients, arns: Sequence[str]) -> dict[str, str]:
    """ARN → `OK`, `ALARM` or `INSUFFICIENT_DATA`.

    Raises:
        ActionError: CloudWatch does not answer, or there is no such alarm.
    """
    names = [arn.rpartition(":alarm:")[2] for arn in arns]
    try:
        answer = clients.get("cloudwatch").describe_alarms(
            AlarmNames=names, AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        )
    except (ClientError, BotoCoreError) as error:
        raise ActionError(f"alarms could not be read: {error}", "DependentServiceFailure") from error
    found = {one["AlarmName"]: one["StateValue"] for one in answer["MetricAlarms"] + answer["CompositeAlarms"]}
    missing = [name for name in names if name not in found]
    if missing:
        raise ActionError(f"alarm {missing[0]} does not exist")
    return {arn: found[name] for arn, name in zip(arns, names, strict=True)}
