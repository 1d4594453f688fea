"""What RDS's types share, DocumentDB's and Neptune's included: their API is RDS's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.declared import Declared
from harness.deploy.providers.aws.tags import Tagging
from harness.deploy.providers.resource import Context, Properties
from harness.errors import ProviderError

RDS = Tagging(tag="add_tags_to_resource", untag="remove_tags_from_resource", resource="ResourceName")


class Rds(Declared):
    """One type of RDS; the id is the identifier."""

    service: ClassVar[str] = "rds"
    tagging: ClassVar[Tagging | None] = RDS

    def tag_target(self, resource_id: str, state: Properties) -> Any:
        """By ARN."""
        return state.get("arn") or resource_id


class Parameters(Rds):
    """A group of parameters of a family.

    Attributes:
        noun: `DBParameterGroup` or `DBClusterParameterGroup`.
        told_as: what its parameters are described, modified and reset under.
    """

    noun: ClassVar[str]
    told_as: ClassVar[str]
    parts: ClassVar[tuple[str, ...]] = ("name",)
    named: ClassVar[str] = "name"
    name_rules: ClassVar[Mapping[str, Any]] = {"lower": True}
    defaults: ClassVar[Mapping[str, Any]] = {"description": "Managed by Pulumi"}
    replace_on: ClassVar[frozenset[str]] = frozenset({"name", "namePrefix", "description", "family"})

    def __init_subclass__(cls) -> None:
        """Spell out what follows from the noun."""
        super().__init_subclass__()
        if "noun" not in cls.__dict__:
            return
        cls.creates, cls.reads, cls.deletes = f"Create{cls.noun}", f"Describe{cls.noun}s", f"Delete{cls.noun}"
        cls.body, cls.key = f"{cls.noun}s", {f"{cls.noun}Name": "name"}
        cls.renames = {"name": f"{cls.noun}Name", "family": "DBParameterGroupFamily", "arn": f"{cls.noun}Arn",
                       "parameters": ""}  # fmt: skip

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it, then set its parameters."""
        group = super().make(context, inputs)
        self.change(context, group, {}, inputs)
        return group

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """The parameters that were given, as they are now."""
        wanted = inputs.get("parameters")
        if not wanted:
            return {}
        operation = f"describe_{_snake(self.told_as)}"
        pages = (
            self.client(context).get_paginator(operation).paginate(**self.keys(resource_id, inputs), Source="user")
        )
        now = {one["ParameterName"]: one.get("ParameterValue") for page in pages for one in page["Parameters"]}
        return {"parameters": [{**one, "value": now[one["name"]]} if one["name"] in now else one for one in wanted]}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Set what differs, reset what is gone; twenty at a time, as RDS takes them."""
        old = {one["name"]: one for one in olds.get("parameters") or ()}
        new = {one["name"]: one for one in news.get("parameters") or ()}
        client, keys = self.client(context), self.keys(resource_id, news)
        gone = [{"ParameterName": name, "ApplyMethod": "pending-reboot"} for name in sorted(set(old) - set(new))]
        fresh = [
            {
                "ParameterName": name,
                "ParameterValue": str(one["value"]),
                "ApplyMethod": one.get("applyMethod") or "immediate",
            }
            for name, one in new.items()
            if old.get(name) != one
        ]
        for verb, items in (("reset", gone), ("modify", fresh)):
            for start in range(0, len(items), 20):
                getattr(client, f"{verb}_{_snake(self.noun)}")(**keys, Parameters=items[start : start + 20])


class Subnets(Rds, noun="DBSubnetGroup", verbs="Create - Modify Delete"):
    """The subnets that databases are placed in."""

    reads: ClassVar[str] = "DescribeDBSubnetGroups"
    body: ClassVar[str] = "DBSubnetGroups"
    key: ClassVar[Mapping[str, str]] = {"DBSubnetGroupName": "name"}
    parts: ClassVar[tuple[str, ...]] = ("name",)
    named: ClassVar[str] = "name"
    name_rules: ClassVar[Mapping[str, Any]] = {"lower": True}
    defaults: ClassVar[Mapping[str, Any]] = {"description": "Managed by Pulumi"}
    renames: ClassVar[Mapping[str, str]] = {
        "name": "DBSubnetGroupName",
        "description": "DBSubnetGroupDescription",
        "arn": "DBSubnetGroupArn",
    }
    replace_on: ClassVar[frozenset[str]] = frozenset({"name", "namePrefix"})

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """Its subnets, in the order that was given."""
        found = [subnet["SubnetIdentifier"] for subnet in body.get("Subnets", ())]
        wanted = inputs.get("subnetIds")
        told = wanted if wanted and set(wanted) == set(found) else found
        return {"subnetIds": told, "supportedNetworkTypes": body.get("SupportedNetworkTypes") or ["IPV4"]}


def final_snapshot(state: Properties, member: str) -> dict[str, Any]:
    """What a deletion says of the last snapshot.

    Raises:
        ProviderError: neither a name for it nor the wish to skip it; the real provider refuses too.
    """
    if state.get("skipFinalSnapshot"):
        return {"SkipFinalSnapshot": True}
    if not state.get("finalSnapshotIdentifier"):
        raise ProviderError(
            "finalSnapshotIdentifier is required when skipFinalSnapshot is false",
            where=str(state.get("arn") or ""),
            hint="set skip_final_snapshot=True or final_snapshot_identifier, deploy, then delete",
        )
    return {"SkipFinalSnapshot": False, member: state["finalSnapshotIdentifier"]}


def groups_and_logs(inputs: Properties, body: Mapping[str, Any]) -> Properties:
    """Security groups and exported logs, in the order that was given."""
    found = [group["VpcSecurityGroupId"] for group in body.get("VpcSecurityGroups", ())]
    wanted = inputs.get("vpcSecurityGroupIds")
    logs, asked = body.get("EnabledCloudwatchLogsExports") or [], inputs.get("enabledCloudwatchLogsExports")
    told: Properties = {"vpcSecurityGroupIds": wanted if wanted and set(wanted) == set(found) else found}
    return {**told, "enabledCloudwatchLogsExports": asked if asked and set(asked) == set(logs) else logs}


def log_exports(olds: Properties, news: Properties) -> Properties:
    """The change of exported logs, as a modification takes it."""
    old, new = (set(state.get("enabledCloudwatchLogsExports") or ()) for state in (olds, news))
    if old == new:
        return {}
    return {"cloudwatchLogsExportConfiguration": {
        "enableLogTypes": sorted(new - old), "disableLogTypes": sorted(old - new)}}  # fmt: skip


def _snake(noun: str) -> str:
    from botocore import xform_name

    return str(xform_name(noun))
