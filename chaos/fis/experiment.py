"""One run of a template: its states, the order of its actions, stopping, and healing whatever happens.

pending → initiating → running → completed
                    ↘          ↘ failed | stopping → stopped;  with the safety lever engaged: cancelled

Source: https://docs.aws.amazon.com/fis/latest/userguide/experiments.html
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from chaos.fis.action_run import ActionRun, FailedError
from chaos.fis.actions import ACTIONS, ELSEWHERE
from chaos.fis.actions.action import LEASE_S, Work
from chaos.fis.errors import ActionError
from chaos.fis.experiment_log import ExperimentLog
from chaos.fis.finding import Resource
from chaos.fis.region import Members, Region, Template
from chaos.fis.report import Report
from chaos.fis.role import check_role
from chaos.fis.stop_conditions import POLL_S, alarm_states, alarms_of
from chaos.fis.targets import ResolutionError, resolve
from harness.errors import BlackstartError

T = TypeVar("T")
TERMINAL = frozenset({"completed", "stopped", "failed", "cancelled"})
_HALTED = "Experiment halted by stop condition."
_CANCELLED = "Experiment cancelled: the safety lever is engaged."


@dataclass(slots=True, kw_only=True)
class Experiment:
    """A run. `template` is a snapshot: later changes of the template do not touch it. Lives in one event loop."""

    id: str
    arn: str
    template: Template
    region: Region
    seed: int
    tags: dict[str, str]
    accounts: dict[str, Members] = field(default_factory=dict)
    skip_all: bool = False
    created: float = 0.0
    started: float | None = None
    finished: float | None = None
    status: str = "pending"
    reason: str = "Experiment is pending."
    error: dict[str, str] | None = None
    actions: dict[str, ActionRun] = field(default_factory=dict)
    resolved: dict[str, list[Resource]] = field(default_factory=dict)
    log: ExperimentLog = field(init=False)
    report: Report = field(init=False)
    _live: asyncio.Task[None] | None = None
    _life: asyncio.Task[None] | None = None
    _stop_reason: str = ""

    def start(self) -> None:
        """Begin; returns at once."""
        self.created = self.region.epoch_s()
        self.log = ExperimentLog.of(self.region, self.id, self.template.get("logConfiguration"))
        self.report = Report(self.template.get("experimentReportConfiguration"), skipped=self.skip_all)
        self.actions = {
            name: ActionRun(
                name=name,
                given=given,
                action=ACTIONS.get(given["actionId"]) or ELSEWHERE[given["actionId"]],
                clock=self.region.doors.clock,
                epoch_s=self.region.epoch_s,
                workers=self.region.workers,
                changed=self._action_changed,
            )
            for name, given in self.template["actions"].items()
        }
        self._become("initiating", "Experiment is initiating.")
        self._life = asyncio.create_task(self._run(), name=self.id)

    @property
    def active(self) -> bool:
        """True until it has ended."""
        return self.status not in TERMINAL

    def begin_stop(self, reason: str) -> bool:
        """Begin to stop; False when it has ended already. May be repeated: the first reason counts."""
        if not self.active or self._life is None:
            return False
        if not self._stop_reason:
            self._stop_reason = reason
            self._become("stopping", "Stopping Experiment.")
            if self._live is not None:
                self._live.cancel()
        return True

    async def ended(self) -> None:
        """Return when it has ended and nothing of it is in force."""
        if self._life is not None:
            await asyncio.shield(self._life)

    async def stop(self, reason: str) -> None:
        """Heal and end; returns when nothing of it is in force. Stopping what has ended changes nothing."""
        if self.begin_stop(reason):
            await self.ended()

    # -- its life --------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        """From the start to the end. Nothing cancels this one, so that the end is always a defined one."""
        status, reason = "completed", "Experiment completed."
        keep = asyncio.create_task(self._keep_leases())
        try:
            if self.region.lever.status != "disengaged":
                status, reason = "cancelled", _CANCELLED
            elif not self._stop_reason:
                self._live = asyncio.create_task(self._be())
                await self._live
        except asyncio.CancelledError:
            status, reason = "stopped", self._stop_reason
        except FailedError as failure:
            status, reason = "failed", str(failure)
            self._fail(failure.code, failure.location)
        except Exception as failure:  # noqa: BLE001 - an experiment ends in a defined state, with everything healed
            status, reason = "failed", f"{type(failure).__name__}: {failure}"
            self._fail("InternalFailure", self.id)
        if self._stop_reason and status == "completed":  # stopped before it began to live
            status, reason = "stopped", self._stop_reason
        await self._heal()
        keep.cancel()
        self.finished = self.region.epoch_s()
        self._become(status, reason[:512])
        self.log.experiment_ended(self.status, self.reason)
        self.report.begin(self)

    async def _be(self) -> None:
        await self._initiate()
        self.started = self.region.epoch_s()
        self._become("running", "Experiment is running.")
        if self.skip_all:
            for run in self.actions.values():
                run.skip()
            return
        work = [asyncio.create_task(self._run_action(run)) for run in self.actions.values()]
        tasks = [*work, asyncio.create_task(self._watch_alarms())]
        try:
            waiting = set(tasks)
            while not all(task.done() for task in work):
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()  # an action that failed, or an alarm that stops us
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _initiate(self) -> None:
        region = self.region
        try:
            if region.doors.iam_enforced:
                for arn in [self.template["roleArn"], *(one["roleArn"] for one in self.accounts.values())]:
                    await self._in_worker(check_role, region.clients, arn)
            await self._in_worker(self.log.open)
            self.log.experiment_started(self.template["id"])
            await self._look_at_alarms()
        except ActionError as error:
            raise FailedError(str(error), error.code, "roleArn" if "role" in str(error) else self.id) from error
        for name, target in (self.template.get("targets") or {}).items():
            await self._resolve(name, target)

    async def _resolve(self, name: str, target: Members) -> None:
        region = self.region
        self.log.resolution_started(name)
        try:
            found = await self._in_worker(partial(resolve, target, region.doors, region.clients, self.seed))
        except (ResolutionError, BlackstartError) as error:
            code = getattr(error, "code", "") if isinstance(error, ResolutionError) else "InvalidTarget"
            self.log.resolution_failed(name, target["resourceType"], str(error))
            raise FailedError(f"Target {name} could not be resolved: {error}", code, name) from error
        self.log.resolution_ended(name, target["resourceType"], [one.arn for one in found])
        if not found and self.template["experimentOptions"]["emptyTargetResolutionMode"] == "fail":
            raise FailedError("Target resolution returned empty set", "InvalidTarget", name)
        self.resolved[name] = found

    async def _run_action(self, run: ActionRun) -> None:
        if run.action.parity == "refused":
            run.skip(f"Action was skipped: the embedded cloud does not carry it out ({run.action.difference}).")
            return
        slots = run.given.get("targets") or {}
        if any(not self.resolved[target] for target in slots.values()):
            run.skip()
            return
        for before in run.given.get("startAfter") or ():
            await self.actions[before].finished.wait()
        region = self.region
        work = Work(
            name=run.name,
            owner=self.id,
            parameters=run.given.get("parameters") or {},
            resources={slot: self.resolved[target] for slot, target in slots.items()},
            doors=region.doors,
            clients=region.clients,
            seed=self.seed,
        )
        await run.run(work)

    async def _watch_alarms(self) -> None:
        """Stop as soon as an alarm of the stop conditions is in ALARM."""
        while alarms_of(self.template["stopConditions"]):
            await self.region.doors.clock.sleep(POLL_S)
            try:
                await self._look_at_alarms()
            except ActionError as error:
                raise FailedError(str(error), error.code, "stopConditions") from error
        await asyncio.Event().wait()

    async def _look_at_alarms(self) -> None:
        arns = alarms_of(self.template["stopConditions"])
        if arns and "ALARM" in (await self._in_worker(alarm_states, self.region.clients, arns)).values():
            self._stop_reason = self._stop_reason or _HALTED
            self._become("stopping", "Stopping Experiment.")
            raise asyncio.CancelledError

    async def _keep_leases(self) -> None:
        """Renew what is in force for as long as this experiment lives; with its process it dies."""
        while True:
            await self.region.doors.clock.sleep(LEASE_S / 3)
            self.region.doors.renew(self.id)

    async def _heal(self) -> None:
        """Take everything back, also what an action had only half put in force."""
        await asyncio.gather(*(run.stop() for run in self.actions.values()), return_exceptions=True)
        for run in self.actions.values():
            if run.status == "stopping":
                run.status, run.reason = "failed", "The action could not be healed; the log of the cloud says why."
        await self._in_worker(self.region.doors.heal, self.id)

    # -- telling ---------------------------------------------------------------------------------------------

    def _fail(self, code: str, location: str) -> None:
        """The first failure defines the experiment's error."""
        account = self.region.doors.target.account_id
        self.error = self.error or {"accountId": account, "code": code, "location": location[:512]}

    def _become(self, status: str, reason: str) -> None:
        if status == self.status:
            return
        old = {"status": self.status, "reason": self.reason}
        self.status, self.reason = status, reason
        self.region.doors.evidence.add("experiment_state", owner=self.id, state=status, reason=reason)
        detail = {
            "experiment-id": self.id,
            "experiment-template-id": self.template["id"],
            "new-state": {"status": status, "reason": reason},
            "old-state": old,
        }
        publish = partial(
            self.region.doors.publish,
            region=self.region.name,
            source="aws.fis",
            detail_type="FIS Experiment State Change",
            resources=[self.arn],
            detail=detail,
        )
        self.log.later(publish)

    def _action_changed(self, run: ActionRun) -> None:
        self.region.doors.evidence.add(
            "action_state", owner=self.id, action=run.name, state=run.status, reason=run.reason
        )
        self.log.action_changed(run.name, run.given, run.status, run.reason)

    async def _in_worker(self, step: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self.region.workers, step, *arguments)

    def shown(self) -> Members:
        """As GetExperiment shows it."""
        template = self.template
        state: Members = {"status": self.status, "reason": self.reason}
        if self.error and not self.active:
            state["error"] = self.error
        body: Members = {
            "id": self.id,
            "arn": self.arn,
            "experimentTemplateId": template["id"],
            "roleArn": template["roleArn"],
            "state": state,
            "targets": template.get("targets", {}),
            "actions": {name: run.shown() for name, run in self.actions.items()},
            "stopConditions": template["stopConditions"],
            "creationTime": self.created,
            "startTime": self.started,
            "endTime": self.finished,
            "tags": self.tags,
            "logConfiguration": template.get("logConfiguration"),
            "experimentOptions": {
                **template["experimentOptions"],
                "actionsMode": "skip-all" if self.skip_all else "run-all",
            },
            "targetAccountConfigurationsCount": len(self.accounts),
            "experimentReportConfiguration": template.get("experimentReportConfiguration"),
            "experimentReport": self.report.shown(),
        }
        return {name: value for name, value in body.items() if value is not None}
