"""One cloud for the stores, and their clients run one call after another or side by side."""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chaos.stores import STORES
from chaos.stores.beside import Beside
from chaos.stores.store import Store
from harness.clock import SystemClock
from harness.cloud.client import CloudSettings, RunningCloud, start_cloud
from harness.measure.checkers.calls import Call
from harness.measure.journal import Journal, JournalWriter, read_journal


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCloud]:
    cloud = start_cloud(CloudSettings(state_dir=tmp_path_factory.mktemp("cloud"), detection_s=0.2, dns_s=0.2))
    yield cloud
    cloud.stop()


@pytest.fixture
def beside(cloud: RunningCloud, tmp_path: Path) -> Callable[[list[str], Callable[[Beside], None]], Journal]:
    """Gives the journal of clients that worked side by side while something was done to their stores."""

    def work(stores: list[str], during: Callable[[Beside], None]) -> Journal:
        path = tmp_path / "journal.jsonl"
        with JournalWriter(path) as journal:
            clients = Beside(
                target=cloud.target, stores=stores, prefix="beside", seed=5, journal=journal, clock=SystemClock()
            )
            with clients.running():
                during(clients)
        return read_journal(path)

    return work


class Alone:
    """A store worked by one client, one call after another: the same calls in the same order every time."""

    def __init__(self, cloud: RunningCloud, name: str) -> None:
        self.name = f"alone-{name}"
        self.store: Any = STORES[name](cloud.target.client, self.name)
        if hasattr(self.store, "patience_s"):
            self.store = replace(self.store, patience_s=1.0)
        self.calls: list[Call] = []
        self._chance = random.Random(5)  # noqa: S311 - a seeded workload
        self.store.prepare()

    def work(self, calls: int = 40) -> None:
        """So many calls more, all acknowledged."""
        for _ in range(calls):
            call = self.store.step(self._chance, len(self.calls))
            self.calls.append(call)

    def found(self) -> set[tuple[str, str]]:
        """Kind and key of every finding."""
        return {(finding.kind, finding.key) for finding in self.store.check(self.calls)}


@pytest.fixture
def alone(cloud: RunningCloud) -> Iterator[Callable[[str], Alone]]:
    made: list[Store] = []

    def make(name: str) -> Alone:
        one = Alone(cloud, name)
        made.append(one.store)
        return one

    yield make
    for store in made:
        store.clear()
