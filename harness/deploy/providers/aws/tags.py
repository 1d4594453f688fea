"""Tags: every AWS service takes them in its own form, so the forms are data here.

Each entry was read from the service's `TagResource` operation or its equivalent in botocore.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Tags = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tagging:
    """How one service tags: the client methods, the members they take, and the form of the tags.

    `key` and `value` name the members of a tag in a list; an empty `key` means a plain map.
    """

    tag: str = "tag_resource"
    untag: str = "untag_resource"
    resource: str = "ResourceArn"
    tags: str = "Tags"
    keys: str = "TagKeys"
    key: str = "Key"
    value: str = "Value"
    beside: Mapping[str, str] = field(default_factory=dict)  # members that every call has, `ResourceType`

    def wire(self, tags: Tags) -> Any:
        """`tags` as this service takes them: a list of pairs or a map."""
        if not self.key:
            return dict(tags)
        return [{self.key: name, self.value: text} for name, text in tags.items()]

    def plain(self, wired: Any) -> dict[str, str]:
        """Tags as this service returned them, as a map."""
        if not wired:
            return {}
        return dict(wired) if not self.key else {tag[self.key]: tag[self.value] for tag in wired}

    def change(self, client: Any, resource: Any, *, old: Tags, new: Tags) -> None:
        """Make `resource` carry `new` instead of `old`; nothing is called when both are equal."""
        gone = sorted(set(old) - set(new))
        fresh = {name: text for name, text in new.items() if old.get(name) != text}
        if gone:
            getattr(client, self.untag)(**{self.resource: resource, self.keys: self._names(gone)}, **self.beside)
        if fresh:
            getattr(client, self.tag)(**{self.resource: resource, self.tags: self.wire(fresh)}, **self.beside)

    def told(self, client: Any, resource: Any) -> dict[str, str] | None:
        """The tags that `resource` carries; None where the service has no operation that tells them."""
        operation = next((name for name in self._readers() if hasattr(client, name)), None)
        if operation is None:
            return None
        model = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[operation])
        answer = getattr(client, operation)(**self._question(model.input_shape, resource))
        return self.found(answer)

    def _readers(self) -> tuple[str, ...]:
        """Names of the operation that lists: after the one that tags, or one of the usual."""
        noun = self.tag.removeprefix("tag_").removeprefix("add_tags_to_")
        own = f"list_{noun}_tags", f"list_tags_for_{noun}"
        return (*own, *_USUAL_READERS)

    def _question(self, shape: Any, resource: Any) -> dict[str, Any]:
        """What the listing operation is asked with: the resource under the member it has for it."""
        members = shape.members
        if "Filters" in members and self.resource not in members:  # EC2
            ids = resource if isinstance(resource, list) else [resource]
            return {"Filters": [{"Name": "resource-id", "Values": ids}]}
        named = (
            name for name in members if name.lower() in {self.resource.lower(), "resourcearn", "resource", "arn"}
        )
        name = next(named, next(iter([one for one in shape.required_members or members if one not in self.beside])))
        many = members[name].type_name == "list" and not isinstance(resource, list)
        return {**self.beside, name: [resource] if many else resource}

    def found(self, answer: Mapping[str, Any]) -> dict[str, str]:
        """The tags in an answer, wherever it has them; AWS's own left out."""
        for name, value in answer.items():
            if not _TAGS.fullmatch(name):
                continue
            if isinstance(value, Mapping) and any(not isinstance(inner, str) for inner in value.values()):
                return self.found(value)  # wrapped once more
            told = value if isinstance(value, Mapping) else dict(_pairs(value or ()))
            return {key: text for key, text in told.items() if not key.startswith("aws:")}
        return {}

    def _names(self, gone: list[str]) -> Any:
        # EC2 names the tags to delete as tags without values.
        return [{self.key: name} for name in gone] if self.keys == self.tags else gone


_USUAL_READERS = (
    "list_tags_for_resource", "list_tags_of_resource", "list_tags", "list_resource_tags", "describe_tags", "get_tags",
)  # fmt: skip
_TAGS = re.compile(
    r"(Resource|UserPool|IdentityPool)?Tags?(s?List|Descriptions|Set|InfoForResource)?|Items", re.IGNORECASE
)
"""What AWS calls tags, and what it wraps them in."""


def _pairs(tags: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for tag in tags:
        inner = next((tag[name] for name in ("Tags", "TagsList") if name in tag), None)
        if inner is not None:  # the tags of one resource of several
            yield from _pairs(inner)
            continue
        by_name = {name.lower().removeprefix("tag"): text for name, text in tag.items()}
        if "key" in by_name:
            yield str(by_name["key"]), str(by_name.get("value") or "")


BY_ARN = Tagging()
BY_ARN_MAP = Tagging(key="")
EVENTS = Tagging(resource="ResourceARN")
LAMBDA = Tagging(resource="Resource", key="")
LOGS = Tagging(resource="resourceArn", tags="tags", keys="tagKeys", key="")
SFN = Tagging(resource="resourceArn", tags="tags", keys="tagKeys", key="key", value="value")
QUEUES = Tagging(tag="tag_queue", untag="untag_queue", resource="QueueUrl", key="")
KEYS = Tagging(resource="KeyId", key="TagKey", value="TagValue")
SECRETS = Tagging(resource="SecretId")
EC2 = Tagging(tag="create_tags", untag="delete_tags", resource="Resources", keys="Tags")
ROLES = Tagging(tag="tag_role", untag="untag_role", resource="RoleName")
POLICIES = Tagging(tag="tag_policy", untag="untag_policy", resource="PolicyArn")
PROFILES = Tagging(tag="tag_instance_profile", untag="untag_instance_profile", resource="InstanceProfileName")
USERS = Tagging(tag="tag_user", untag="untag_user", resource="UserName")
