"""Functions as an alarm's actions; ministack notifies topics only.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-actions-Lambda.html
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

Alarm = Mapping[str, Any]  # ministack's record, in the words of PutMetricAlarm
Dispatch = Callable[[Alarm, str, str, str], None]

_ACTIONS = {"ALARM": "AlarmActions", "OK": "OKActions", "INSUFFICIENT_DATA": "InsufficientDataActions"}


def and_functions(builtin: Dispatch, invoke: Callable[[str, Any], bool]) -> Dispatch:
    """The dispatch of actions, with functions invoked too."""

    def dispatch(alarm: Alarm, before: str, state: str, reason: str) -> None:
        builtin(alarm, before, state, reason)
        if not alarm.get("ActionsEnabled", True):
            return
        for arn in alarm.get(_ACTIONS.get(state, "")) or ():
            if str(arn).startswith("arn:aws:lambda:") and not invoke(str(arn), event(alarm, before, state, reason)):
                logging.getLogger(__name__).warning("alarm %s: no function %s", alarm.get("AlarmName"), arn)

    return dispatch


def event(alarm: Alarm, before: str, state: str, reason: str) -> dict[str, Any]:
    """What the function is invoked with."""
    arn = str(alarm.get("AlarmArn", ""))
    parts = (arn.split(":") + [""] * 5)[:5]
    now = datetime.fromtimestamp(time.time(), UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"
    return {
        "source": "aws.cloudwatch",
        "alarmArn": arn,
        "accountId": parts[4],
        "time": now,
        "region": parts[3],
        "alarmData": {
            "alarmName": alarm.get("AlarmName"),
            "state": {"value": state, "reason": reason, "timestamp": now},
            "previousState": {"value": before},
            "configuration": {"description": alarm.get("AlarmDescription") or "", "metrics": list(_metrics(alarm))},
        },
    }


def _metrics(alarm: Alarm) -> list[dict[str, Any]]:
    if alarm.get("Metrics"):
        return [
            {"id": one.get("Id"), "expression": one.get("Expression"), "returnData": one.get("ReturnData", True)}
            for one in alarm["Metrics"]
        ]
    metric = {
        "namespace": alarm.get("Namespace"),
        "name": alarm.get("MetricName"),
        "dimensions": {one["Name"]: one["Value"] for one in alarm.get("Dimensions") or ()},
    }
    stat = {"metric": metric, "period": alarm.get("Period"), "stat": alarm.get("Statistic")}
    return [{"id": "m1", "metricStat": stat, "returnData": True}] if metric["name"] else []
