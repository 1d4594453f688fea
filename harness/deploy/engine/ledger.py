"""What the stack consisted of, what it consists of by now, and the checkpoint that says so on disk.

`olds` are the resources of the last deployment, `news` those that this one has registered, in the order in
which they were done, which is a topological order. Everything not yet registered is kept in the
checkpoint until it is deleted on purpose.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from harness.deploy.engine.state import Checkpoint, PendingOperation, ResourceState


@dataclass(slots=True)
class Ledger:
    """The state of one deployment under way. Safe from any thread."""

    checkpoint: Checkpoint
    dry_run: bool
    olds: dict[str, ResourceState] = field(default_factory=dict)
    news: dict[str, ResourceState] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)  # old URN → new URN, by aliases
    interrupted: dict[str, ResourceState] = field(default_factory=dict)  # creations that a kill cut short
    lock: threading.RLock = field(default_factory=threading.RLock)
    _all_olds: list[ResourceState] = field(default_factory=list)
    _deleted: set[int] = field(default_factory=set)
    _version: int = 0
    _written: int = 0
    _writing: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._all_olds = list(self.checkpoint.resources)
        self.olds = {old.urn: old for old in self._all_olds if not old.delete}
        self.interrupted = {
            p.resource.urn: p.resource for p in self.checkpoint.pending if p.type == "creating" and p.resource.custom
        }
        self.checkpoint.pending = [p for p in self.checkpoint.pending if p.resource.urn in self.interrupted]

    def find(self, urn: str) -> ResourceState | None:
        """The resource as it is now: registered in this deployment, or from the one before."""
        return self.news.get(urn) or self.olds.get(urn)

    def condemned(self, *, everything: bool = False) -> list[ResourceState]:
        """What is left to delete: replaced copies, and what the program no longer has (or all of it)."""
        return [
            old
            for old in self._all_olds
            if id(old) not in self._deleted and (everything or old.delete or self._now(old.urn) not in self.news)
        ]

    def dependents(self, urn: str) -> list[ResourceState]:
        """The olds that have a property depending on `urn`, in the order of the checkpoint."""
        return [
            old
            for old in self._all_olds
            if not old.delete and any(urn in urns for urns in old.propertyDependencies.values())
        ]

    def add(self, resource: ResourceState, *, changed: bool = True) -> None:
        """`resource` is as the program wants it; one that did not change needs no write of its own."""
        with self.lock:
            self.news[resource.urn] = resource
            self._drop_pending(resource.urn)
        if changed:
            self.persist()

    def forget(self, old: ResourceState) -> None:
        """`old` is gone."""
        with self.lock:
            self._deleted.add(id(old))
        self.persist()

    def is_forgotten(self, old: ResourceState) -> bool:
        """True once `old` was deleted in this deployment."""
        return id(old) in self._deleted

    @contextmanager
    def pending(self, kind: str, resource: ResourceState) -> Iterator[None]:
        """Around an operation: on disk before it starts, gone after it ended, kept when we are killed in between.

        A creation that failed leaves nothing to take up again, so it is dropped as well.
        """
        record = PendingOperation(type=kind, resource=copy.copy(resource))
        with self.lock:
            self._drop_pending(resource.urn)
            self.checkpoint.pending.append(record)
        self.persist()
        try:
            yield
        finally:
            with self.lock:
                if record in self.checkpoint.pending:
                    self.checkpoint.pending.remove(record)

    def persist(self) -> None:
        """Write the checkpoint; threads that ask at the same time share one write."""
        if self.dry_run:
            return
        with self.lock:
            self._version += 1
            mine = self._version
        with self._writing:
            if self._written >= mine:
                return
            with self.lock:
                self._written = self._version
                self.checkpoint.resources = self._snapshot()
            self.checkpoint.write()

    def _snapshot(self) -> list[ResourceState]:
        kept = list(self.news.values())
        for old in self._all_olds:
            if id(old) in self._deleted or not (old.delete or self._now(old.urn) not in self.news):
                continue
            kept.append(self._with_new_names(old))
        return _without_dangling(kept)

    def _now(self, urn: str) -> str:
        return self.renamed.get(urn, urn)

    def _with_new_names(self, old: ResourceState) -> ResourceState:
        if not self.renamed:
            return old
        renamed = copy.copy(old)
        renamed.parent = self._now(old.parent)
        renamed.dependencies = [self._now(urn) for urn in old.dependencies]
        renamed.propertyDependencies = {k: [self._now(u) for u in v] for k, v in old.propertyDependencies.items()}
        return renamed

    def _drop_pending(self, urn: str) -> None:
        self.checkpoint.pending = [p for p in self.checkpoint.pending if p.resource.urn != urn]


def _without_dangling(resources: list[ResourceState]) -> list[ResourceState]:
    """Edges to what is no longer in the checkpoint are cut: their owners go later in this deployment."""
    present = {resource.urn for resource in resources}
    cut = []
    for resource in resources:
        if resource.needs() <= present:
            cut.append(resource)
            continue
        clean = copy.copy(resource)
        clean.dependencies = [urn for urn in resource.dependencies if urn in present]
        clean.propertyDependencies = {
            key: [urn for urn in urns if urn in present] for key, urns in resource.propertyDependencies.items()
        }
        cut.append(clean)
    return cut
