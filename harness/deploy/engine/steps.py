"""Steps on resources: what a goal asks is compared with what there is, and the right step taken.

Each is on disk before it starts and after it ended. Semantics as Pulumi documents them: check → diff → step; a
replacement is created before the old one is deleted unless the program or the type says otherwise, and its inputs
are checked again without the old ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from harness.clock import utc_iso
from harness.deploy.engine.acting import protected
from harness.deploy.engine.comparison import Comparison, compare, difference
from harness.deploy.engine.creation import Creations
from harness.deploy.engine.diff import with_ignored
from harness.deploy.engine.goal import Goal
from harness.deploy.engine.instances import read_configuration
from harness.deploy.engine.operations import PARALLEL, within
from harness.deploy.engine.selection import Selection
from harness.deploy.engine.state import ResourceState
from harness.deploy.engine.urn import short
from harness.deploy.engine.values import Value, has_unknown, plain
from harness.deploy.providers.resource import ResourceType
from harness.errors import ProgramError

__all__ = ["PARALLEL", "Steps", "protected"]


@dataclass(slots=True, kw_only=True)
class Steps(Creations):
    """Carries out steps for one deployment. Safe from any thread."""

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
