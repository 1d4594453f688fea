"""What the stack consisted of, what it consists of by now, and the journal that says so on disk.

`olds` are the resources of the last deployment, `news` those that this one has registered, in the order in
which they were done, which is a topological order. Everything not yet registered is kept in the
checkpoint until it is deleted on purpose.
"""

from __future__ import annotations

import contextlib
import copy
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from harness.deploy.engine.journal import Journal, Line
from harness.deploy.engine.snapshot import in_order, with_new_names
from harness.deploy.engine.state import Checkpoint, PendingOperation, ResourceState
from harness.errors import StateError


@dataclass(slots=True)
class Ledger:
    """The state of one deployment under way. Safe from any thread.

    `interrupted` are creations that a kill cut short, `unsure` the goals of updates and the resources of
    deletions that were cut short, both by URN.
    """

    checkpoint: Checkpoint
    dry_run: bool
    durable: bool = True
    olds: dict[str, ResourceState] = field(default_factory=dict)
    news: dict[str, ResourceState] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)  # old URN → new URN, by aliases
    interrupted: dict[str, ResourceState] = field(default_factory=dict)
    unsure: dict[str, ResourceState] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    journal: Journal = field(init=False)
    _all_olds: list[ResourceState] = field(default_factory=list)
    _index: dict[int, int] = field(default_factory=dict)  # id of an old one → its place in the checkpoint
    _deleted: set[int] = field(default_factory=set)
    _secrets_told: bool = False

    def __post_init__(self) -> None:
        self.journal = Journal(self.checkpoint.path, self.durable)
        if self.checkpoint.recovered and not self.dry_run:
            self.checkpoint.write()
        self._all_olds = list(self.checkpoint.resources)
        self._index = {id(old): place for place, old in enumerate(self._all_olds)}
        self.olds = {old.urn: old for old in self._all_olds if not old.delete}
        for pending in self.checkpoint.pending:
            kind = self.interrupted if pending.type == "creating" else self.unsure
            if pending.resource.custom:
                kind[pending.resource.urn] = pending.resource

    def find(self, urn: str) -> ResourceState | None:
        """The resource as it is now: registered in this deployment, or from the one before."""
        return self.news.get(urn) or self.olds.get(urn)

    def living(self) -> list[ResourceState]:
        """What the stack consists of now: registered, or of before and neither deleted nor on its way out."""
        rest = [old for old in self._all_olds if id(old) not in self._deleted and not old.delete]
        return [*self.news.values(), *(old for old in rest if self._now(old.urn) not in self.news)]

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

    def known_ids(self, kind: str) -> frozenset[str]:
        """The ids of every resource of type `kind` that this stack has or had."""
        with self.lock:
            known = [*self._all_olds, *self.news.values()]
            return frozenset(r.id for r in known if r.type == kind and r.id)

    def add(
        self, resource: ResourceState, *, changed: bool = True, over: ResourceState | None = None, keep: bool = False
    ) -> None:
        """`resource` is as the program wants it; one that did not change needs no line of its own.

        `over` is the old one that it supersedes; with `keep` that one still exists and is to be deleted.
        """
        with self.lock:
            self.news[resource.urn] = resource
            self._drop_pending(resource.urn)
            over = over if over is not None else self.olds.get(resource.urn)
            if keep and over is not None:
                over.delete = True
            if changed:
                line: Line = {"put": resource.to_json(self.checkpoint.encrypt)}
                if over is not None:
                    line |= {"over": self._index[id(over)], "keep": keep}
                self._note(line)
        if changed:
            self.persist()

    def forget(self, old: ResourceState) -> None:
        """`old` is gone."""
        with self.lock:
            self._deleted.add(id(old))
            self._drop_pending(old.urn)
            self._note({"gone": self._index[id(old)]})
        self.persist()

    def is_forgotten(self, old: ResourceState) -> bool:
        """True once `old` was deleted in this deployment."""
        return id(old) in self._deleted

    @contextmanager
    def pending(self, kind: str, resource: ResourceState) -> Iterator[None]:
        """Around an operation: on disk before it starts, until `add`, `forget` or `drop_pending` ends it.

        It stays after an error and after a kill: the next deployment looks for what may have been done.
        """
        record = PendingOperation(type=kind, resource=copy.copy(resource))
        with self.lock:
            self._drop_pending(resource.urn)
            self.checkpoint.pending.append(record)
            self._note({"begin": record.to_json(self.checkpoint.encrypt)})
        self.persist()
        yield

    def drop_pending(self, urn: str) -> None:
        """The operation on `urn` came to nothing: there is nothing to look for."""
        with self.lock:
            self._drop_pending(urn)
            self._note({"end": urn})
        self.persist()

    def persist(self) -> None:
        """Return when everything told so far is on disk.

        Raises:
            StateError: the disk is full or read-only.
        """
        if not self.dry_run:
            self.journal.sync()

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Around a deployment: the checkpoint is written at its end, after an error too when there were steps."""
        try:
            yield
        except BaseException:
            if self.journal.used:
                with contextlib.suppress(StateError):  # the journal has it, and the first error counts
                    self.close()
            raise
        self.close()

    def close(self) -> None:
        """Write the checkpoint; the journal is done with.

        Raises:
            StateError: the disk is full or read-only; checkpoint and journal stay as they are.
        """
        if self.dry_run:
            return
        with self.lock:
            self.checkpoint.resources = self._snapshot()
            self.checkpoint.write()
        self.journal.close()

    def _note(self, line: Line) -> None:
        if self.dry_run:
            return
        if self.checkpoint.has_secrets and not self._secrets_told:
            self._secrets_told = True
            self.journal.note({"secrets": self.checkpoint.secrets.state()})
        self.journal.note(line)

    def _snapshot(self) -> list[ResourceState]:
        kept = list(self.news.values())
        for old in self._all_olds:
            if id(old) in self._deleted or not (old.delete or self._now(old.urn) not in self.news):
                continue
            kept.append(with_new_names(old, self.renamed))
        return in_order(kept)

    def _now(self, urn: str) -> str:
        return self.renamed.get(urn, urn)

    def _drop_pending(self, urn: str) -> None:
        self.checkpoint.pending = [p for p in self.checkpoint.pending if p.resource.urn != urn]
