"""What all AWS resource types share: validation, defaults, names, tags and the shape of their outputs.

A new type is a short class: a token, a service, the names of its operations, and the few places where
Pulumi's words are not AWS's. See `docs/adding-a-resource.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from harness.deploy.providers.aws.calls import call
from harness.deploy.providers.aws.schema.model import ResourceSchema, schema_of
from harness.deploy.providers.aws.shapes import NO_RENAMES, Renames, to_properties
from harness.deploy.providers.aws.tags import Tagging
from harness.deploy.providers.resource import ProviderContext, ResourceType

Properties = dict[str, Any]
"""Property values by Pulumi's names; what they may be is in `schema/types.json`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """How a type names itself when the program does not: Pulumi's logical name, a dash and seven hex digits."""

    property: str = "name"
    limit: int = 255
    lower: bool = False
    prefix: str = ""


class AwsResource(ResourceType):
    """One resource type of AWS. A subclass says what to call; checking, naming, tags and outputs are done here.

    A subclass implements `make`, `observe`, `change` and `remove`, in AWS's words; the engine's `create`, `read`,
    `update` and `delete` are made of these. All four may raise botocore's ClientError.
    """

    service: ClassVar[str]
    defaults: ClassVar[Mapping[str, Any]] = {}
    naming: ClassVar[Naming | None] = None
    tagging: ClassVar[Tagging | None] = None
    renames: ClassVar[Renames] = NO_RENAMES

    def make(self, ctx: ProviderContext, inputs: Properties) -> str:
        """Create the resource and return its id."""
        raise NotImplementedError

    def observe(self, ctx: ProviderContext, identity: str, inputs: Properties) -> Properties | None:
        """The properties that AWS reports; None (or a "not found" error) when there is no such resource."""
        raise NotImplementedError

    def change(self, ctx: ProviderContext, identity: str, change: Change) -> None:
        """Bring the resource from `change.old` to `change.new`; properties of `replace_on` never change here."""
        raise NotImplementedError

    def remove(self, ctx: ProviderContext, identity: str, state: Properties) -> None:
        """Delete the resource; "not found" is caught by the caller."""
        raise NotImplementedError

    @property
    def schema(self) -> ResourceSchema:
        """The names and types of this resource's properties."""
        return schema_of(self.token)

    def client(self, ctx: ProviderContext) -> Any:
        """The boto3 client of this type's service, in the resource's region."""
        return ctx.client(self.service)

    def call(
        self, ctx: ProviderContext, operation: str, properties: Mapping[str, Any], **fixed: Any
    ) -> dict[str, Any]:
        """Call `operation` with what it takes of `properties`, under this type's renames, and `fixed` as it is."""
        return call(self.client(ctx), operation, properties, self.renames, **fixed)

    def observed(self, response: Mapping[str, Any]) -> Properties:
        """What `response` says about this type's inputs and outputs, by Pulumi's names."""
        kinds = {**(self.schema.inputs.properties or {}), **self.schema.outputs}
        return to_properties(kinds, response, self.renames)

    def tags(self, ctx: ProviderContext, inputs: Mapping[str, Any]) -> dict[str, str]:
        """The resource's tags over the provider's default tags: what `tagsAll` reports."""
        return {**ctx.default_tags, **(inputs.get("tags") or {})}
