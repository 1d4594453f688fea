"""Creations: of what is new, of what a killed deployment had begun, of what exists already and is imported.

A creation that fails leaves nothing, or a resource that the next deployment replaces, or, where AWS has not
answered, a pending operation that the next one looks into.
"""

from __future__ import annotations

from dataclasses import dataclass

from botocore.exceptions import BotoCoreError

from harness.clock import utc_iso
from harness.deploy.engine.acting import Acting
from harness.deploy.engine.clients import CHANGED
from harness.deploy.engine.detail import every, property_changes
from harness.deploy.engine.diff import with_ignored
from harness.deploy.engine.events import Detail, Operation
from harness.deploy.engine.goal import Goal
from harness.deploy.engine.operations import OverdueError, in_words, within
from harness.deploy.engine.state import ResourceState
from harness.deploy.engine.urn import short
from harness.deploy.engine.values import Value, plain, sealed_like
from harness.deploy.providers.resource import CannotTellError, PartlyCreatedError, ResourceType
from harness.errors import ProgramError, ProviderError


@dataclass(slots=True, kw_only=True)
class Creations(Acting):
    """Creates resources for one deployment. Safe from any thread."""

    def delete_interrupted(self) -> None:
        """Delete what a killed deployment had begun to create and this one has not taken up."""
        for begun in [] if self.dry_run else list(self.ledger.interrupted.values()):
            handler = self.registry.resources.get(begun.type)
            try:
                found = None if handler is None else self._found(handler, begun)
            except CannotTellError as error:
                self.tell("read", begun, "done", Detail(message=_may_be_there(error)))
            else:
                if handler is not None and found is not None:
                    self._delete_found(handler, begun, found)
            self.ledger.drop_pending(begun.urn)

    def _delete_found(self, handler: ResourceType, begun: ResourceState, found: tuple[str, dict[str, Value]]) -> None:
        begun.id, begun.outputs = found
        with self.step("delete", begun, Detail(message="left by an interrupted deployment")):
            handler.delete(self.context(begun), begun.id, plain({**begun.inputs, **begun.outputs}))

    def _create_new(self, goal: Goal, resource: ResourceState) -> ResourceState:
        begun = self.ledger.interrupted.get(goal.urn)
        resource.inputs = self._check(goal, resource, resource.inputs, begun.inputs if begun else None)
        detail = Detail(changes=every(resource.inputs, "add"))
        return self._taken_up(goal, resource, "create") or self._create(goal, resource, "create", detail)

    def _taken_up(
        self, goal: Goal, resource: ResourceState, op: Operation, *, keep: bool = False
    ) -> ResourceState | None:
        """What a killed deployment had already created under the same name, brought to what is wanted now.

        What told its secret to nobody but the killed one is deleted instead.
        """
        begun = self.ledger.interrupted.get(goal.urn)
        handler = self._handler(resource.type)
        if begun is None or self.dry_run:
            return None
        try:
            found = self._found(handler, begun)
        except CannotTellError as error:
            self.ledger.interrupted.pop(goal.urn)
            self.tell("read", begun, "done", Detail(message=_may_be_there(error)))
            return None
        if found is None:
            return None
        if handler.told_once:
            self.ledger.interrupted.pop(goal.urn)
            self._delete_found(handler, begun, found)
            return None
        detail = Detail(message="taken up after an interrupted deployment")
        limit_s = goal.timeouts_s.get("create")
        with self.step(op, resource, detail, where=goal.where):
            resource.id, outputs = found
            context, olds, news = self.context(resource, limit_s), plain(begun.inputs), plain(resource.inputs)
            seen = handler.observe(context, resource.id, olds)
            # The kill may have come before its last call: what it has counts, not what it was to have.
            olds = {k: v for k, v in {**olds, **(seen.settings if seen else {})}.items() if v is not None}
            if olds != news:
                outputs = handler.update(context, resource.id, olds, news)
            resource.outputs = self.sealed(resource, handler, outputs)
            resource.created = resource.modified = utc_iso()
            self.ledger.add(resource, keep=keep)
        self.ledger.interrupted.pop(goal.urn)
        return resource

    def _found(self, handler: ResourceType, begun: ResourceState) -> tuple[str, dict[str, Value]] | None:
        """Id and outputs of what was begun to be created, None when AWS has nothing of it.

        Raises:
            CannotTellError: this cannot be found out.
        """
        context, inputs = self.context(begun), plain(begun.inputs)
        resource_id = handler.find(context, inputs)
        if resource_id is None or resource_id in self.ledger.known_ids(begun.type):
            return None
        outputs = handler.read(context, resource_id, inputs)
        return None if outputs is None else (resource_id, outputs)

    def _create(
        self, goal: Goal, resource: ResourceState, op: Operation, detail: Detail, *, keep: bool = False
    ) -> ResourceState:
        self.hooks.run("before_create", goal.hooks, new=resource, old=None, dry_run=self.dry_run)
        with self.step(op, resource, detail, where=goal.where):
            if self.dry_run:
                resource.outputs = dict(resource.inputs)
                if service := self._handler(resource.type).service:
                    self.instances.clients.prepare(service, self.context(resource).region)
            else:
                self._make(goal, resource, keep=keep)
            self.ledger.add(resource, keep=keep)
        self.hooks.run("after_create", goal.hooks, new=resource, old=None, dry_run=self.dry_run)
        return resource

    def _make(self, goal: Goal, resource: ResourceState, *, keep: bool) -> None:
        handler, limit_s = self._handler(resource.type), goal.timeouts_s.get("create")
        context, inputs, what = (
            self.context(resource, limit_s),
            plain(resource.inputs),
            f"create of {short(goal.urn)}",
        )
        done: list[str] = []
        told = CHANGED.set(done)
        with self.ledger.pending("creating", resource):
            try:
                resource.id, outputs = self._tried(
                    goal, resource, "create", lambda: within(limit_s, lambda: handler.create(context, inputs), what)
                )
            except OverdueError as error:
                error.where = goal.where
                raise
            except Exception as error:
                self._after_failure(resource, handler, error, done=done, keep=keep)
                cause = error.cause if isinstance(error, PartlyCreatedError) else error
                raise cause from error
            finally:
                CHANGED.reset(told)
        resource.outputs = self.sealed(resource, handler, outputs)
        resource.created = resource.modified = utc_iso()

    def _after_failure(
        self, resource: ResourceState, handler: ResourceType, error: Exception, *, done: list[str], keep: bool
    ) -> None:
        """What a failed creation leaves: nothing, or a resource that the next deployment replaces.

        Without an answer, nobody knows: then the pending operation stays, and the next deployment looks.
        """
        if isinstance(error, PartlyCreatedError):
            resource.id = error.resource_id
        elif done:
            try:
                found = self._found(handler, resource)
            except CannotTellError:
                return
            if found is None:
                return
            resource.id, resource.outputs = found
        elif isinstance(error, BotoCoreError):
            return
        else:
            self.ledger.drop_pending(resource.urn)
            return
        resource.initErrors = [self.hidden.clean(in_words("create", error))]
        resource.outputs = self.sealed(resource, handler, plain(resource.outputs) or plain(resource.inputs))
        self.ledger.add(resource, keep=keep)

    def _import(
        self, goal: Goal, resource: ResourceState, old: ResourceState | None, handler: ResourceType
    ) -> ResourceState:
        """Take an existing resource into the stack; what the program says of it must be so already.

        Raises:
            ProviderError: there is none with this id.
            ProgramError: the program says something else than what is there.
        """
        with self.step("read", resource, Detail(message=f"import {goal.import_id}"), where=goal.where):
            found = handler.read(self.context(resource), goal.import_id, None)
            if found is None:
                raise ProviderError(f"nothing to import: no {goal.type} with id {goal.import_id!r}", where=goal.where)
            asked = with_ignored(found, resource.inputs, goal.ignore_changes)
            resource.inputs = self._check(goal, resource, asked, found)
            there = {key: found[key] for key in asked if key in found}
            wanted = {key: sealed_like(plain(value), value) for key, value in asked.items() if key in found}
            wrong = property_changes(there, wanted, json_keys=handler.json_keys)
            if wrong:
                lines = [f"  {c.path}: the program says {c.new!r}, the resource has {c.old!r}" for c in wrong]
                raise ProgramError(
                    f"inputs to import do not match the existing resource {goal.import_id}:\n" + "\n".join(lines),
                    where=goal.where,
                    hint="make the program say what is there, import, and change it afterwards",
                )
        resource.id = resource.importID = goal.import_id
        resource.outputs = self.sealed(resource, handler, found)
        resource.created = resource.modified = utc_iso()
        self.ledger.add(resource, over=old, keep=old is not None and not old.external)
        return resource


def _may_be_there(error: CannotTellError) -> str:
    return f"an interrupted deployment may have made one already, look for it by hand: {error}"
