"""What the types share that live in the checkpoint only: random values, commands, keys. No cloud knows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.schema.check import failures
from harness.deploy.providers.aws.schema.model import schema_of
from harness.deploy.providers.resource import CheckError, Context, Observation, Properties, ResourceType


class LocalType(ResourceType):
    """A type without a cloud. Subclasses implement `create`, and `adopt` where an import makes sense.

    Attributes:
        defaults: inputs that the real provider fills in.
    """

    defaults: ClassVar[Mapping[str, Any]] = {}

    def adopt(self, context: Context, resource_id: str) -> Properties | None:
        """The properties of an imported one; None where the id does not tell them."""
        del context, resource_id
        return None

    def check(self, context: Context, inputs: Properties, olds: Properties | None) -> Properties:
        """Against the SDK's own types, with defaults filled in."""
        del context, olds
        given = {key: value for key, value in inputs.items() if value is not None}
        wrong = tuple(failures(schema_of(self.token).inputs, given))
        if wrong:
            raise CheckError(wrong)
        return {**self.defaults, **given}

    def read(self, context: Context, resource_id: str, inputs: Properties | None) -> Properties | None:
        """What the checkpoint says: there is nowhere else to look."""
        if context.prior:
            return {**context.prior, **(inputs or {})}
        return self.adopt(context, resource_id)

    def observe(self, context: Context, resource_id: str, inputs: Properties) -> Observation | None:
        """As the checkpoint says: it cannot drift."""
        del context, resource_id
        return Observation({}, inputs)

    def update(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> Properties:
        """The outputs stay; only what the program says about them changes."""
        del resource_id, olds
        return {**context.prior, **news}

    def delete(self, context: Context, resource_id: str, state: Properties) -> None:
        """Nothing but the checkpoint knows of it."""
