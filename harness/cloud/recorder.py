"""Which calls changed infrastructure: a recovery that needed them is not statically stable.

The split follows AWS's "Fault Isolation Boundaries": a control plane creates, updates and deletes
resources, a data plane is the daily business of using them.
https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/control-planes-and-data-planes.html
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from harness.clock import Clock
from harness.cloud.call import AwsCall
from harness.cloud.tally import Tally

CAPACITY = 20_000
"""Control-plane calls kept; a deployment makes some hundred."""

_VERBS = (
    "Create", "Change", "Update", "Delete", "Modify", "Register", "Deregister", "Attach", "Detach", "Associate",
    "Disassociate",
    "Add", "Remove", "Run", "Start", "Stop", "Terminate", "Reboot", "Restore", "Failover", "Switchover", "Promote",
    "Enable", "Disable", "Set", "Subscribe", "Unsubscribe", "Tag", "Untag", "Publish", "Put",
)  # fmt: skip

_DATA_PLANE: dict[str, frozenset[str]] = {
    "dynamodb": frozenset({"PutItem", "UpdateItem", "DeleteItem"}),
    "sqs": frozenset(
        {"DeleteMessage", "DeleteMessageBatch", "ChangeMessageVisibility", "ChangeMessageVisibilityBatch"}
    ),
    "sns": frozenset({"Publish", "PublishBatch"}),
    "events": frozenset({"PutEvents", "PutPartnerEvents"}),
    "stepfunctions": frozenset({"StartExecution", "StartSyncExecution", "StopExecution"}),
    "logs": frozenset({"CreateLogStream", "PutLogEvents", "StartQuery", "StopQuery"}),
    "cloudwatch": frozenset({"PutMetricData", "SetAlarmState"}),
    "kinesis": frozenset({"PutRecord", "PutRecords"}),
    "firehose": frozenset({"PutRecord", "PutRecordBatch"}),
    "secretsmanager": frozenset({"PutSecretValue"}),
    "xray": frozenset({"PutTraceSegments", "PutTelemetryRecords"}),
    "s3": frozenset(
        {
            "PutObject", "DeleteObject", "DeleteObjects", "CreateMultipartUpload", "CreateSession", "RestoreObject",
            "PutObjectTagging", "DeleteObjectTagging", "PutObjectAcl", "PutObjectRetention", "PutObjectLegalHold",
        }
    ),
}  # fmt: skip

_WITHOUT_CONTROL_PLANE = frozenset({"sts", "execute-api", "fis", "apigatewaymanagementapi", "dynamodbstreams", ""})
"""FIS breaks and heals, it does not recover: its calls are the experiment's, not the system's."""


def is_control_plane(service: str, operation: str) -> bool:
    """True for an operation that changes infrastructure rather than uses it.

    >>> is_control_plane("lambda", "UpdateFunctionConfiguration"), is_control_plane("dynamodb", "UpdateItem")
    (True, False)
    """
    if service in _WITHOUT_CONTROL_PLANE or operation in _DATA_PLANE.get(service, ()):
        return False
    return operation.startswith(_VERBS)


@dataclass(slots=True)
class Recorder:
    """Remembers control-plane calls, and counts all. Safe from any thread."""

    clock: Clock
    tally: Tally = field(default_factory=Tally)
    _calls: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=CAPACITY))  # JSON as served
    _known: dict[tuple[str, str], bool] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wants(self, service: str, operation: str) -> bool:
        """True when `record` is to be called for this operation."""
        key = (service, operation)
        known = self._known.get(key)
        if known is None:
            known = is_control_plane(service, operation)
            if len(self._known) < CAPACITY:
                self._known[key] = known
        return known

    def record(self, call: AwsCall) -> None:
        """Note a control-plane call that passed the gate, at this instant."""
        caller = call.caller
        entry = {
            "at_s": self.clock.now_s(),
            "service": call.service,
            "operation": call.operation,
            "region": call.region,
            "resource": call.resource,
            "caller": caller.function or caller.environment_id if caller else "",
        }
        with self._lock:
            self._calls.append(entry)

    def between(self, since_s: float, until_s: float) -> list[dict[str, Any]]:
        """The calls noted between two instants, oldest first."""
        with self._lock:
            return [entry for entry in self._calls if since_s <= entry["at_s"] <= until_s]

    def clear(self) -> None:
        """Forget all calls."""
        with self._lock:
            self._calls.clear()
            self.tally.clear()
