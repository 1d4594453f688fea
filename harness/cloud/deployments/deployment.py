"""One deployment as it runs: its lifecycle events, the shifts of its traffic, alarms, hooks, its end and rollback.

Sources: https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html,
https://docs.aws.amazon.com/codedeploy/latest/userguide/deployments-rollback-and-redeploy.html
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from harness.cloud.deployments.appspec import AppSpec
from harness.cloud.deployments.refusals import AlarmedError, CodeDeployError, DeploymentError, StoppedError
from harness.cloud.deployments.traffic import HOOK_MINUTES, Shift
from harness.cloud.sessions import Client

ENDED = frozenset({"Succeeded", "Failed", "Stopped"})
_LOOKS_A_MINUTE = 12
_LOOK_S = (0.05, 5.0)
_LEAST_S = 120.0
"""Processes that start here take real time, however short a minute of CodeDeploy is."""
_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})


class Traffic(Protocol):
    """What a deployment moves: an alias, or a service behind a load balancer."""

    appspec: AppSpec
    stages: tuple[str, ...]

    @property
    def id(self) -> str:
        """Of the deployment target."""
        ...

    def check(self) -> None:
        """Refuse what cannot be deployed; raises DeploymentError."""
        ...

    def work(self, stage: str, until: Callable[[Callable[[], bool], float], bool]) -> None:
        """Do what a lifecycle event without a hook stands for; `until` waits for something, so many minutes."""
        ...

    def shift(self, percent: int) -> None:
        """Give the new version so many percent of the traffic."""
        ...

    def restore(self) -> None:
        """Everything as it was before, at once."""
        ...

    def finish(self) -> float:
        """It has succeeded; minutes until `clean`."""
        ...

    def clean(self) -> None:
        """End what was replaced."""
        ...

    def shown(self) -> dict[str, Any]:
        """The deployment target, without its state."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a deployment was told: as GetDeployment tells it, its shifts, its alarms and when it is rolled back."""

    record: Mapping[str, Any]
    shifts: list[Shift]
    alarms: tuple[str, ...] = ()
    ignore_poll_failure: bool = False
    roll_back_on: frozenset[str] = frozenset()
    ready_minutes: float | None = None
    """How long the traffic waits for ContinueDeployment before the deployment stops; None when it does not wait."""
    minute_s: float = 60.0


@dataclass(slots=True, kw_only=True)
class Deployment:
    """Runs in a thread of its own. `told` hears each state with its details in place; `roll_back` makes the rollback.

    Readers in other threads see a state only when all that belongs to it is written.
    """

    terms: Terms
    traffic: Traffic
    client: Client
    told: Callable[[Deployment, str], None]
    roll_back: Callable[[Deployment, str], None]
    is_rollback: bool = False
    id: str = field(default_factory=lambda: f"d-{uuid.uuid4().hex[:9].upper()}")
    status: str = "Created"
    details: dict[str, Any] = field(default_factory=dict)
    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    hooks: dict[str, str] = field(default_factory=dict)
    """Hook execution id → the status that was put; '' while nobody reported."""
    continued: threading.Event = field(default_factory=threading.Event)
    """ContinueDeployment while it is Ready; `ended_early` while the old version is still kept."""
    ended_early: threading.Event = field(default_factory=threading.Event)
    _stop: StoppedError | None = None
    _woken: threading.Condition = field(default_factory=threading.Condition)
    _thread: threading.Thread | None = None

    def __post_init__(self) -> None:
        self.details["createTime"] = time.time()
        self.events = {stage: {"lifecycleEventName": stage, "status": "Pending"} for stage in self.traffic.stages}

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread = threading.Thread(target=self._run, name=f"deployment {self.id}", daemon=True)
        self._thread.start()

    def stop(self, *, roll_back: bool) -> None:
        """End it at its next step.

        Raises:
            CodeDeployError: it has ended.
        """
        if self.status in ENDED:
            raise CodeDeployError("DeploymentAlreadyCompletedException", f"The deployment {self.id} is {self.status}")
        self._stop = StoppedError(roll_back=roll_back)
        self.wake()

    def wake(self) -> None:
        """Something it waits for may have come."""
        with self._woken:
            self._woken.notify_all()

    def join(self, timeout_s: float) -> None:
        """Wait for its thread."""
        if self._thread is not None:
            self._thread.join(timeout_s)

    def report(self, execution: str, status: str) -> None:
        """A hook says how it went.

        Raises:
            CodeDeployError: it was not asked, or cannot say that.
        """
        if execution not in self.hooks:
            said = f"{execution} is no hook execution of {self.id}"
            raise CodeDeployError("InvalidLifecycleEventHookExecutionIdException", said)
        if status not in {"Succeeded", "Failed"}:
            said = f"a hook succeeds or fails, it is not {status}"
            raise CodeDeployError("InvalidLifecycleEventHookExecutionStatusException", said)
        if self.hooks[execution]:
            said = f"{execution} has already been reported as {self.hooks[execution]}"
            raise CodeDeployError("LifecycleEventAlreadyCompletedException", said)
        self.hooks[execution] = status
        self.wake()

    # -- its run -----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        self.details["startTime"] = time.time()
        self._enter("InProgress", "START")
        try:
            if self.is_rollback:
                self.traffic.restore()
            else:
                self._deploy()
        except StoppedError as error:
            self._end("Stopped", error, "DEPLOYMENT_STOP_ON_REQUEST", forced=error.roll_back)
        except AlarmedError as error:
            self._end("Stopped", error, "DEPLOYMENT_STOP_ON_ALARM")
        except DeploymentError as error:
            self._end("Failed", error, "DEPLOYMENT_FAILURE")
        except (BotoCoreError, ClientError) as error:
            self._end("Failed", _of_aws(error), "DEPLOYMENT_FAILURE")
        else:
            self._close("Succeeded", "SUCCESS")

    def _deploy(self) -> None:
        self.look()
        self.traffic.check()
        for stage in self.traffic.stages:
            self._stage(stage)
        kept_minutes = self.traffic.finish()
        if kept_minutes:
            self.details["instanceTerminationWaitTimeStarted"] = True
            self._until(self.ended_early.is_set, kept_minutes)
        self.traffic.clean()

    def _stage(self, stage: str) -> None:
        event = self.events[stage]
        event |= {"status": "InProgress", "startTime": time.time()}
        try:
            if stage in self.traffic.appspec.hooks:
                self._validate(stage, self.traffic.appspec.hooks[stage])
            elif stage == "AllowTraffic":
                self._wait_until_ready()
                for shift in self.terms.shifts:
                    self.look()
                    self.traffic.shift(shift.percent)
                    self.pause(shift.minutes)
            else:
                self.traffic.work(stage, partial(self._until, least_s=_LEAST_S))
                self.look()
        except (DeploymentError, BotoCoreError, ClientError) as error:
            said = {"errorCode": "UnknownError", "message": str(error), "scriptName": "", "logTail": ""}
            event |= {"diagnostics": said, "endTime": time.time()}
            event["status"] = "Failed"
            raise
        event["endTime"] = time.time()
        event["status"] = "Succeeded"

    def _wait_until_ready(self) -> None:
        minutes = self.terms.ready_minutes
        if minutes is None:
            return
        self._enter("Ready", "READY")
        if not self._until(self.continued.is_set, minutes):
            raise StoppedError(roll_back=True)
        self._enter("InProgress")

    def _validate(self, stage: str, function: str) -> None:
        """Call a hook and wait for what it puts; one that raises has failed there and then."""
        execution = str(uuid.uuid4())
        self.hooks[execution] = ""
        asked = {"DeploymentId": self.id, "LifecycleEventHookExecutionId": execution}
        failed: list[str] = []

        def call() -> None:
            try:
                answer = self.client("lambda").invoke(FunctionName=function, Payload=json.dumps(asked))
                if answer.get("FunctionError"):
                    failed.append(answer["Payload"].read().decode(errors="replace"))
            except (BotoCoreError, ClientError) as error:
                failed.append(str(error))
            self.wake()

        threading.Thread(target=call, name=f"hook {stage}", daemon=True).start()
        reported = self._until(lambda: bool(self.hooks[execution] or failed), HOOK_MINUTES, least_s=_LEAST_S)
        if self.hooks[execution] == "Succeeded":
            return
        why = f"function {function} " + (
            "reported Failed"
            if self.hooks[execution]
            else f"failed: {failed[0]}"
            if reported
            else f"did not call PutLifecycleEventHookExecutionStatus within {HOOK_MINUTES:g} minutes"
        )
        said = f"The deployment failed because one of the lifecycle event validation functions failed: {stage}: {why}"
        raise DeploymentError("HOOK_EXECUTION_FAILURE", said)

    # -- waiting -----------------------------------------------------------------------------------------------

    def pause(self, minutes: float) -> None:
        """Wait, unless it is stopped or an alarm rings."""
        self._until(lambda: False, minutes)

    def _until(self, question: Callable[[], bool], minutes: float, *, least_s: float = 0.0) -> bool:
        """Whether `question` came true within so many minutes of CodeDeploy's, and no less than `least_s`."""
        often_s, seldom_s = _LOOK_S
        every_s = min(max(self.terms.minute_s / _LOOKS_A_MINUTE, often_s), seldom_s)
        until_s = time.monotonic() + max(minutes * self.terms.minute_s, least_s)
        while True:
            self.look()
            with self._woken:
                left_s = until_s - time.monotonic()
                if question() or left_s <= 0:
                    return question()
                if self._stop is None:
                    self._woken.wait(min(every_s, left_s))

    def look(self) -> None:
        """See whether it may go on.

        Raises:
            StoppedError: somebody stopped it.
            AlarmedError: an alarm rings, or cannot be asked.
        """
        if self._stop is not None:
            raise self._stop
        if not self.terms.alarms:
            return
        try:
            answer = self.client("cloudwatch").describe_alarms(
                AlarmNames=list(self.terms.alarms), AlarmTypes=["MetricAlarm", "CompositeAlarm"]
            )
        except (BotoCoreError, ClientError) as error:
            if self.terms.ignore_poll_failure:
                return
            raise AlarmedError("ALARM_ACTIVE", f"The alarms' status cannot be read: {error}") from error
        every = [*answer.get("MetricAlarms", ()), *answer.get("CompositeAlarms", ())]
        ringing = sorted(one["AlarmName"] for one in every if one["StateValue"] == "ALARM")
        if ringing:
            raise AlarmedError(
                "ALARM_ACTIVE",
                "One or more alarms have been activated according to the Amazon CloudWatch metrics you selected, and "
                f"the affected deployments have been stopped. Activated alarms: {', '.join(ringing)}",
            )

    # -- its end -----------------------------------------------------------------------------------------------

    def _enter(self, status: str, state: str = "") -> None:
        self.status = status
        if state:
            self.told(self, state)

    def _end(self, status: str, error: DeploymentError, event: str, *, forced: bool = False) -> None:
        self.details["errorInformation"] = {"code": error.code, "message": str(error)}
        for one in self.events.values():
            if one["status"] == "Pending":
                one["status"] = "Skipped"
        rolls_back = not self.is_rollback and (forced or event in self.terms.roll_back_on)
        self.details["completeTime"] = time.time()
        if rolls_back:
            self.roll_back(self, status)  # it tells of the rollback, then closes this one
        else:
            self._close(status, "STOP" if status == "Stopped" else "FAILURE")

    def _close(self, status: str, state: str) -> None:
        self.details.setdefault("completeTime", time.time())
        self._enter(status, state)

    def close_for(self, rollback: Deployment, status: str) -> None:
        """Say which deployment takes it back, then that it has ended."""
        self.details["rollbackInfo"] = {
            "rollbackDeploymentId": rollback.id,
            "rollbackMessage": f"{rollback.id} takes the deployment {self.id} back",
        }
        self._close(status, "STOP" if status == "Stopped" else "FAILURE")

    # -- as it is told -----------------------------------------------------------------------------------------

    def shown(self) -> dict[str, Any]:
        """As GetDeployment tells it."""
        status = self.status  # first: what belongs to it was written before
        counts = {name: int(name == _COUNTED[status]) for name in _OVERVIEW}
        return {
            **self.terms.record, "deploymentId": self.id, "status": status, "deploymentOverview": counts,
            **dict(self.details),
        }  # fmt: skip

    def target(self) -> dict[str, Any]:
        """As GetDeploymentTarget tells its one target."""
        status = self.status
        found = self.traffic.shown()
        kind = next(name for name in found if name != "deploymentTargetType")
        found[kind] |= {
            "deploymentId": self.id,
            "targetId": self.traffic.id,
            "status": _COUNTED[status],
            "lastUpdatedAt": time.time(),
            "lifecycleEvents": [dict(one) for one in self.events.values()],
        }
        return found


_OVERVIEW = ("Pending", "InProgress", "Succeeded", "Failed", "Skipped", "Ready")
_COUNTED = {"Created": "Pending", "Queued": "Pending", "Stopped": "Failed"} | {
    name: name for name in ("InProgress", "Succeeded", "Failed", "Ready")
}


def _of_aws(error: BotoCoreError | ClientError) -> DeploymentError:
    code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
    return DeploymentError("IAM_ROLE_PERMISSIONS" if code in _DENIED else "INTERNAL_ERROR", str(error))
