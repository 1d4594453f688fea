"""One action of one experiment: its states, in time. Whatever happens, what it injected is healed before it ends.

pending → initiating → running → completed
                    ↘ failed   ↘ stopping → stopped;  pending → skipped | cancelled

Source: https://docs.aws.amazon.com/fis/latest/userguide/experiments.html
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError

from chaos.fis.actions.action import Action, Work
from chaos.fis.errors import ActionError
from chaos.fis.region import Members
from harness.clock import Clock
from harness.errors import BlackstartError


class FailedError(Exception):
    """What makes an experiment fail, with AWS's code and the place."""

    def __init__(self, message: str, code: str, location: str) -> None:
        super().__init__(message)
        self.code, self.location = code, location


@dataclass(slots=True, kw_only=True)
class ActionRun:
    """One action as GetExperiment shows it. Lives in one event loop; `workers` do what blocks."""

    name: str
    given: Members
    action: Action
    clock: Clock
    epoch_s: Callable[[], float]
    workers: ThreadPoolExecutor
    changed: Callable[[ActionRun], None]
    work: Work | None = None
    status: str = "pending"
    reason: str = "Initial state"
    started: float | None = None
    ended: float | None = None
    finished: asyncio.Event = field(default_factory=asyncio.Event)
    _injecting: asyncio.Future[None] | None = None
    _healing: asyncio.Future[None] | None = None

    async def run(self, work: Work) -> None:
        """Inject, hold for the action's duration, heal.

        Raises:
            FailedError: the action could not be put in force; it is healed.
        """
        self.work, self.started = work, self.epoch_s()
        self._become("initiating", "Action is initiating.")
        self._injecting = self._in_worker(self.action.inject)
        try:
            await asyncio.shield(self._injecting)
            self._become("running", "Action is running.")
            await self._hold(work)
            await asyncio.shield(self._in_worker(self.action.look))
        except (BlackstartError, ActionError, ClientError, BotoCoreError, KeyError, ValueError) as error:
            await self._heal()
            self._end("failed", f"{error}"[:512])
            raise FailedError(f"Action {self.name} failed: {error}"[:512], _code(error), self.name) from error
        await self._heal()
        self._end("completed", "Action was completed.")
        self.finished.set()

    async def _hold(self, work: Work) -> None:
        """Wait for the action's time, or until it is over."""
        if not self.action.poll_s:
            await self.clock.sleep(self.action.hold_s(work))
            return
        until_s, loop = self.clock.now_s() + self.action.hold_s(work), asyncio.get_running_loop()
        while self.clock.now_s() < until_s:
            if await loop.run_in_executor(self.workers, self.action.over, work):
                return
            await self.clock.sleep(self.action.poll_s)

    def skip(self, reason: str = "Action was skipped.") -> None:
        """There is nothing to act on, or the experiment is a preview."""
        self._become("skipped", reason)
        self.finished.set()

    async def stop(self) -> None:
        """Heal and end, whatever the action was doing; may be repeated."""
        if self.status == "pending":
            self._become("cancelled", "Action was cancelled.")
        elif self.status in {"initiating", "running"}:
            self._become("stopping", "Action is stopping.")
            await self._heal()
            self._end("stopped", "Action was stopped.")

    async def _heal(self) -> None:
        """Heal once the injection, which runs in a thread that cannot be interrupted, is over."""
        if self._injecting is not None:
            await asyncio.wait([self._injecting])
        if self._healing is None or self._healing.done():
            self._healing = self._in_worker(self.action.heal)
        await asyncio.shield(self._healing)

    def _in_worker(self, step: Callable[[Work], None]) -> asyncio.Future[None]:
        if self.work is None:
            raise RuntimeError(f"action {self.name} was never begun")
        future = asyncio.get_running_loop().run_in_executor(self.workers, step, self.work)
        future.add_done_callback(lambda done: done.cancelled() or done.exception())  # whoever waits may be gone
        return future

    def _end(self, status: str, reason: str) -> None:
        self.ended = self.epoch_s()
        self._become(status, reason)

    def _become(self, status: str, reason: str) -> None:
        self.status, self.reason = status, reason
        self.changed(self)

    def shown(self) -> Members:
        """As GetExperiment shows it."""
        state = {"status": self.status, "reason": self.reason}
        times = {"startTime": self.started, "endTime": self.ended}
        return {**self.given, "state": state, **{name: at for name, at in times.items() if at is not None}}


def _code(error: Exception) -> str:
    if isinstance(error, ActionError):
        return error.code
    code = str(getattr(error, "response", {}).get("Error", {}).get("Code", ""))
    if code.startswith(("AccessDenied", "UnauthorizedOperation")):
        return "AuthorizationFailure"
    if "NotFound" in code or "NoSuch" in code:
        return "InvalidTarget"
    return "ConfigurationFailure" if isinstance(error, BlackstartError) else "DependentServiceFailure"
