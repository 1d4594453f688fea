"""IoT: things, their types, policies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.aws_type import roots
from harness.deploy.providers.aws.declared import Declared
from harness.deploy.providers.aws.tags import Tagging
from harness.deploy.providers.resource import Context, Properties

_TAGGING = Tagging(resource="resourceArn", tags="tags", keys="tagKeys")


class Thing(Declared, noun="Thing", verbs="Create Describe Update Delete"):
    """aws:iot/thing:Thing; the id is the name."""

    token: ClassVar = "aws:iot/thing:Thing"
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 128}
    parts: ClassVar = ("name",)
    renames: ClassVar = {"name": "thingName", "arn": "thingArn"}
    replace_on: ClassVar = frozenset({"name"})
    key: ClassVar = {"thingName": "name"}

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """Attributes are a block; without a type it is taken away."""
        attributes = {"attributes": inputs.get("attributes") or {}, "merge": False}
        return {**inputs, "attributePayload": attributes, "removeThingType": inputs.get("thingTypeName") is None}


class ThingType(Declared, noun="ThingType", verbs="Create Describe - Delete"):
    """aws:iot/thingType:ThingType; the id is the name."""

    token: ClassVar = "aws:iot/thingType:ThingType"
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 128}
    parts: ClassVar = ("name",)
    tagging: ClassVar = _TAGGING
    renames: ClassVar = {
        "name": "thingTypeName", "arn": "thingTypeArn", "properties": "thingTypeProperties",
        "description": "thingTypeDescription",
    }  # fmt: skip
    replace_on: ClassVar = frozenset({"name", "properties"})
    key: ClassVar = {"thingTypeName": "name"}

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it, deprecated when that is asked for."""
        name = super().make(context, inputs)
        self._deprecate(context, name, {}, inputs)
        return name

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """Deprecated or not."""
        return {"deprecated": bool((body.get("thingTypeMetadata") or {}).get("deprecated"))}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Deprecated or not."""
        self._deprecate(context, resource_id, olds, news)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it; AWS deletes deprecated ones only, five minutes after that."""
        self._deprecate(context, resource_id, {}, {"deprecated": True})
        super().remove(context, resource_id, state)

    def _deprecate(self, context: Context, name: str, olds: Properties, news: Properties) -> None:
        if bool(olds.get("deprecated")) != bool(news.get("deprecated")):
            undo = not news.get("deprecated")
            self.client(context).deprecate_thing_type(thingTypeName=name, undoDeprecate=undo)


class Policy(Declared, noun="Policy", verbs="Create Get - Delete"):
    """aws:iot/policy:Policy; the id is the name."""

    token: ClassVar = "aws:iot/policy:Policy"
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 128}
    parts: ClassVar = ("name",)
    tagging: ClassVar = _TAGGING
    json_keys: ClassVar = frozenset({"policy"})
    renames: ClassVar = {"name": "policyName", "arn": "policyArn", "policy": "policyDocument"}
    replace_on: ClassVar = frozenset({"name"})
    key: ClassVar = {"policyName": "name"}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """A new version, in the place of the old one: AWS keeps five at most."""
        if "policy" in roots(olds, news):
            client = self.client(context)
            client.create_policy_version(policyName=resource_id, policyDocument=news["policy"], setAsDefault=True)
            self._drop_versions(context, resource_id)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it with its versions."""
        self._drop_versions(context, resource_id)
        super().remove(context, resource_id, state)

    def _drop_versions(self, context: Context, name: str) -> None:
        client = self.client(context)
        for one in client.list_policy_versions(policyName=name)["policyVersions"]:
            if not one.get("isDefaultVersion"):
                client.delete_policy_version(policyName=name, policyVersionId=one["versionId"])


RESOURCES = (Thing(), ThingType(), Policy())
