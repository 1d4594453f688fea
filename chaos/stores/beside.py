"""Runs store workloads beside a drill: a few threads each, from its beginning to the end of the observation."""

from __future__ import annotations

import itertools
import json
import random
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chaos.stores import STORES
from chaos.stores.store import Store
from harness.clock import Clock
from harness.errors import BlackstartError
from harness.files import write_atomically
from harness.measure import journal as names
from harness.measure.checkers.calls import Call
from harness.measure.checkers.linearizable import UNDECIDED
from harness.measure.finding import MOST_FINDINGS
from harness.measure.journal import JournalWriter, Outcome
from harness.target import Target

THREADS = 3
PAUSE_S = 0.05
"""Between two calls of one thread, on average: some twenty calls a second for each store."""

_ONE_ATTEMPT: dict[str, Any] = {"connect_timeout": 1.0, "read_timeout": 2.0, "retries": {"total_max_attempts": 1}}
_PATIENT: dict[str, Any] = {"connect_timeout": 5.0, "read_timeout": 30.0, "retries": {"total_max_attempts": 5}}
"""What makes, reads back and takes away a store: a slow machine must not decide what is found."""

_NOTE = ".stores.json"

_LAST_CALLS_S = 60.0
"""How long the calls under way may take to end; each has its own timeout, far below this."""


@dataclass(frozen=True, slots=True)
class _Worked:
    """A store twice: patient, to make, check and clear it; and hasty, as its clients see it."""

    keeper: Store
    worker: Store
    calls: list[Call] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Beside:
    """The workloads of one drill run. Seeded: the same seed makes the same calls, in each thread."""

    target: Target
    stores: Sequence[str]
    prefix: str
    seed: int
    journal: JournalWriter
    clock: Clock
    _worked: dict[str, _Worked] = field(default_factory=dict)
    _stopping: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Make the stores, work them while the body runs, then check and take them away."""
        with ExitStack() as undo:
            if self.stores:
                self._note_down(undo)
            for name in self.stores:
                self._prepare(name, undo)
            threads = {
                name: [
                    threading.Thread(target=self._work, args=(name, number), name=f"{name}-{number}", daemon=True)
                    for number in range(THREADS)
                ]
                for name in self.stores
            }
            for thread in itertools.chain(*threads.values()):
                thread.start()
            try:
                yield
            finally:
                self._stopping.set()
                until_s = self.clock.now_s() + _LAST_CALLS_S
                for thread in itertools.chain(*threads.values()):
                    thread.join(max(0.0, until_s - self.clock.now_s()))
            for name, own in threads.items():
                if any(thread.is_alive() for thread in own):
                    self._failed(name, f"calls were still under way after {_LAST_CALLS_S:g} s")
                else:
                    self._check(name)

    def _note_down(self, undo: ExitStack) -> None:
        """A note of the stores beside the journal while they are there: a kill of this process leaves it."""
        note = self.journal.path.with_suffix(_NOTE)
        write_atomically(note, json.dumps({"prefix": self.prefix, "stores": list(self.stores)}))
        undo.callback(note.unlink, missing_ok=True)

    def outcomes(self) -> Mapping[str, Counter[Outcome]]:
        """What the calls of each store have come to until now."""
        return {name: Counter(call.outcome for call in tuple(one.calls)) for name, one in self._worked.items()}

    def _prepare(self, name: str, undo: ExitStack) -> None:
        keeper = _keeper(name, self.prefix, self.target)
        undo.callback(_cleared, keeper)
        keeper.prepare()
        hasty = replace(keeper, make=lambda service: self.target.client(service, **_ONE_ATTEMPT))
        self._worked[name] = _Worked(keeper, hasty)

    def _work(self, name: str, thread: int) -> None:
        chance = random.Random(f"{self.seed}/{name}/{thread}")  # noqa: S311 - a seeded workload
        worked = self._worked[name]
        for number in itertools.count(thread, THREADS):
            try:
                worked.calls.append(worked.worker.step(chance, number))
            except Exception as error:  # noqa: BLE001 - a client that is gone sees nothing wrong
                self._failed(name, f"a client raised {type(error).__name__}: {error}")
                return
            if self._stopping.wait(chance.uniform(0.0, 2 * PAUSE_S)):
                return

    def _check(self, name: str) -> None:
        worked = self._worked[name]
        try:
            findings = worked.keeper.check(worked.calls)
        except (ClientError, BotoCoreError, BlackstartError, KeyError, ValueError) as error:
            self._failed(name, f"{type(error).__name__}: {error}")
            return
        self._note(
            names.STORE_CHECKED,
            store=name,
            anomalies=sum(f.kind != UNDECIDED for f in findings),
            **{f"calls_{o}": n for o, n in self.outcomes()[name].items()},
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

    def _failed(self, name: str, error: str) -> None:
        self._note(names.CHECK_FAILED, check="stores", error=f"{name}: {error}")

    def _note(self, name: str, /, **detail: object) -> None:
        self.journal.event(name, self.clock.now_s(), **detail)


def left_in(folder: Path) -> list[Path]:
    """Notes of the stores that drills of the run in `folder` made and did not take away."""
    return sorted(folder.glob(f"*/*{_NOTE}"))


def take_away(note: Path, target: Target) -> list[str]:
    """Delete the stores of a note, and it; returns their names."""
    body = json.loads(note.read_text())
    for name in body["stores"]:
        _cleared(_keeper(name, body["prefix"], target))
    note.unlink()
    return [f"store {name}" for name in body["stores"]]


def _keeper(name: str, prefix: str, target: Target) -> Store:
    return STORES[name](lambda service: target.client(service, **_PATIENT), f"{prefix}-{name}")


def _cleared(store: Store) -> None:
    with suppress(ClientError, BotoCoreError):  # what was never made cannot be taken away
        store.clear()
