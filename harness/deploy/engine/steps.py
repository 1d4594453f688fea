"""Steps on resources: create, update, replace, delete, read. Each is on disk before it starts and after it ended.

Semantics as Pulumi documents them: check → diff → step; a replacement is created before the old one is deleted
unless the program or the type says otherwise, and its inputs are checked again without the old ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from harness.clock import utc_iso
from harness.deploy.engine.autonaming import Autonaming
from harness.deploy.engine.clients import CHANGED
from harness.deploy.engine.comparison import Comparison, compare, difference
from harness.deploy.engine.detail import every, property_changes
from harness.deploy.engine.diff import with_ignored
from harness.deploy.engine.events import Detail, Operation
from harness.deploy.engine.goal import Goal
from harness.deploy.engine.hooks import Hooks
from harness.deploy.engine.instances import Instances, read_configuration
from harness.deploy.engine.operations import PARALLEL, Operations, OverdueError, Result, in_words, within
from harness.deploy.engine.selection import Selection
from harness.deploy.engine.state import ResourceState
from harness.deploy.engine.urn import short
from harness.deploy.engine.values import Secret, Value, has_secret, has_unknown, plain, sealed_like
from harness.deploy.providers.resource import CheckError, Context, PartlyCreatedError, Registry, ResourceType
from harness.errors import ProgramError, ProviderError

__all__ = ["PARALLEL", "Steps"]


@dataclass(slots=True, kw_only=True)
class Steps(Operations):
    """Carries out steps for one deployment. Safe from any thread."""

    registry: Registry
    instances: Instances
    hooks: Hooks
    naming: Autonaming = field(default_factory=Autonaming)
    replaced: set[str] = field(default_factory=set)
    replace: Selection = field(default_factory=Selection)  # what --replace names

    def apply(self, goal: Goal, resource: ResourceState, old: ResourceState | None) -> ResourceState:
        """Make the resource as the goal wants it; `resource` has the goal's options and the raw inputs.

        Raises:
            ProgramError: the inputs cannot be accepted, or a protected resource would be replaced.
            ProviderError: AWS refused an operation.
        """
        handler = self._handler(resource.type)
        unsure = self.ledger.unsure.get(old.urn) if old is not None and not self.dry_run else None
        if old is not None and unsure is not None and not self._still_there(old, handler):
            old = None
        known = (old.importID or old.id) if old is not None else ""
        if goal.import_id and goal.import_id != known:
            return self._import(goal, resource, old, handler)
        if old is None:
            return self._create_new(goal, resource)
        if goal.ignore_changes:
            resource.inputs = with_ignored(old.inputs, resource.inputs, goal.ignore_changes)
        asked = dict(resource.inputs)
        resource.inputs = self._check(goal, resource, asked, old.inputs)
        found = compare(goal, resource, old, handler, self.context(resource))
        reasons = self._forced(goal, resource, old) or list(found.reasons)
        if reasons:
            return self._replace(goal, resource, old, asked, replace(found, reasons=tuple(reasons)))
        resource.id, resource.created, resource.modified = old.id, old.created, old.modified
        if found.changed or unsure is not None:
            return self._update(goal, resource, old, unsure if not found.changed else None)
        resource.outputs = self.sealed(resource, handler, plain(old.outputs))
        self.count("same")
        self.ledger.add(resource, changed=old.urn != resource.urn, over=old)
        self.tell("same", resource, "done")
        return resource

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
        context = replace(
            context,
            known_ids=lambda: self.ledger.known_ids(resource.type),
            named_by=lambda name: self._name(resource.type, name),
        )
        region = plain(resource.inputs.get("region"))
        return context.in_region(region) if isinstance(region, str) else context

    def read(self, resource: ResourceState, resource_id: str) -> ResourceState:
        """An existing resource, for `.get`.

        Raises:
            ProviderError: there is none with this id.
        """
        handler, context = self._handler(resource.type), self.context(resource)
        with self.step("read", resource):
            found = handler.read(context, resource_id, plain(resource.inputs) or None)
            if found is None:
                raise ProviderError(
                    f"there is no {resource.type} with id {resource_id!r} to read",
                    where=resource.urn,
                    hint="`.get` finds what exists already on the target; check the id and the region",
                )
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
            raise protected([old])
        kept = old.external or old.retainOnDelete or gone_with or not old.custom or old.is_provider or not old.id
        stays = kept and old.custom and not old.is_provider and bool(old.id)
        detail = Detail(
            message="kept on AWS" if stays else "", changes=() if old.delete else every(old.inputs, "delete")
        )
        self.hooks.run("before_delete", old.resourceHooks, new=None, old=old, dry_run=self.dry_run)
        with self.step("delete", old, detail):
            if not kept and not self.dry_run:
                handler, limit_s = self._handler(old.type), old.customTimeouts.get("delete")
                context, state = self.context(old, limit_s), plain({**old.inputs, **old.outputs})
                with self.ledger.pending("deleting", old):
                    within(limit_s, lambda: handler.delete(context, old.id, state), f"delete of {short(old.urn)}")
        self.ledger.forget(old)
        self.hooks.run("after_delete", old.resourceHooks, new=None, old=old, dry_run=self.dry_run)

    def delete_interrupted(self) -> None:
        """Delete what a killed deployment had begun to create and this one has not taken up."""
        for begun in [] if self.dry_run else list(self.ledger.interrupted.values()):
            handler = self.registry.resources.get(begun.type)
            if handler is not None and (found := self._found(handler, begun)) is not None:
                begun.id, begun.outputs = found
                with self.step("delete", begun, Detail(message="left by an interrupted deployment")):
                    handler.delete(self.context(begun), begun.id, plain({**begun.inputs, **begun.outputs}))
            self.ledger.drop_pending(begun.urn)

    def _name(self, kind: str, name: str) -> str | None:
        pattern = self.naming.pattern(kind)
        return self.naming.expand(pattern, name) if pattern else pattern

    # -- decisions -------------------------------------------------------------------------------------------

    def _handler(self, token: str) -> ResourceType:
        return self.registry.resources[token]

    def _check(
        self, goal: Goal, resource: ResourceState, asked: Mapping[str, Value], olds: Mapping[str, Value] | None
    ) -> dict[str, Value]:
        handler, context = self._handler(resource.type), self.context(resource)
        self.hidden.note(dict(asked))
        try:
            checked = handler.check(context, plain(dict(asked)), None if olds is None else plain(dict(olds)))
        except CheckError as error:
            problems = "; ".join(f"{path} {reason}" for path, reason in error.failures)
            raise ProgramError(self.hidden.clean(f"{short(goal.urn)}: {problems}"), where=goal.where) from error
        resource.defaulted = sorted(checked.keys() - {key for key, value in asked.items() if value is not None})
        return {key: sealed_like(value, asked.get(key)) for key, value in checked.items()}

    def _forced(self, goal: Goal, resource: ResourceState, old: ResourceState) -> list[str]:
        """Reasons for a new resource that lie outside its inputs."""
        if self.ledger.is_forgotten(old) or old.pendingReplacement:
            return ["what it depends on is replaced"]
        if old.initErrors:
            return ["its creation was not finished"]
        if self.replace.names(goal.urn):
            return ["--replace"]
        if any(urn in self.replaced for urn in goal.replace_with):
            return ["replaceWith"]
        trigger = goal.replacement_trigger
        if trigger is not None and (has_unknown(trigger) or plain(trigger) != plain(old.replacementTrigger)):
            return ["replacementTrigger"]
        return self._moved(resource, old)

    def _moved(self, resource: ResourceState, old: ResourceState) -> list[str]:
        """Another provider: Pulumi replaces, unless both are default ones for the same region."""
        (urn, _, _), (before, _, _) = resource.provider.rpartition("::"), old.provider.rpartition("::")
        before = self.ledger.renamed.get(before, before)
        both_default = all(ref.rpartition("::")[2].startswith("default") for ref in (urn, before))
        if before and urn != before and not both_default:
            return ["provider"]
        return [] if self._region(resource) == self._region(old) else ["region"]

    def _region(self, resource: ResourceState) -> Any:
        """The region it is in: its own `region`, else its provider's, else the target's."""
        own = plain(resource.inputs.get("region"))
        if isinstance(own, str):
            return own
        provider = self.ledger.find(resource.provider.rsplit("::", 1)[0])
        settings = read_configuration(provider.inputs) if provider else {}
        return settings.get("region") or self.instances.target.region

    def _still_there(self, old: ResourceState, handler: ResourceType) -> bool:
        """False, and forgotten, when an operation that was cut short turns out to have deleted it."""
        if handler.read(self.context(old), old.id, plain(old.inputs)) is not None:
            return True
        self.ledger.forget(old)
        return False

    # -- operations ------------------------------------------------------------------------------------------

    def _create_new(self, goal: Goal, resource: ResourceState) -> ResourceState:
        begun = self.ledger.interrupted.get(goal.urn)
        resource.inputs = self._check(goal, resource, resource.inputs, begun.inputs if begun else None)
        detail = Detail(changes=every(resource.inputs, "add"))
        return self._taken_up(goal, resource, "create") or self._create(goal, resource, "create", detail)

    def _taken_up(
        self, goal: Goal, resource: ResourceState, op: Operation, *, keep: bool = False
    ) -> ResourceState | None:
        """What a killed deployment had already created under the same name, brought to what is wanted now."""
        begun = self.ledger.interrupted.get(goal.urn)
        handler = self._handler(resource.type)
        if begun is None or self.dry_run:
            return None
        found = self._found(handler, begun)
        if found is None:
            return None
        detail = Detail(message="taken up after an interrupted deployment")
        limit_s = goal.timeouts_s.get("create")
        with self.step(op, resource, detail, where=goal.where):
            resource.id, outputs = found
            if plain(begun.inputs) != plain(resource.inputs):
                context = self.context(resource, limit_s)
                outputs = handler.update(context, resource.id, plain(begun.inputs), plain(resource.inputs))
            resource.outputs = self.sealed(resource, handler, outputs)
            resource.created = resource.modified = utc_iso()
            self.ledger.add(resource, keep=keep)
        self.ledger.interrupted.pop(goal.urn)
        return resource

    def _found(self, handler: ResourceType, begun: ResourceState) -> tuple[str, dict[str, Value]] | None:
        """Id and outputs of what was begun to be created, None when AWS has nothing of it."""
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
            found = self._found(handler, resource)
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

    def _update(
        self, goal: Goal, resource: ResourceState, old: ResourceState, unsure: ResourceState | None
    ) -> ResourceState:
        """`unsure` is what an update that was cut short wanted, when the inputs are those of before it."""
        handler, limit_s = self._handler(resource.type), goal.timeouts_s.get("update")
        context, before = self.context(resource, limit_s), plain((unsure or old).inputs)
        detail = difference(goal, resource, old, handler)
        self.hooks.run("before_update", goal.hooks, new=resource, old=old, dry_run=self.dry_run)
        with self.step("update", resource, detail, where=goal.where):
            if self.dry_run:
                resource.outputs = {**old.outputs, **resource.inputs}
            else:
                after = plain(resource.inputs)
                with self.ledger.pending("updating", resource):
                    outputs = self._tried(
                        goal,
                        resource,
                        "update",
                        lambda: within(
                            limit_s,
                            lambda: handler.update(context, old.id, before, after),
                            f"update of {short(goal.urn)}",
                        ),
                    )
                resource.outputs = self.sealed(resource, handler, outputs)
                resource.modified = utc_iso()
            self.ledger.add(resource, over=old)
        self.hooks.run("after_update", goal.hooks, new=resource, old=old, dry_run=self.dry_run)
        return resource

    def _replace(
        self, goal: Goal, resource: ResourceState, old: ResourceState, asked: Mapping[str, Value], found: Comparison
    ) -> ResourceState:
        if old.protect and goal.protect is not False:
            raise ProgramError(
                f"{short(goal.urn)} is protected and would be replaced ({', '.join(found.reasons)})",
                where=goal.where,
                hint="take protect=True out of the program and run up, then make the change",
            )
        handler = self._handler(resource.type)
        begun = self.ledger.interrupted.get(goal.urn)
        resource.inputs = self._check(goal, resource, asked, begun.inputs if begun else None)
        detail = replace(difference(goal, resource, old, handler), reasons=found.reasons)
        self.replaced.add(goal.urn)
        if self._deletes_first(goal, old, asked, found):
            self._delete_with_dependents(old)
        keep = not self.ledger.is_forgotten(old)
        taken_up = self._taken_up(goal, resource, "replace", keep=keep)
        return taken_up or self._create(goal, resource, "replace", detail, keep=keep)

    def _deletes_first(self, goal: Goal, old: ResourceState, asked: Mapping[str, Value], found: Comparison) -> bool:
        """Whether the old one goes before the new one is made: as the program says, else as the type needs it.

        An explicit name cannot be there twice. Source: pulumi-terraform-bridge, nameRequiresDeleteBeforeReplace.
        """
        if goal.delete_before_replace is not None:
            return goal.delete_before_replace
        handler = self._handler(goal.type)
        named = bool(handler.named) and asked.get(handler.named) is not None
        return handler.delete_before_replace or found.delete_before_replace or named or bool(old.initErrors)

    def _delete_with_dependents(self, old: ResourceState) -> None:
        going = [old, *self._replaced_along(old)]
        guarded = [dependent for dependent in going[1:] if dependent.protect]
        if guarded:
            raise protected(guarded)
        urns = {gone.urn for gone in going}
        for gone in reversed(going):
            if not self.ledger.is_forgotten(gone):
                self.delete(gone, gone_with=gone.deletedWith in urns)
            gone.pendingReplacement = True

    def _replaced_along(self, first: ResourceState) -> list[ResourceState]:
        """What must go before `first` can be deleted: dependents that a new `first` would replace as well."""
        found = [first]
        for resource in found:
            for dependent in self.ledger.dependents(resource.urn):
                if not dependent.custom or dependent.is_provider or dependent.external or dependent in found:
                    continue
                keys = {key for key, urns in dependent.propertyDependencies.items() if resource.urn in urns}
                by_program = {"*", *keys} & {selector.split(".")[0] for selector in dependent.replaceOnChanges}
                if keys & self._handler(dependent.type).replace_on or by_program:
                    found.append(dependent)
        return found[1:]

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

    def _tried(self, goal: Goal, resource: ResourceState, operation: str, work: Callable[[], Result]) -> Result:
        """What `work` returns; an operation that failed is repeated as long as an error hook wants it."""
        while True:
            try:
                return work()
            except (ClientError, BotoCoreError, ProviderError) as error:
                if not self.hooks.retries(goal.hooks, resource, operation, str(error)):
                    raise

    def sealed(
        self, resource: ResourceState, handler: ResourceType, outputs: Mapping[str, Value]
    ) -> dict[str, Value]:
        """`outputs` with a secret around each that is one: by type, by option, or because its input was one."""
        secret = set(handler.secret_outputs) | set(resource.additionalSecretOutputs)
        sealed = {
            key: Secret(plain(value))
            if key in secret and value is not None
            else sealed_like(value, resource.inputs.get(key))
            for key, value in outputs.items()
        }
        if any(has_secret(value) for value in sealed.values()):
            self.hidden.note(sealed)
        return sealed


def _deletion(old: ResourceState, *, kept: bool) -> Detail:
    """What a deletion takes away; in words, when AWS keeps it."""
    stays = kept and old.custom and not old.is_provider and bool(old.id)
    return Detail(message="kept on AWS" if stays else "", changes=() if old.delete else every(old.inputs, "delete"))


def protected(resources: list[ResourceState]) -> ProgramError:
    """The refusal to delete what the program protects."""
    names = ", ".join(short(resource.urn) for resource in resources)
    return ProgramError(
        f"protected: {names}: it cannot be deleted",
        where=resources[0].urn,
        hint="take protect=True out of the program and run up, then try again",
    )
