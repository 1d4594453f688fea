"""Steps on resources: create, update, replace, delete, read. Each is on disk before it starts and after it ended.

Semantics as Pulumi documents them: check → diff → step; a replacement is created before the old one is deleted
unless the program or the type says otherwise, and its inputs are checked again without the old ones.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from threading import BoundedSemaphore
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from harness.clock import utc_iso
from harness.deploy.engine.detail import every, property_changes
from harness.deploy.engine.diff import changes, is_below, root, with_ignored
from harness.deploy.engine.events import PLAIN, Detail, Listener, Operation, Status, StepEvent, nobody
from harness.deploy.engine.goal import Goal
from harness.deploy.engine.instances import Instances, read_configuration
from harness.deploy.engine.ledger import Ledger
from harness.deploy.engine.selection import Selection
from harness.deploy.engine.state import ResourceState
from harness.deploy.engine.urn import short
from harness.deploy.engine.values import Secret, Value, has_secret, plain
from harness.deploy.providers.resource import CheckError, Context, Registry, ResourceType
from harness.errors import BlackstartError, ProgramError, ProviderError

PARALLEL = 16
"""Operations under way at once, as many as the real CLI's default on a machine with few cores."""


@dataclass(slots=True)
class Telling:
    """What the end of a step will tell."""

    op: Operation
    detail: Detail


@dataclass(slots=True)
class Steps:
    """Carries out steps for one deployment. Safe from any thread."""

    ledger: Ledger
    registry: Registry
    instances: Instances
    listen: Listener = nobody
    counts: dict[Operation, int] = field(default_factory=dict)
    replaced: set[str] = field(default_factory=set)
    planned: int = 0  # how many steps are expected in all; 0 where that is not known
    replace: Selection = field(default_factory=Selection)  # what --replace names
    _slots: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(PARALLEL))

    @property
    def dry_run(self) -> bool:
        """True for a preview: nothing is changed, on AWS or on disk."""
        return self.ledger.dry_run

    def apply(self, goal: Goal, resource: ResourceState, old: ResourceState | None) -> ResourceState:
        """Make the resource as the goal wants it; `resource` has the goal's options and the raw inputs.

        Raises:
            ProgramError: the inputs cannot be accepted, or a protected resource would be replaced.
            ProviderError: AWS refused an operation.
        """
        handler = self._handler(resource.type)
        context = self.context(resource, goal.timeouts_s.get("create"))
        if old is not None and goal.ignore_changes:
            resource.inputs = with_ignored(old.inputs, resource.inputs, goal.ignore_changes)
        asked = dict(resource.inputs)
        if goal.import_id and old is None:
            return self._import(goal, resource, handler, context)
        if old is None:
            return self._create_new(goal, resource, handler, context)
        resource.inputs = self._check(goal, handler, context, asked, old.inputs)
        changed = changes(plain(old.inputs), plain(resource.inputs), handler.json_keys)
        reasons = self._replace_reasons(goal, resource, old, handler, set(changed))
        if reasons:
            return self._replace(goal, resource, old, asked, reasons)
        resource.id, resource.created, resource.modified = old.id, old.created, old.modified
        if not changed:
            resource.outputs = self.sealed(resource, handler, plain(old.outputs))
            return self._done("same", resource)
        return self._update(goal, resource, old)

    def context(self, resource: ResourceState, timeout_s: float | None = None) -> Context:
        """The context of an operation on `resource`, under its own provider and its own `region`."""
        provider = self.ledger.find(resource.provider.rsplit("::", 1)[0])
        old = self.ledger.olds.get(resource.urn)
        context = self.instances.context(
            provider.inputs if provider else {},
            urn=resource.urn,
            timeout_s=timeout_s,
            prior=plain({**old.inputs, **old.outputs}) if old else {},
        )
        region = plain(resource.inputs.get("region"))
        return context.in_region(region) if isinstance(region, str) else context

    def read(self, resource: ResourceState, resource_id: str) -> ResourceState:
        """An existing resource, for `.get` and imports.

        Raises:
            ProviderError: there is none with this id.
        """
        handler, context = self._handler(resource.type), self.context(resource)
        with self.step("read", resource):
            found = handler.read(context, resource_id, None)
            if found is None:
                raise ProviderError(f"no {resource.type} with id {resource_id!r}", where=resource.urn)
        resource.id, resource.outputs = resource_id, self.sealed(resource, handler, found)
        return resource

    def delete(self, old: ResourceState, *, gone_with: bool = False) -> None:
        """Delete a resource of the last deployment and take it out of the checkpoint.

        `gone_with` says that AWS deletes it together with another one (`deletedWith`).

        Raises:
            ProgramError: it is protected.
            ProviderError: AWS refused.
        """
        if old.protect and not old.delete:
            raise ProgramError(
                f"{short(old.urn)} is protected", where=old.urn, hint="remove protect from the program"
            )
        kept = old.external or old.retainOnDelete or gone_with or not old.custom or old.is_provider or not old.id
        with self.step("delete", old, _deletion(old, kept=kept)):
            if not kept and not self.dry_run:
                handler = self._handler(old.type)
                context = self.context(old, old.customTimeouts.get("delete"))
                with self.ledger.pending("deleting", old):
                    handler.delete(context, old.id, plain({**old.inputs, **old.outputs}))
        self.ledger.forget(old)

    def _handler(self, token: str) -> ResourceType:
        return self.registry.resources[token]

    def _check(
        self,
        goal: Goal,
        handler: ResourceType,
        context: Context,
        asked: Mapping[str, Value],
        olds: Mapping[str, Value] | None,
    ) -> dict[str, Value]:
        try:
            checked = handler.check(context, plain(dict(asked)), None if olds is None else plain(dict(olds)))
        except CheckError as error:
            problems = "; ".join(f"{path} {reason}" for path, reason in error.failures)
            raise ProgramError(f"{short(goal.urn)}: {problems}", where=goal.where) from error
        return {key: Secret(value) if has_secret(asked.get(key)) else value for key, value in checked.items()}

    def _create_new(
        self, goal: Goal, resource: ResourceState, handler: ResourceType, context: Context
    ) -> ResourceState:
        """Create, or take up what a killed deployment had begun to create under the same name."""
        begun = self.ledger.interrupted.get(goal.urn)
        resource.inputs = self._check(goal, handler, context, resource.inputs, begun.inputs if begun else None)
        if begun is not None and not self.dry_run:
            found = handler.find(context, plain(resource.inputs))
            outputs = handler.read(context, found, plain(resource.inputs)) if found is not None else None
            if found is not None and outputs is not None:
                resource.id, resource.outputs = found, self.sealed(resource, handler, outputs)
                resource.created = resource.modified = utc_iso()
                return self._done("create", resource, "taken up after an interrupted deployment")
        return self._create(goal, resource, "create", Detail(changes=every(resource.inputs, "add")))

    def _create(
        self, goal: Goal, resource: ResourceState, op: Operation, detail: Detail, *, keep: bool = False
    ) -> ResourceState:
        handler, context = self._handler(resource.type), self.context(resource, goal.timeouts_s.get("create"))
        with self.step(op, resource, detail, where=goal.where):
            if self.dry_run:
                resource.outputs = dict(resource.inputs)
            else:
                with self.ledger.pending("creating", resource):
                    resource.id, outputs = handler.create(context, plain(resource.inputs))
                    resource.outputs = self.sealed(resource, handler, outputs)
                    resource.created = resource.modified = utc_iso()
            self.ledger.add(resource, keep=keep)
        return resource

    def _update(self, goal: Goal, resource: ResourceState, old: ResourceState) -> ResourceState:
        handler, context = self._handler(resource.type), self.context(resource, goal.timeouts_s.get("update"))
        with self.step("update", resource, self._difference(goal, resource, old), where=goal.where):
            if self.dry_run:
                resource.outputs = {**old.outputs, **resource.inputs}
            else:
                with self.ledger.pending("updating", old):
                    outputs = handler.update(context, old.id, plain(old.inputs), plain(resource.inputs))
                resource.outputs = self.sealed(resource, handler, outputs)
                resource.modified = utc_iso()
        self.ledger.add(resource)
        return resource

    def _replace(
        self, goal: Goal, resource: ResourceState, old: ResourceState, asked: Mapping[str, Value], reasons: list[str]
    ) -> ResourceState:
        if old.protect and goal.protect is not False:
            raise ProgramError(f"{short(goal.urn)} is protected and would be replaced", where=goal.where)
        handler, context = self._handler(resource.type), self.context(resource)
        resource.inputs = self._check(goal, handler, context, asked, None)
        detail = replace(self._difference(goal, resource, old), reasons=tuple(reasons))
        self.replaced.add(goal.urn)
        wanted = goal.delete_before_replace
        if handler.delete_before_replace if wanted is None else wanted:
            for dependent in reversed(self._replaced_along(old)):
                self.delete(dependent)
                dependent.pendingReplacement = True
            if not self.ledger.is_forgotten(old):
                self.delete(old)
        keep = not self.ledger.is_forgotten(old)
        return self._create(goal, resource, "replace", detail, keep=keep)

    def _replaced_along(self, first: ResourceState) -> list[ResourceState]:
        """What must go before `first` can be deleted: dependents that a new `first` would replace as well."""
        found = [first]
        for resource in found:
            for dependent in self.ledger.dependents(resource.urn):
                if not dependent.custom or dependent.is_provider or dependent in found:
                    continue
                keys = {key for key, urns in dependent.propertyDependencies.items() if resource.urn in urns}
                if keys & self._handler(dependent.type).replace_on:
                    found.append(dependent)
        return found[1:]

    def _replace_reasons(
        self, goal: Goal, resource: ResourceState, old: ResourceState, handler: ResourceType, changed: set[str]
    ) -> list[str]:
        """Why a new resource is needed: property paths, or words; nothing when it is not."""
        if self.ledger.is_forgotten(old) or old.pendingReplacement:
            return ["what it depends on is replaced"]
        if self.replace.names(goal.urn):
            return ["--replace"]
        reasons = sorted(path for path in changed if self._replaces(goal, handler, path))
        return reasons or ([] if self._region(resource) == self._region(old) else ["region"])

    def _replaces(self, goal: Goal, handler: ResourceType, path: str) -> bool:
        """True when a change at `path` alone asks for a new resource."""
        by_program = any(is_below(selector, path) for selector in goal.replace_on_changes)
        return by_program or root(path) in handler.replace_on

    def _difference(self, goal: Goal, resource: ResourceState, old: ResourceState) -> Detail:
        """What differs between the inputs of before and those of now."""
        handler = self._handler(resource.type)
        found = property_changes(
            old.inputs,
            resource.inputs,
            json_keys=handler.json_keys,
            replaces=lambda path: self._replaces(goal, handler, path),
        )
        return Detail(message=", ".join(change.path for change in found), changes=found)

    def _region(self, resource: ResourceState) -> Any:
        provider = self.ledger.find(resource.provider.rsplit("::", 1)[0])
        settings = read_configuration(provider.inputs) if provider else {}
        return settings.get("region") or self.instances.target.region

    def _import(self, goal: Goal, resource: ResourceState, handler: ResourceType, context: Context) -> ResourceState:
        with self.step("read", resource, Detail(message=f"import {goal.import_id}"), where=goal.where):
            found = handler.read(context, goal.import_id, None)
            if found is None:
                raise ProviderError(f"nothing to import: no {goal.type} with id {goal.import_id!r}", where=goal.where)
        resource.inputs = self._check(goal, handler, context, resource.inputs, found)
        resource.id, resource.importID = goal.import_id, goal.import_id
        resource.outputs = self.sealed(resource, handler, found)
        resource.created = resource.modified = utc_iso()
        self.ledger.add(resource)
        return resource

    def sealed(
        self, resource: ResourceState, handler: ResourceType, outputs: Mapping[str, Value]
    ) -> dict[str, Value]:
        """`outputs` with a secret around each that is one: by type, by option, or because its input was one."""
        secret = set(handler.secret_outputs) | set(resource.additionalSecretOutputs)
        secret |= {key for key, value in resource.inputs.items() if has_secret(value)}
        return {
            key: Secret(plain(value)) if key in secret and value is not None else value
            for key, value in outputs.items()
        }

    def _done(self, op: Operation, resource: ResourceState, message: str = "") -> ResourceState:
        self._count(op)
        self.ledger.add(resource, changed=op != "same")
        self.tell(op, resource, "done", Detail(message=message))
        return resource

    @contextmanager
    def step(
        self, op: Operation, resource: ResourceState, detail: Detail = PLAIN, *, where: str = ""
    ) -> Iterator[Telling]:
        """Around one operation: told, counted, timed, bounded in number, with AWS's errors put into words.

        What it yields may be changed by what is learnt on the way.
        """
        started_s = time.monotonic()
        told = Telling(op, detail)
        self.tell(op, resource, "started", detail)
        try:
            with self._slots:
                yield told
        except (ClientError, BotoCoreError) as error:
            self.tell(op, resource, "failed", replace(detail, message=str(error)))
            raise ProviderError(_in_words(op, resource, error), where=where or resource.urn) from error
        except BlackstartError as error:
            self.tell(op, resource, "failed", replace(detail, message=error.what))
            raise
        self._count(told.op)
        self.tell(told.op, resource, "done", told.detail, duration_s=time.monotonic() - started_s)

    def _count(self, op: Operation) -> None:
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


def _deletion(old: ResourceState, *, kept: bool) -> Detail:
    """What a deletion takes away; in words, when AWS keeps it."""
    stays = kept and old.custom and not old.is_provider and bool(old.id)
    return Detail(message="kept on AWS" if stays else "", changes=() if old.delete else every(old.inputs, "delete"))


def _in_words(op: str, resource: ResourceState, error: Exception) -> str:
    response: Mapping[str, Any] = getattr(error, "response", {})
    if "Error" not in response:
        return f"{op} of {short(resource.urn)} failed: {error}"
    operation = getattr(error, "operation_name", "")
    return f"{op} of {short(resource.urn)} failed in {operation}: {response['Error'].get('Code')}: " + str(
        response["Error"].get("Message", "")
    )
