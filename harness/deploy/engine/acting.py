"""What every step needs: a handler in its context, checked inputs, sealed outputs; reading and deleting."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from botocore.exceptions import BotoCoreError, ClientError

from harness.deploy.engine.autonaming import Autonaming
from harness.deploy.engine.detail import every
from harness.deploy.engine.events import Detail
from harness.deploy.engine.goal import Goal
from harness.deploy.engine.hooks import Hooks
from harness.deploy.engine.instances import Instances
from harness.deploy.engine.operations import Operations, Result, within
from harness.deploy.engine.state import ResourceState
from harness.deploy.engine.urn import short
from harness.deploy.engine.values import Secret, Value, has_secret, plain, sealed_like
from harness.deploy.providers.resource import CheckError, Context, Registry, ResourceType
from harness.errors import ProgramError, ProviderError


@dataclass(slots=True, kw_only=True)
class Acting(Operations):
    """The means of one deployment. Safe from any thread."""

    registry: Registry
    instances: Instances
    hooks: Hooks
    naming: Autonaming = field(default_factory=Autonaming)

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

    def _name(self, kind: str, name: str) -> str | None:
        pattern = self.naming.pattern(kind)
        return self.naming.expand(pattern, name) if pattern else pattern

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
