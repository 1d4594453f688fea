"""Around every operation: told, counted, timed, bounded in number and duration, its errors put into words."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from threading import BoundedSemaphore
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from harness.deploy.engine.events import PLAIN, Detail, Listener, Operation, Status, StepEvent, nobody
from harness.deploy.engine.ledger import Ledger
from harness.deploy.engine.state import ResourceState
from harness.deploy.engine.urn import short
from harness.deploy.engine.values import Hidden
from harness.errors import BlackstartError, ProviderError

PARALLEL = 16
"""Operations under way at once, as many as the real CLI's default on a machine with few cores."""

Result = TypeVar("Result")


class OverdueError(ProviderError):
    """An operation took longer than the program allows it; it may still end well on AWS's side."""


@dataclass(slots=True)
class Telling:
    """What the end of a step will tell."""

    op: Operation
    detail: Detail


@dataclass(slots=True)
class Operations:
    """What all steps of one deployment share. Safe from any thread."""

    ledger: Ledger
    listen: Listener = nobody
    counts: dict[Operation, int] = field(default_factory=dict)
    planned: int = 0  # how many steps are expected in all; 0 where that is not known
    hidden: Hidden = field(default_factory=Hidden)
    _slots: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(PARALLEL))

    @property
    def dry_run(self) -> bool:
        """True for a preview: nothing is changed, on AWS or on disk."""
        return self.ledger.dry_run

    @contextmanager
    def step(
        self, op: Operation, resource: ResourceState, detail: Detail = PLAIN, *, where: str = ""
    ) -> Iterator[Telling]:
        """Around one operation. What it yields may be changed by what is learnt on the way.

        Raises:
            ProviderError: AWS refused; with its code and message, the resource, and file:line in `where`.
        """
        started_s = time.monotonic()
        told = Telling(op, detail)
        self.tell(op, resource, "started", detail)
        try:
            with self._slots:
                yield told
        except (ClientError, BotoCoreError) as error:
            words = self.hidden.clean(in_words(f"{op} of {short(resource.urn)}", error))
            self.tell(op, resource, "failed", replace(detail, message=words))
            raise ProviderError(words, where=where or resource.urn, hint=_LEFT) from error
        except BlackstartError as error:
            error.what = self.hidden.clean(error.what)
            self.tell(op, resource, "failed", replace(detail, message=error.what))
            raise
        if resource.custom and not resource.is_provider and not (told.op == "delete" and resource.external):
            self.count(told.op)
        self.tell(told.op, resource, "done", told.detail, duration_s=time.monotonic() - started_s)

    def count(self, op: Operation) -> None:
        """One more step of this kind."""
        with self.ledger.lock:
            self.counts[op] = self.counts.get(op, 0) + 1

    def tell(
        self,
        op: Operation,
        resource: ResourceState,
        status: Status,
        detail: Detail = PLAIN,
        *,
        duration_s: float = 0.0,
    ) -> None:
        """Tell whoever listens about one step."""
        self.listen(
            StepEvent(
                op=op,
                urn=resource.urn,
                type=resource.type,
                name=resource.name,
                status=status,
                duration_s=duration_s,
                message=detail.message,
                id=resource.id,
                parent=resource.parent,
                custom=resource.custom,
                copy=resource.delete,
                planned=self.planned,
                changes=detail.changes,
                reasons=detail.reasons,
                unknown=detail.unknown,
            )
        )


_LEFT = "mend the cause and run again; destroy takes away what there is"


def within(limit_s: float | None, work: Callable[[], Result], what: str) -> Result:
    """What `work` returns, as long as it takes no longer than `limit_s` (None: no limit of the program's).

    Raises:
        OverdueError: it takes longer; it is left to itself, in a thread that holds nothing up.
    """
    if limit_s is None:
        return work()
    done: list[Result] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(work())
        except BaseException as error:  # noqa: BLE001 - passed on to the waiting thread
            failed.append(error)

    thread = threading.Thread(target=contextvars.copy_context().run, args=(run,), daemon=True, name=what)
    thread.start()
    thread.join(limit_s)
    if failed:
        raise failed[0]
    if not done:
        raise OverdueError(
            f"{what} was not done after {limit_s:g} s, the limit that the program sets (custom_timeouts)",
            hint="raise the limit; the next run looks for what was begun and goes on from there",
        )
    return done[0]


def in_words(what: str, error: Exception) -> str:
    """`what failed in CreateQueue: QueueNameExists: ...`: AWS's operation, code and message."""
    response: Mapping[str, Any] = getattr(error, "response", {})
    if "Error" not in response:
        return f"{what} failed: {error}"
    operation = getattr(error, "operation_name", "")
    code, message = response["Error"].get("Code"), response["Error"].get("Message", "")
    return f"{what} failed in {operation}: {code}: {message}"
