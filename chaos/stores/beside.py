"""Runs store workloads beside a drill: a few threads each, from its beginning to the end of the observation."""

from __future__ import annotations

import itertools
import random
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chaos.stores import STORES
from chaos.stores.store import Store
from harness.clock import Clock
from harness.measure import journal as names
from harness.measure.checkers.calls import Call
from harness.measure.checkers.linearizable import UNDECIDED
from harness.measure.finding import MOST_FINDINGS
from harness.measure.journal import JournalWriter
from harness.target import Target

THREADS = 3
PAUSE_S = 0.05
"""Between two calls of one thread, on average: some twenty calls a second for each store."""

_ONE_ATTEMPT: dict[str, Any] = {"connect_timeout": 1.0, "read_timeout": 2.0, "retries": {"total_max_attempts": 1}}


@dataclass(slots=True, kw_only=True)
class Beside:
    """The workloads of one drill run. Seeded: the same seed makes the same calls, in each thread."""

    target: Target
    stores: Sequence[str]
    prefix: str
    seed: int
    journal: JournalWriter
    clock: Clock
    _calls: dict[str, list[Call]] = field(default_factory=dict)
    _stopping: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Make the stores, work them while the body runs, then check and take them away."""
        with ExitStack() as undo:
            working = {name: self._prepared(name, undo) for name in self.stores}
            threads = [
                threading.Thread(target=self._work, args=(name, store, number), name=f"{name}-{number}", daemon=True)
                for name, store in working.items()
                for number in range(THREADS)
            ]
            for thread in threads:
                thread.start()
            try:
                yield
            finally:
                self._stopping.set()
                for thread in threads:
                    thread.join(10.0)
            for name, store in working.items():
                self._check(name, store)

    def _prepared(self, name: str, undo: ExitStack) -> Store:
        store = STORES[name](lambda service: self.target.client(service, **_ONE_ATTEMPT), f"{self.prefix}-{name}")
        self._calls[name] = []
        undo.callback(_cleared, store)
        store.prepare()
        return store

    def _work(self, name: str, store: Store, thread: int) -> None:
        chance = random.Random(f"{self.seed}/{name}/{thread}")  # noqa: S311 - a seeded workload
        for number in itertools.count(thread, THREADS):
            self._calls[name].append(store.step(chance, number))
            if self._stopping.wait(chance.uniform(0.0, 2 * PAUSE_S)):
                return

    def _check(self, name: str, store: Store) -> None:
        calls = list(self._calls[name])
        try:
            findings = store.check(calls)
        except (ClientError, BotoCoreError, KeyError, ValueError) as error:
            self._note(names.CHECK_FAILED, check="stores", error=f"{name}: {type(error).__name__}: {error}")
            return
        outcomes = Counter(call.outcome for call in calls)
        self._note(
            names.STORE_CHECKED,
            store=name,
            anomalies=sum(f.kind != UNDECIDED for f in findings),
            **{f"calls_{o}": n for o, n in outcomes.items()},
        )
        for found in findings[:MOST_FINDINGS]:
            self._note(
                names.STORE_FINDING,
                store=name,
                kind=found.kind,
                key=found.key,
                found_s=found.at_s,
                detail=found.detail,
            )

    def _note(self, name: str, /, **detail: object) -> None:
        self.journal.event(name, self.clock.now_s(), **detail)


def _cleared(store: Store) -> None:
    with suppress(ClientError, BotoCoreError):  # what was never made cannot be taken away
        store.clear()
