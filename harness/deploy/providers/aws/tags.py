"""Tags: every AWS service takes them in its own form, so the forms are data here.

Each entry was read from the service's `TagResource` operation or its equivalent in botocore.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
            getattr(client, self.untag)(**{self.resource: resource, self.keys: self._names(gone)})
        if fresh:
            getattr(client, self.tag)(**{self.resource: resource, self.tags: self.wire(fresh)})

    def _names(self, gone: list[str]) -> Any:
        # EC2 names the tags to delete as tags without values.
        return [{self.key: name} for name in gone] if self.keys == self.tags else gone


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
