"""One deployment: answers the program's requests, then deletes what the program no longer has."""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from harness.clock import utc_iso
from harness.deploy.engine.assets import with_hashes
from harness.deploy.engine.diff import changes
from harness.deploy.engine.dynamic import DynamicPlugin
from harness.deploy.engine.goal import Goal, inherited_aliases, read_goal
from harness.deploy.engine.ledger import Ledger
from harness.deploy.engine.program import Project
from harness.deploy.engine.stacks import Stacks
from harness.deploy.engine.state import ResourceState
from harness.deploy.engine.steps import PARALLEL, Steps, protected
from harness.deploy.engine.targeting import Targeting
from harness.deploy.engine.transforms import Transforms
from harness.deploy.engine.urn import STACK_TYPE, make_urn
from harness.deploy.engine.values import Secret, Value, has_unknown, plain
from harness.errors import BlackstartError, ProgramError, ProviderError


@dataclass(slots=True)
class Deployment:
    """The engine's side of one run of the program. Safe from any thread; the first failure ends it."""

    project: Project
    ledger: Ledger
    steps: Steps
    stacks: Stacks
    transforms: Transforms
    dynamic: DynamicPlugin
    targeting: Targeting = field(default_factory=Targeting)
    failure: BlackstartError | None = None
    outputs: dict[str, Value] = field(default_factory=dict)
    unsupported: dict[str, str] = field(default_factory=dict)  # type → where it is first used
    messages: list[str] = field(default_factory=list)
    _goals: dict[str, Goal] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def register(self, request: Any) -> tuple[ResourceState, bool]:  # a RegisterResourceRequest
        """Bring one resource to what the program asks; returns it and whether its outputs are complete.

        Raises:
            BlackstartError: this request or an earlier one failed.
        """
        self.go_on()
        request = self.transforms.registration(request, stack=self.project.stack, project=self.project.name)
        goal = self._inherit(read_goal(request, stack=self.project.stack, project=self.project.name))
        with self._lock:
            if goal.urn in self._goals:
                raise ProgramError(
                    f"duplicate URN {goal.urn}",
                    where=" and ".join(sorted((goal.source, self._goals[goal.urn].source))),  # they come together
                    hint="give one of the two another name",
                )
            self._goals[goal.urn] = goal
            old = self._old(goal)
        if goal.remote:
            return self._unsupported(goal, ResourceState(urn=goal.urn, type=goal.type, custom=False)), False
        resource = self._wanted(goal)
        if not goal.custom:
            return self._component(resource, old), True
        if resource.is_provider:
            return self._provider(resource, old), True
        if not self.targeting.selects(goal, old):
            return self._left_alone(goal, old), old is not None
        self.targeting.refuse_missing(goal)
        if goal.type not in self.steps.registry.resources:
            return self._unsupported(goal, resource), False
        resource.provider = goal.provider or self.default_provider(goal.package, goal.version)
        return self.steps.apply(goal, resource, old), not self.ledger.dry_run

    def register_outputs(self, urn: str, outputs: dict[str, Value]) -> None:
        """The outputs that a component, or the stack itself, declares."""
        resource = self.ledger.news.get(urn)
        if resource is None:
            return
        before = self.ledger.olds[urn].outputs if urn in self.ledger.olds else {}
        if self.targeting.left_out and not self.ledger.dry_run:  # what they depend on was left out
            outputs = {key: before.get(key) if has_unknown(value) else value for key, value in outputs.items()}
        resource.outputs = {key: value for key, value in outputs.items() if value is not None}
        if resource.type == STACK_TYPE:
            self.outputs = resource.outputs
        if resource.outputs != before:
            self.ledger.add(resource)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Around all of it: the state is on disk afterwards, and no process of ours is left."""
        try:
            with self.ledger.kept():
                yield
        finally:
            self.dynamic.stop()
            self.transforms.callbacks.close()

    def go_on(self) -> None:
        """Return unless the deployment has failed.

        Raises:
            BlackstartError: what made it fail.
        """
        if self.failure is not None:
            raise self.failure

    def refuse(self, token: str, where: str) -> ProgramError:
        """The error for a type or function that is not built in, with those met before."""
        with self._lock:
            self.unsupported.setdefault(token, where)
        return self.unsupported_error() or ProgramError(token)

    def fail(self, error: BlackstartError) -> None:
        """Keep the first failure; later ones follow from it."""
        with self._lock:
            if self.failure is None:
                self.failure = error

    def delete_condemned(self, *, everything: bool = False) -> None:
        """Delete replaced copies and what the program no longer has, dependents first, independent ones together.

        Raises:
            BlackstartError: one could not be deleted; the others of its layer are done.
        """
        left = self.targeting.condemned(self.ledger, everything=everything)
        guarded = [old for old in left if old.protect and not old.delete]
        if guarded:
            raise protected(guarded)
        if not self.targeting.only:
            self.steps.delete_interrupted()
        going = {old.urn for old in left if not old.delete}
        with ThreadPoolExecutor(PARALLEL, thread_name_prefix="delete") as pool:
            while left:
                needed = {urn for old in left for urn in old.needs()}
                layer = [old for old in left if old.urn not in needed] or left[-1:]
                for done in [pool.submit(self.steps.delete, o, gone_with=o.deletedWith in going) for o in layer]:
                    done.result()
                left = [old for old in left if old not in layer]

    def default_provider(self, package: str, version: str) -> str:
        """The reference `<urn>::<id>` of the package's default provider, made when first needed.

        Raises:
            ProgramError: the configuration has turned it off.
        """
        off = re.findall(r"[\w*-]+", self.project.config.get("pulumi:disable-default-providers", ""))
        if package in off or "*" in off:
            raise ProgramError(
                f"the default provider of {package} is turned off",
                where="pulumi:disable-default-providers",
                hint="give each resource and each data source an explicit provider",
            )
        name = f"default_{version}".translate(str.maketrans(".-+", "___")) if version else "default"
        kind = f"pulumi:providers:{package}"
        urn = make_urn(self.project.stack, self.project.name, "", kind, name)
        with self._lock:
            if urn not in self.ledger.news:
                inputs: dict[str, Value] = {
                    key.split(":", 1)[1]: Secret(value) if key in self.project.secret_keys else value
                    for key, value in self.project.config.items()
                    if key.startswith(f"{package}:")
                }
                if version:
                    inputs["version"] = version
                resource = ResourceState(urn=urn, type=kind, custom=True, inputs=inputs)
                self._provider(resource, self.ledger.olds.get(urn))
            return f"{urn}::{self.ledger.news[urn].id}"

    def _hashed(self, goal: Goal) -> dict[str, Value]:
        """The inputs with hashes of their files.

        Raises:
            ProgramError: a file cannot be read; with the place in the program.
        """
        try:
            hashed: dict[str, Value] = with_hashes(dict(goal.inputs), self.project.folder)
        except ProgramError as error:
            error.what, error.where = f"{error.where}: {error.what}" if error.where else error.what, goal.where
            raise
        return hashed

    def _wanted(self, goal: Goal) -> ResourceState:
        return ResourceState(
            urn=goal.urn,
            type=goal.type,
            custom=goal.custom,
            parent=goal.parent,
            inputs=self._hashed(goal),
            dependencies=list(goal.dependencies),
            propertyDependencies=dict(goal.property_dependencies),
            protect=bool(goal.protect),
            retainOnDelete=bool(goal.retain_on_delete),
            deletedWith=goal.deleted_with,
            additionalSecretOutputs=list(goal.additional_secret_outputs),
            customTimeouts=dict(goal.timeouts_s),
            ignoreChanges=list(goal.ignore_changes),
            replaceOnChanges=list(goal.replace_on_changes),
            replacementTrigger=goal.replacement_trigger,
            resourceHooks={moment: list(names) for moment, names in goal.hooks.items()},
            sourcePosition=goal.source,
        )

    def _inherit(self, goal: Goal) -> Goal:
        """Options that children take from their parent: provider, protect, retainOnDelete, deletedWith."""
        parent = self._goals.get(goal.parent)
        if parent is not None and parent.aliases:
            goal = replace(goal, aliases=(*goal.aliases, *inherited_aliases(goal, parent.name, parent.aliases)))
        providers = {**(parent.providers if parent else {}), **goal.providers}
        provider = goal.provider or (providers.get(goal.package, "") if goal.custom else "")
        if parent is None:
            return replace(goal, provider=provider, providers=providers)
        return replace(
            goal,
            providers=providers,
            provider=provider,
            protect=parent.protect if goal.protect is None else goal.protect,
            retain_on_delete=parent.retain_on_delete if goal.retain_on_delete is None else goal.retain_on_delete,
            deleted_with=goal.deleted_with or parent.deleted_with,
        )

    def _left_alone(self, goal: Goal, old: ResourceState | None) -> ResourceState:
        """What `--only-resource` does not select: kept as it was, or not created."""
        kept = self.targeting.leave(goal, old)
        if old is not None:
            self.ledger.add(kept, changed=False)
        return kept

    def known_urns(self) -> set[str]:
        """Every resource of the stack or of the program as far as it ran."""
        return {*self._goals, *self.ledger.olds}

    def _old(self, goal: Goal) -> ResourceState | None:
        for urn in (goal.urn, *goal.aliases):
            old = self.ledger.olds.get(urn)
            if old is not None and not old.external and (urn == goal.urn or urn not in self._goals):
                if urn != goal.urn:
                    self.ledger.renamed[urn] = goal.urn
                return old
        return None

    def _component(self, resource: ResourceState, old: ResourceState | None) -> ResourceState:
        resource.created = old.created if old else utc_iso()
        resource.modified = resource.created
        resource.outputs = dict(old.outputs) if old else {}
        self.ledger.add(resource, changed=old is None or old.urn != resource.urn, over=old)
        self.steps.tell("create" if old is None else "same", resource, "done")
        return resource

    def _provider(self, resource: ResourceState, old: ResourceState | None) -> ResourceState:
        resource.id = old.id if old else str(uuid.uuid4())
        same = old is not None and not changes(plain(old.inputs), plain(resource.inputs))
        resource.created = old.created if old else utc_iso()
        resource.modified = old.modified if old is not None and same else utc_iso()
        resource.outputs = dict(resource.inputs)
        self.ledger.add(resource, changed=old is None or not same or old.urn != resource.urn, over=old)
        if not resource.name.startswith("default"):
            self.steps.tell("same" if same else "create" if old is None else "update", resource, "done")
        return resource

    def _unsupported(self, goal: Goal, resource: ResourceState) -> ResourceState:
        """In a preview, note the type and go on, so that one error can name them all."""
        with self._lock:
            self.unsupported.setdefault(goal.type, goal.where)
        if not self.ledger.dry_run:
            raise self.unsupported_error() or ProviderError(goal.type)
        return resource

    def unsupported_error(self) -> ProgramError | None:
        """One error that names every unsupported type, None when there is none."""
        if not self.unsupported:
            return None
        lines = [f"  {kind}  at {where}" for kind, where in sorted(self.unsupported.items())]
        return ProgramError(
            "the embedded engine does not support these types; nothing was created:\n" + "\n".join(lines),
            hint=f"{self._hints()}; or use --engine pulumi",
        )

    def _hints(self) -> str:
        """What to do about each type; what holds for several is said once."""
        types: dict[str, list[str]] = {}
        for kind in self.unsupported:
            types.setdefault(self.steps.registry.hint(kind), []).append(kind)
        return "; ".join(f"{', '.join(kinds)}: {hint}" for hint, kinds in types.items())
