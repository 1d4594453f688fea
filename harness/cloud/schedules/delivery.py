"""What a schedule does when it is due: one AWS call under the schedule's role, which IAM allows or not.

A call that fails is made again as the schedule's RetryPolicy says, and then its input goes to the dead-letter queue.
Universal targets (`arn:aws:scheduler:::aws-sdk:SERVICE:OPERATION`) are any call of the SDK. Source:
https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets.html
"""

from __future__ import annotations

import json
import logging
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from harness.cloud.sessions import Client

MOST_ATTEMPTS = 185
_LONGEST_WAIT_S = 30.0


@dataclass(frozen=True, slots=True)
class Call:
    """An SDK call: `operation` in boto3's form."""

    service: str
    operation: str
    arguments: Mapping[str, Any]


def call_of(target: Mapping[str, Any]) -> Call | None:
    """The call that a target asks for; None for one that is not known here."""
    arn, text = str(target["Arn"]), str(target.get("Input") or "{}")
    parts = arn.split(":")
    if arn.startswith("arn:aws:scheduler:::aws-sdk:"):
        return Call(parts[-2], re.sub("(?<!^)([A-Z])", r"_\1", parts[-1]).lower(), json.loads(text))
    service, name = parts[2], parts[-1]
    if service == "sqs":
        group = (target.get("SqsParameters") or {}).get("MessageGroupId")
        more = {"MessageGroupId": group} if group else {}
        return Call("sqs", "send_message", {"QueueUrl": f"{parts[4]}/{name}", "MessageBody": text, **more})
    if service == "sns":
        return Call("sns", "publish", {"TopicArn": arn, "Message": text})
    if service == "lambda":
        return Call("lambda", "invoke", {"FunctionName": arn, "InvocationType": "Event", "Payload": text})
    if service == "states":
        return Call("stepfunctions", "start_execution", {"stateMachineArn": arn, "input": text})
    if service == "events":
        entry = {"EventBusName": arn, "Detail": text, **(target.get("EventBridgeParameters") or {})}
        return Call("events", "put_events", {"Entries": [entry]})
    return None


@dataclass(slots=True, kw_only=True)
class Delivery:
    """Makes the calls, each schedule's in a thread of its own. `send` puts a text into a queue, by ARN."""

    send: Callable[[str, str, Mapping[str, str]], None]
    endpoint: str
    stopped: threading.Event = field(default_factory=threading.Event)

    def start(self, schedule: Mapping[str, Any], client: Client) -> None:
        """Deliver once, in the background."""
        threading.Thread(target=self.deliver, args=(schedule, client), name="schedule", daemon=True).start()

    def deliver(self, schedule: Mapping[str, Any], client: Client) -> None:
        """Make the call until it succeeds or the retry policy ends; then tell the dead-letter queue."""
        target = schedule["Target"]
        policy = target.get("RetryPolicy") or {}
        attempts = 1 + min(int(policy.get("MaximumRetryAttempts", MOST_ATTEMPTS)), MOST_ATTEMPTS)
        until_s = time.monotonic() + float(policy.get("MaximumEventAgeInSeconds", 86_400))
        why = ""
        for attempt in range(attempts):
            call = call_of(target)
            if call is None:
                why = f"{target['Arn']} is no target that this cloud knows"
                break
            try:
                self._make(call, client)
                return
            except (BotoCoreError, ClientError, AttributeError) as error:
                why = str(error)
            if time.monotonic() > until_s or self.stopped.wait(min(_LONGEST_WAIT_S, 0.5 * 2**attempt)):
                break
        logging.getLogger(__name__).warning("schedule %s: %s", schedule.get("Name"), why)
        letters = (target.get("DeadLetterConfig") or {}).get("Arn")
        if letters:
            told = {"TARGET_ARN": target["Arn"], "SCHEDULE_ARN": str(schedule.get("Arn", "")), "ERROR_MESSAGE": why}
            self.send(letters, str(target.get("Input") or "{}"), told)

    def _make(self, call: Call, client: Client) -> None:
        arguments = dict(call.arguments)
        if call.service == "sqs" and "://" not in str(arguments.get("QueueUrl", "")):
            arguments["QueueUrl"] = f"{self.endpoint}/{arguments['QueueUrl']}"
        getattr(client(call.service), call.operation)(**arguments)
