"""Reading everything back after a drill: when what was begun has ended, and from where it must have survived."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chaos.drill_parts import VerificationPart
from chaos.restoring import restored
from chaos.verification import Before, Store, settle, verify
from harness.clock import Clock
from harness.errors import NotReadyError
from harness.measure import journal as names
from harness.measure.journal import Journal, JournalWriter
from harness.stack import RunningStack

_UNREADABLE = (ClientError, BotoCoreError, NotReadyError, KeyError)


@dataclass(slots=True, kw_only=True)
class ReadingBack:
    """Of one run. What cannot be read is noted, and leaves the verdict open.

    `prefix` is that of the keys that this run writes, `copy` the name of a table restored for it.
    """

    stack: RunningStack
    part: VerificationPart
    journal: JournalWriter
    clock: Clock
    tell: Callable[[str], None]
    prefix: str
    copy: str
    _before: Before = field(default_factory=Before)

    def look_before(self) -> None:
        """What earlier writes have caused: what comes beside it is this drill's."""
        try:
            self._before = Store(self.stack, self.part).look_before()
        except _UNREADABLE as error:
            self._failed(error)

    def verify(self, journal: Journal, *, meanwhile: Callable[[], None], last: Callable[[], None]) -> None:
        """Read every write of `journal` back, twice.

        `meanwhile` is called while what was begun ends, `last` when it has: the last look at a replica.
        """
        store = Store(self.stack, self.part, before=self._before)
        self.tell("waiting for what was begun to end")
        try:
            if waiting := settle(store, journal, self.clock, meanwhile=meanwhile):
                self._note(names.QUEUES_WAITING, messages=waiting)
            last()
            self._note(names.VERIFICATION_STARTED)
            self.tell("reading everything back, twice")
            with self._recovery_target(store) as target:
                verify(target, journal, self.journal, self.clock, prefix=f"{self.prefix}-")
        except _UNREADABLE as error:
            self._failed(error)
        self._note(names.VERIFICATION_ENDED)

    def _recovery_target(self, store: Store) -> AbstractContextManager[Store]:
        if not self.part.restore:
            return nullcontext(store)
        self.tell("restoring the table")
        return restored(store, self.copy, self.journal, self.clock)

    def _failed(self, error: Exception) -> None:
        self._note(names.CHECK_FAILED, check="verification", error=f"{type(error).__name__}: {error}")

    def _note(self, name: str, /, **detail: Any) -> None:
        self.journal.event(name, self.clock.now_s(), **detail)
