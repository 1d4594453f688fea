"""What the AWS types of this package share: names, defaults, tags, and what "gone" means.

A new type is a short class: see docs/adding-a-resource.md.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any, ClassVar

from botocore.exceptions import BotoCoreError, ClientError

from harness.deploy.engine.values import UNKNOWN
from harness.deploy.providers.aws.calls import call, gone_is_fine, is_gone, lacks_said
from harness.deploy.providers.aws.observed import NOT_ON_AWS, comparable
from harness.deploy.providers.aws.schema.check import failures
from harness.deploy.providers.aws.schema.model import schema_of
from harness.deploy.providers.aws.search import Listing, find_listed, list_operation
from harness.deploy.providers.aws.shapes import NO_RENAMES, Renames
from harness.deploy.providers.aws.tags import Tagging
from harness.deploy.providers.resource import (
    CheckError,
    Context,
    Failure,
    Observation,
    PartlyCreatedError,
    Properties,
    ResourceType,
)
from harness.errors import ProviderError

_LINKS = frozenset({"vpcId", "subnetId", "instanceId"})
"""Inputs that hang a resource on something else."""


class AwsType(ResourceType):
    """One AWS type. Subclasses implement `make`, `look`, `change` and `remove` in AWS's words.

    Inputs are checked against the types of `pulumi_aws` before a subclass sees them.

    Attributes:
        service: boto3's name of the service, where it is not the word in the token.
        defaults: inputs that the real provider fills in.
        name_rules: `limit`, `lower`, `suffix` of that name.
        tagging: how the service tags; None for untagged types.
        tags_after: True where its creation takes no tags, or emulators forget those that it was given.
        renames: Pulumi's property → AWS's member, where they differ by more than case.
        parts: the properties that make the id, or the longer id that an import is given.
        separator: between those.
        id_format: how the parts make the id where it is more than joined, `ags-{restApi}-{stageName}`; `{region}` and
            `{account}` may be in it.
        creates: AWS's operation that creates it, for types that are found again in a list.
        listed: the member of a list's entries that AWS makes, `KeyId`: the id, or the part of it that no input gives.
        lists: the operation that lists them, where its name does not follow from `creates`.
        asks: the members that this operation is asked with → the property that holds the value.
    """

    defaults: ClassVar[Mapping[str, Any]] = {}
    name_rules: ClassVar[Mapping[str, Any]] = {}
    tagging: ClassVar[Tagging | None] = None
    tags_after: ClassVar[bool] = False
    renames: ClassVar[Renames] = NO_RENAMES
    parts: ClassVar[tuple[str, ...]] = ()
    separator: ClassVar[str] = "/"
    id_format: ClassVar[str] = ""
    creates: ClassVar[str] = ""
    listed: ClassVar[str] = ""
    lists: ClassVar[str] = ""
    asks: ClassVar[Mapping[str, str]] = {}

    def __init_subclass__(cls) -> None:
        """The service is named in the token."""
        super().__init_subclass__()
        if "token" in cls.__dict__ and not cls.service:
            cls.service = cls.token.partition(":")[2].partition("/")[0]

    def make(self, context: Context, inputs: Properties) -> str | tuple[str, Properties]:
        """Create it; returns the id once it is usable, with what AWS tells only now."""
        raise NotImplementedError

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """The outputs that AWS computes; None or a "not found" error when it is gone."""
        raise NotImplementedError

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Bring it from `olds` to `news`; tags are done by the caller."""
        raise NotImplementedError

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it; "not found" is caught by the caller."""
        raise NotImplementedError

    def settings(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """The inputs as AWS has them, where `look` does not tell them: what a refresh compares. None: not set."""
        del context, resource_id, inputs
        return {}

    def tag_target(self, resource_id: str, state: Properties) -> Any:
        """What the service's tagging calls take: the ARN, or the id."""
        return state.get("arn", resource_id)

    # -- ResourceType ----------------------------------------------------------------------------------------

    def check(self, context: Context, inputs: Properties, olds: Properties | None) -> Properties:
        """Defaults and names filled in; JSON that means the same as before is kept as it was."""
        given = {key: value for key, value in inputs.items() if value is not None}
        for key in self.json_keys:
            if isinstance(given.get(key), dict | list):
                given[key] = json.dumps(given[key])
        wrong = (*failures(schema_of(self.token).inputs, given), *_broken_json(self.json_keys, given))
        if wrong:
            raise CheckError(wrong)
        for key, value in self.defaults.items():
            given.setdefault(key, value)
        if self.named:
            given[self.named] = context.autoname(given, olds, self.named, **self.name_rules)
        return given

    def create(self, context: Context, inputs: Properties) -> tuple[str, Properties]:
        """Make it, then read it."""
        with lacks_said(self.token, context.urn):
            made = self.make(context, inputs)
        resource_id, once = made if isinstance(made, tuple) else (made, {})
        try:
            with lacks_said(self.token, context.urn):
                found = self.look(context, resource_id, inputs)
                if self.tags_after and self.tagging is not None and found is not None:
                    target = self.tag_target(resource_id, {**inputs, **found})
                    self.tagging.change(self.client(context), target, old={}, new=self.tags(context, inputs))
        except (ClientError, BotoCoreError, ProviderError) as error:
            raise PartlyCreatedError(resource_id, error) from error
        if found is None:
            raise ProviderError(
                f"{self.token} is not supported by this cloud: it took the creation and has nothing to show for it",
                where=context.urn,
            )
        return resource_id, self._outputs(context, inputs, {**found, **once})

    def read(self, context: Context, resource_id: str, inputs: Properties | None) -> Properties | None:
        """Inputs as known, and what AWS computes."""
        try:
            found = self.look(context, resource_id, inputs or {})
        except ClientError as error:
            if is_gone(error):
                return None
            raise
        return None if found is None else self._outputs(context, inputs or {}, found)

    def observe(self, context: Context, resource_id: str, inputs: Properties) -> Observation | None:
        """What `look` and `settings` say about the inputs of before, in their form."""
        try:
            found = self.look(context, resource_id, inputs)
            seen = {} if found is None else {**found, **self.settings(context, resource_id, inputs)}
            tags = None if found is None else self._own_tags(context, resource_id, {**inputs, **found})
        except ClientError as error:
            if is_gone(error):
                return None
            raise
        if found is None:
            return None
        settings = comparable(schema_of(self.token).inputs, inputs, seen, self.json_keys)
        if tags is not None and (tags or inputs.get("tags")):
            settings["tags"] = tags or None
        given = {key for key, value in inputs.items() if value is not None}
        unknown = given - settings.keys() - NOT_ON_AWS - self.addressed()
        return Observation(self._outputs(context, {**inputs, **settings}, found), settings, frozenset(unknown))

    def update(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> Properties:
        """Change what differs, tags included, then read."""
        with lacks_said(self.token, context.urn):
            self.change(context, resource_id, olds, news)
            found = self.look(context, resource_id, news) or {}
        if self.tagging is not None:
            old, new = self.tags(context, olds), self.tags(context, news)
            target = self.tag_target(resource_id, {**news, **found})
            self.tagging.change(self.client(context), target, old=old, new=new)
        return self._outputs(context, news, found)

    def delete(self, context: Context, resource_id: str, state: Properties) -> None:
        """Remove it; gone is fine."""
        with lacks_said(self.token, context.urn), gone_is_fine():
            self.remove(context, resource_id, state)

    def find(self, context: Context, inputs: Properties) -> str | None:
        """By the id that the inputs make; among all that are listed where AWS makes the id.

        Raises:
            CannotTellError: it leaves no trace, or there may be several that are alike.
        """
        if self.listed:
            return find_listed(context, inputs, self.listing(context, inputs), self.observe)
        if not self.parts and not self.id_format:
            return super().find(context, inputs)
        resource_id = self.joined(self._placed(context, inputs))
        return resource_id if self.read(context, resource_id, inputs) is not None else None

    # -- for subclasses --------------------------------------------------------------------------------------

    def client(self, context: Context) -> Any:  # boto3 makes clients at run time
        """The service's client, in the resource's region."""
        return context.client(self.service)

    def call(self, context: Context, operation: str, properties: Mapping[str, Any], **fixed: Any) -> dict[str, Any]:
        """Call `operation` with what it takes of `properties`, and `fixed` as it is."""
        known = {key: value for key, value in properties.items() if value is not UNKNOWN}
        return call(self.client(context), operation, known, self.renames, **fixed)

    def tags(self, context: Context, inputs: Properties) -> dict[str, str]:
        """The resource's tags over the provider's default tags."""
        return {**context.default_tags, **(inputs.get("tags") or {})}

    def wire_tags(self, context: Context, inputs: Properties) -> Any:
        """The tags in the form the service takes."""
        tags = self.tags(context, inputs)
        return self.tagging.wire(tags) if self.tagging is not None else tags

    def joined(self, inputs: Properties) -> str:
        """The id that the inputs make."""
        if self.id_format:
            return self.id_format.format(**inputs)
        return self.separator.join(str(inputs[name]) for name in self.parts)

    def listing(self, context: Context, inputs: Properties) -> Listing:
        """How to find it among all there are."""
        client = self.client(context)
        unknown = [name for name in self.parts if inputs.get(name) is None and name != "accountId"]
        known = self._placed(context, inputs)
        return Listing(
            client=client,
            operation=self.lists or list_operation(client, self.creates),
            member=self.listed,
            request={member: known[name] for member, name in self.asks.items() if known.get(name) is not None},
            links=_LINKS & set(schema_of(self.token).inputs.properties or {}),
            id_of=(lambda found: self.joined({**known, unknown[0]: found})) if unknown else str,
        )

    @staticmethod
    def _placed(context: Context, inputs: Properties) -> Properties:
        account = context.account_id
        return {
            **inputs,
            "region": context.region,
            "account": account,
            "accountId": inputs.get("accountId") or account,
        }

    def addressed(self) -> frozenset[str]:
        """The inputs that a read is made under: what it finds has them."""
        return frozenset(self.parts)

    def told_tags(self, context: Context, resource_id: str, state: Properties) -> Mapping[str, str] | None:
        """The tags that AWS has; None where it does not tell."""
        if self.tagging is None:
            return None
        try:
            return self.tagging.told(self.client(context), self.tag_target(resource_id, state))
        except ClientError:  # the resource is there: it is its tags that this service does not tell, or not to us
            return None

    def _own_tags(self, context: Context, resource_id: str, state: Properties) -> Properties | None:
        """The tags that are the resource's, not the provider's default ones; None where AWS does not tell."""
        tags, given = self.told_tags(context, resource_id, state), state.get("tags") or {}
        if tags is None:
            return None
        defaults, ignored = context.default_tags, context.ignore_tag_prefixes
        own = {key: text for key, text in tags.items() if defaults.get(key) != text and not key.startswith(ignored)}
        return {**own, **{key: text for key, text in tags.items() if key in given}}

    def _outputs(self, context: Context, inputs: Properties, found: Properties) -> Properties:
        kept = {key: context.prior[key] for key in self.told_once if key in context.prior}
        outputs = {**kept, **inputs, **{key: value for key, value in found.items() if value is not None}}
        if self.service != "iam":
            outputs.setdefault("region", context.region)
        if self.tagging is not None:
            outputs["tagsAll"] = self.tags(context, inputs)
        return outputs


def _broken_json(keys: Collection[str], given: Properties) -> Iterator[Failure]:
    """JSON texts that do not end as they begin. What does not begin as JSON may be YAML, which some services take."""
    for key in keys:
        text = given.get(key)
        if not isinstance(text, str) or not text.lstrip().startswith(("{", "[")):
            continue
        try:
            json.loads(text)
        except ValueError as error:
            yield key, f"is not JSON: {error}"


def roots(olds: Properties, news: Properties) -> set[str]:
    """The properties that differ."""
    return {key for key in {*olds, *news} if olds.get(key) != news.get(key)}
