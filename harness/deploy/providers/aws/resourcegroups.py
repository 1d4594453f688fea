"""Resource Groups: groups by tag query or by stack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.aws_type import AwsType, roots
from harness.deploy.providers.aws.tags import Tagging
from harness.deploy.providers.resource import Context, Properties


class Group(AwsType):
    """aws:resourcegroups/group:Group; the id is the name."""

    token: ClassVar = "aws:resourcegroups/group:Group"
    service: ClassVar = "resource-groups"
    parts: ClassVar = ("name",)
    named: ClassVar = "name"
    tagging: ClassVar = Tagging(tag="tag", untag="untag", resource="Arn", keys="Keys", key="")
    replace_on: ClassVar = frozenset({"name"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it."""
        known = {key: value for key, value in inputs.items() if key != "tags"}
        self.call(context, "CreateGroup", _grouped(known), Tags=self.tags(context, inputs))
        return str(inputs["name"])

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """ARN, description, query."""
        client = self.client(context)
        group = client.get_group(Group=resource_id)["Group"]
        told: Properties = {
            "name": resource_id, "arn": group["GroupArn"], "description": group.get("Description") or None
        }  # fmt: skip
        if inputs.get("resourceQuery"):
            found = client.get_group_query(Group=resource_id)["GroupQuery"]["ResourceQuery"]
            told["resourceQuery"] = {"query": found["Query"], "type": found["Type"]}
            told["resourceQuery"] = {key: told["resourceQuery"][key] for key in inputs["resourceQuery"]}
        return told

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Description, query."""
        client, changed = self.client(context), roots(olds, news)
        if "description" in changed:
            client.update_group(Group=resource_id, Description=news.get("description") or "")
        if "resourceQuery" in changed and news.get("resourceQuery"):
            self.call(context, "UpdateGroupQuery", _grouped(news), Group=resource_id)
        if "configurations" in changed:
            self.call(context, "PutGroupConfiguration", _grouped(news), Group=resource_id)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it."""
        self.client(context).delete_group(Group=resource_id)


def _grouped(inputs: Mapping[str, Any]) -> Properties:
    made = dict(inputs)
    if inputs.get("resourceQuery"):
        made["resourceQuery"] = {"type": "TAG_FILTERS_1_0", **inputs["resourceQuery"]}
    return {"configuration" if key == "configurations" else key: value for key, value in made.items()}


RESOURCES = (Group(),)
