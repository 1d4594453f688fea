"""What the services that carry messages publish: SNS, EventBridge, SQS, Step Functions, asynchronous Lambda.

SNS: https://docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html
EventBridge: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html
SQS: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
Step Functions: https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html
Lambda: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from harness.cloud.signals.series import MetricId, MetricStore

Scope = tuple[str, str]  # account id and region

ENDED = {
    "SUCCEEDED": "ExecutionsSucceeded",
    "FAILED": "ExecutionsFailed",
    "TIMED_OUT": "ExecutionsTimedOut",
    "ABORTED": "ExecutionsAborted",
}


@dataclass(frozen=True, slots=True)
class FlowMetrics:
    """Publishes into `store`. Safe from any thread, and cheap."""

    store: MetricStore

    # -- SNS -------------------------------------------------------------------------------------------------

    def published(self, scope: Scope, topic: str, size_bytes: int) -> None:
        """A topic took a message."""
        self._put(scope, "AWS/SNS", "NumberOfMessagesPublished", 1, TopicName=topic)
        self._put(scope, "AWS/SNS", "PublishSize", size_bytes, unit="Bytes", TopicName=topic)

    def notified(self, scope: Scope, topic: str, *, delivered: bool) -> None:
        """A subscription got it, or did not."""
        name = "NumberOfNotificationsDelivered" if delivered else "NumberOfNotificationsFailed"
        self._put(scope, "AWS/SNS", name, 1, TopicName=topic)

    def redriven(self, scope: Scope, topic: str, *, arrived: bool) -> None:
        """What a subscription could not get went to its dead-letter queue, or could not."""
        name = "NumberOfNotificationsRedrivenToDlq" if arrived else "NumberOfNotificationsFailedToRedriveToDlq"
        self._put(scope, "AWS/SNS", name, 1, TopicName=topic)

    # -- EventBridge -----------------------------------------------------------------------------------------

    def invoked(self, scope: Scope, rule: str, *, failed: bool) -> None:
        """A rule matched and its target was tried; `failed` when no retry would reach it."""
        for name, value in (
            ("MatchedEvents", 1),
            ("TriggeredRules", 1),
            ("Invocations", 1),
            ("FailedInvocations", failed),
        ):
            if value:
                self._put(scope, "AWS/Events", name, 1, RuleName=rule)
                self._put(scope, "AWS/Events", name, 1)

    def sent_to_dlq(self, scope: Scope, rule: str, *, arrived: bool) -> None:
        """An event went to a target's dead-letter queue, or could not."""
        name = "InvocationsSentToDlq" if arrived else "InvocationsFailedToBeSentToDlq"
        self._put(scope, "AWS/Events", name, 1, RuleName=rule)

    # -- SQS -------------------------------------------------------------------------------------------------

    def sent(self, scope: Scope, queue: str, size_bytes: int) -> None:
        """A queue took a message."""
        self._put(scope, "AWS/SQS", "NumberOfMessagesSent", 1, QueueName=queue)
        self._put(scope, "AWS/SQS", "SentMessageSize", size_bytes, unit="Bytes", QueueName=queue)

    def received(self, scope: Scope, queue: str, count: int) -> None:
        """A receive call was answered, with nothing or some messages."""
        if count:
            self._put(scope, "AWS/SQS", "NumberOfMessagesReceived", count, QueueName=queue)
        else:
            self._put(scope, "AWS/SQS", "NumberOfEmptyReceives", 1, QueueName=queue)

    def deleted(self, scope: Scope, queue: str, count: int) -> None:
        """Messages were deleted."""
        if count:
            self._put(scope, "AWS/SQS", "NumberOfMessagesDeleted", count, QueueName=queue)

    # -- Step Functions --------------------------------------------------------------------------------------

    def execution(self, scope: Scope, machine: str, status: str, took_s: float) -> None:
        """An execution began (`RUNNING`) or ended."""
        if status == "RUNNING":
            self._put(scope, "AWS/States", "ExecutionsStarted", 1, StateMachineArn=machine)
        elif status in ENDED:
            self._put(scope, "AWS/States", ENDED[status], 1, StateMachineArn=machine)
            took_ms = took_s * 1000
            self._put(scope, "AWS/States", "ExecutionTime", took_ms, unit="Milliseconds", StateMachineArn=machine)

    # -- Lambda ----------------------------------------------------------------------------------------------

    def accepted(self, scope: Scope, function: str) -> None:
        """An event was taken for an asynchronous invocation."""
        self._put(scope, "AWS/Lambda", "AsyncEventsReceived", 1, FunctionName=function)

    def tried(self, scope: Scope, function: str, age_s: float) -> None:
        """It is tried, so long after it was taken."""
        self._put(scope, "AWS/Lambda", "AsyncEventAge", age_s * 1000, unit="Milliseconds", FunctionName=function)

    def dropped(self, scope: Scope, function: str) -> None:
        """It was given up without having run to success."""
        self._put(scope, "AWS/Lambda", "AsyncEventsDropped", 1, FunctionName=function)

    def undelivered(self, scope: Scope, function: str, *, dead_letter: bool) -> None:
        """Neither its destination nor, with `dead_letter`, its dead-letter queue took it."""
        name = "DeadLetterErrors" if dead_letter else "DestinationDeliveryFailures"
        self._put(scope, "AWS/Lambda", name, 1, FunctionName=function)

    def iterated(self, scope: Scope, function: str, age_s: float) -> None:
        """A batch of a stream was handed over, its last record so old."""
        self._put(scope, "AWS/Lambda", "IteratorAge", age_s * 1000, unit="Milliseconds", FunctionName=function)

    def _put(
        self, scope: Scope, namespace: str, name: str, value: float, /, unit: str = "Count", **dimensions: str
    ) -> None:
        metric = MetricId(*scope, namespace, name, tuple(sorted(dimensions.items())))
        self.store.value_soon(metric, float(value), time.time(), unit=unit)
