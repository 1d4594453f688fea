"""One run of a template: its states, the order of its actions, stopping, and healing whatever happens.

States and transitions: https://docs.aws.amazon.com/fis/latest/userguide/experiments.html
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chaos.fis.actions import ACTIONS
from chaos.fis.actions.action import LEASE_S, Work
from chaos.fis.targets import ResolutionError, Resource, resolve
from harness.cloud.doors import Doors
from harness.errors import BlackstartError

TERMINAL = frozenset({"completed", "stopped", "failed", "cancelled"})
ALARM_POLL_S = 0.5


@dataclass(slots=True)
class ActionRun:
    """One action of the experiment, as GetExperiment shows it."""

    given: Mapping[str, Any]
    status: str = "pending"
    reason: str = "Action is pending."
    started: float | None = None
    ended: float | None = None
    finished: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class Experiment:
    """A run. `template` is a snapshot: later changes of the template do not touch it. Lives in one event loop."""

    id: str
    arn: str
    template: Mapping[str, Any]
    doors: Doors
    seed: int
    tags: dict[str, str]
    skip_all: bool = False
    created: float = field(default_factory=time.time)
    started: float | None = None
    ended: float | None = None
    status: str = "initiating"
    reason: str = "Experiment is initiating."
    error: dict[str, str] | None = None
    actions: dict[str, ActionRun] = field(default_factory=dict)
    resolved: dict[str, list[Resource]] = field(default_factory=dict)
    _task: asyncio.Task[None] | None = None
    _stop_reason: str = ""

    def start(self) -> None:
        """Begin; returns at once."""
        self.actions = {name: ActionRun(given) for name, given in self.template["actions"].items()}
        self._say()
        self._task = asyncio.create_task(self._run(), name=self.id)

    async def stop(self, reason: str = "Experiment stopped by user.") -> None:
        """Heal and end; returns when nothing of it is in force. Stopping what has ended changes nothing."""
        if self.status in TERMINAL or self._task is None:
            return
        self._stop_reason = self._stop_reason or reason
        self._become("stopping", "Stopping Experiment.")
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.shield(self._task)

    @property
    def active(self) -> bool:
        """True until it has ended."""
        return self.status not in TERMINAL

    async def _run(self) -> None:
        try:
            await self._initiate()
            self.started = time.time()
            self._become("running", "Experiment is running.")
            await self._run_actions()
        except asyncio.CancelledError:
            self._heal()
            self._end_actions()
            self._finish("stopped", self._stop_reason or "Experiment stopped.")
        except _FailedError as failure:
            self._heal()
            self._end_actions()
            self.error = {
                "accountId": self.doors.target.account_id,
                "code": failure.code,
                "location": failure.location,
            }
            self._finish("failed", str(failure))
        except Exception as failure:  # noqa: BLE001 - an experiment ends in a defined state, with everything healed
            self._heal()
            self._end_actions()
            self.error = {"accountId": self.doors.target.account_id, "code": "InternalFailure", "location": self.id}
            self._finish("failed", f"{type(failure).__name__}: {failure}")
        else:
            self._finish("completed", "Experiment completed.")

    async def _initiate(self) -> None:
        for name, target in (self.template.get("targets") or {}).items():
            try:
                found = await asyncio.to_thread(resolve, target, self.doors, self.seed)
            except (ResolutionError, BlackstartError) as error:
                raise _FailedError(f"Target {name} could not be resolved: {error}", "InvalidTarget", name) from error
            skip = (self.template.get("experimentOptions") or {}).get("emptyTargetResolutionMode") == "skip"
            if not found and not skip:
                raise _FailedError("Target resolution returned empty set", "InvalidTarget", name)
            self.resolved[name] = found

    async def _run_actions(self) -> None:
        watch = asyncio.create_task(self._watch_alarms())
        work = [asyncio.create_task(self._run_action(name)) for name in self.actions]
        try:
            running = {watch, *work}
            while not all(task.done() for task in work):
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()  # an action that failed, or an alarm that stopped us
        finally:
            for task in (watch, *work):
                task.cancel()
            await asyncio.gather(watch, *work, return_exceptions=True)

    async def _run_action(self, name: str) -> None:
        run = self.actions[name]
        for before in run.given.get("startAfter") or ():
            await self.actions[before].finished.wait()
        if self._skips(run):
            self._action(name, "skipped", "Action was skipped.")
            run.finished.set()
            return
        action, work = ACTIONS[run.given["actionId"]], self._work(name)
        run.started = time.time()
        self._action(name, "initiating", "Action is initiating.")
        try:
            await asyncio.to_thread(action.inject, work)
        except (BlackstartError, ClientError, BotoCoreError, KeyError, ValueError) as error:
            action.heal(work)
            run.ended = time.time()
            self._action(name, "failed", str(error))
            raise _FailedError(f"Action {name} failed: {error}", "ConfigurationFailure", name) from error
        self._action(name, "running", "Action is running.")
        await self._hold(work)
        await asyncio.to_thread(action.heal, work)
        run.ended = time.time()
        self._action(name, "completed", "Action was completed.")
        run.finished.set()

    async def _hold(self, work: Work) -> None:
        """Wait for the action's duration, renewing the leases of what it has in force."""
        until_s = self.doors.clock.now_s() + work.duration_s
        while (left_s := until_s - self.doors.clock.now_s()) > 0:
            await self.doors.clock.sleep(min(left_s, LEASE_S / 3))
            self.doors.faults.renew(self.id)

    def _skips(self, run: ActionRun) -> bool:
        if self.skip_all:
            return True
        used = (run.given.get("targets") or {}).values()
        return any(not self.resolved[target] for target in used)

    def _work(self, name: str) -> Work:
        given = self.actions[name].given
        slots = given.get("targets") or {}
        return Work(
            name=name,
            owner=self.id,
            parameters=given.get("parameters") or {},
            resources={slot: [r.arn for r in self.resolved[target]] for slot, target in slots.items()},
            doors=self.doors,
            seed=self.seed,
        )

    async def _watch_alarms(self) -> None:
        """Stop as soon as an alarm of the stop conditions is in ALARM; asked twice a second."""
        arns = [c["value"] for c in self.template["stopConditions"] if c["source"] == "aws:cloudwatch:alarm"]
        while arns:
            states = await asyncio.to_thread(self._alarm_states, arns)
            if "ALARM" in states:
                self._stop_reason = "Experiment halted by stop condition."
                raise asyncio.CancelledError
            await self.doors.clock.sleep(ALARM_POLL_S)

    def _alarm_states(self, arns: list[str]) -> list[str]:
        names = [arn.rpartition(":alarm:")[2] for arn in arns]
        try:
            answer = self.doors.target.client("cloudwatch").describe_alarms(AlarmNames=names)
        except (ClientError, BotoCoreError) as error:
            raise _FailedError(f"stop condition: {error}", "DependentServiceFailure", "stopConditions") from error
        found = {
            alarm["AlarmName"]: alarm["StateValue"] for alarm in answer["MetricAlarms"] + answer["CompositeAlarms"]
        }
        missing = [name for name in names if name not in found]
        if missing:
            raise _FailedError(f"alarm {missing[0]} does not exist", "ConfigurationFailure", "stopConditions")
        return list(found.values())

    def _heal(self) -> None:
        """Take everything back, also what an action had only half put in force."""
        for name, run in self.actions.items():
            if run.started is not None and run.status not in {"completed", "skipped"}:
                ACTIONS[run.given["actionId"]].heal(self._work(name))
        self.doors.faults.remove(owner=self.id)
        self.doors.zones.heal(owner=self.id)

    def _end_actions(self) -> None:
        for name, run in self.actions.items():
            if run.status == "pending":
                self._action(name, "cancelled", "Action was cancelled.")
            elif run.status in {"initiating", "running"}:
                run.ended = time.time()
                self._action(name, "stopped", "Action was stopped.")

    def _finish(self, status: str, reason: str) -> None:
        self.ended = time.time()
        self._become(status, reason)

    def _become(self, status: str, reason: str) -> None:
        self.status, self.reason = status, reason
        self._say()

    def _say(self) -> None:
        self.doors.evidence.add("experiment_state", owner=self.id, state=self.status, reason=self.reason)

    def _action(self, name: str, status: str, reason: str) -> None:
        run = self.actions[name]
        run.status, run.reason = status, reason
        self.doors.evidence.add("action_state", owner=self.id, action=name, state=status, reason=reason)


class _FailedError(Exception):
    def __init__(self, message: str, code: str, location: str) -> None:
        super().__init__(message)
        self.code, self.location = code, location
