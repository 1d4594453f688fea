"""DynamoDB: what belongs to a table: items, replicas, policies, tags, streams to Kinesis, insights, exports."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.aws_type import AwsType
from harness.deploy.providers.aws.declared import Declared
from harness.deploy.providers.aws.tags import BY_ARN
from harness.deploy.providers.resource import Context, Invoke, Properties


class TableItem(AwsType):
    """aws:dynamodb/tableItem:TableItem; the id is `table|hash[|range]`."""

    token: ClassVar = "aws:dynamodb/tableItem:TableItem"
    parts: ClassVar = ("tableName", "item")
    replace_on: ClassVar = frozenset({"tableName", "hashKey", "rangeKey"})
    json_keys: ClassVar = frozenset({"item"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Put it."""
        item = json.loads(inputs["item"])
        self.client(context).put_item(TableName=inputs["tableName"], Item=item)
        return self.joined(inputs)

    def joined(self, inputs: Properties) -> str:
        """Table and key."""
        return "|".join([str(inputs["tableName"]), *(str(v) for key in _key(inputs).values() for v in key.values())])

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """There, or not; its attributes belong to the application."""
        del resource_id
        found = self.client(context).get_item(TableName=inputs["tableName"], Key=_key(inputs), ConsistentRead=True)
        return {} if "Item" in found else None

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Put it again."""
        del resource_id, olds
        self.make(context, news)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it."""
        del resource_id
        self.client(context).delete_item(TableName=state["tableName"], Key=_key(state))


def _key(inputs: Properties) -> dict[str, Any]:
    item = json.loads(inputs["item"])
    names = [inputs["hashKey"], *([inputs["rangeKey"]] if inputs.get("rangeKey") else [])]
    return {name: item[name] for name in names}


class ResourcePolicy(Declared, noun="ResourcePolicy", verbs="Put Get Put Delete"):
    """aws:dynamodb/resourcePolicy:ResourcePolicy; the id is the table's ARN."""

    token: ClassVar = "aws:dynamodb/resourcePolicy:ResourcePolicy"
    json_keys: ClassVar = frozenset({"policy"})
    replace_on: ClassVar = frozenset({"resourceArn"})
    key: ClassVar = {"ResourceArn": "resourceArn"}
    parts: ClassVar = ("resourceArn",)


class KinesisStreamingDestination(Declared):
    """aws:dynamodb/kinesisStreamingDestination:KinesisStreamingDestination; the id is `table,stream`."""

    token: ClassVar = "aws:dynamodb/kinesisStreamingDestination:KinesisStreamingDestination"
    replace_on: ClassVar = frozenset({"tableName", "streamArn"})
    creates: ClassVar = "EnableKinesisStreamingDestination"
    reads: ClassVar = "DescribeKinesisStreamingDestination"
    updates: ClassVar = "UpdateKinesisStreamingDestination"
    deletes: ClassVar = "DisableKinesisStreamingDestination"
    key: ClassVar = {"TableName": "tableName", "StreamArn": "streamArn"}
    parts: ClassVar = ("tableName", "streamArn")
    separator: ClassVar = ","
    settled: ClassVar = ("DestinationStatus", frozenset({"ACTIVE"}))

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """The precision one level deeper."""
        precision = inputs.get("approximateCreationDateTimePrecision")
        if not precision:
            return inputs
        block = {"approximateCreationDateTimePrecision": precision}
        known = {name: inputs[name] for name in self.parts}
        return {**known, "enableKinesisStreamingConfiguration": block, "updateKinesisStreamingConfiguration": block}

    def ask(self, context: Context, resource_id: str, inputs: Properties) -> dict[str, Any] | None:
        """Its own among the table's streams; a disabled one stays listed."""
        known = self.known(resource_id, inputs)
        found = self.send(context, self.reads, {}, TableName=known["tableName"])["KinesisDataStreamDestinations"]
        own = next((one for one in found if one["StreamArn"] == known["streamArn"]), None)
        return own if own and own["DestinationStatus"] != "DISABLED" else None

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Disable it; what is disabled already stays so."""
        if self.ask(context, resource_id, state) is not None:
            super().remove(context, resource_id, state)


class ContributorInsights(Declared):
    """aws:dynamodb/contributorInsights:ContributorInsights; the id is `name:table/index:index/account`."""

    token: ClassVar = "aws:dynamodb/contributorInsights:ContributorInsights"
    id_format: ClassVar = "name:{tableName}/index:{indexName}/{account}"
    replace_on: ClassVar = frozenset({"tableName", "indexName"})
    renames: ClassVar = {"mode": "ContributorInsightsMode"}
    creates: ClassVar = "UpdateContributorInsights"
    reads: ClassVar = "DescribeContributorInsights"
    key: ClassVar = {"TableName": "tableName", "IndexName": "indexName"}

    def make(self, context: Context, inputs: Properties) -> str:
        """Switch it on."""
        self._switch(context, inputs, "ENABLE")
        return self.joined(self._placed(context, inputs))

    def joined(self, inputs: Properties) -> str:
        """Without an index it is the table's."""
        return super().joined({"indexName": "", **inputs})

    def ask(self, context: Context, resource_id: str, inputs: Properties) -> dict[str, Any] | None:
        """There as long as it is on."""
        found = super().ask(context, resource_id, inputs) or {}
        return found if str(found.get("ContributorInsightsStatus")).startswith("ENABL") else None

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Switch it off."""
        self._switch(context, state, "DISABLE")

    def _switch(self, context: Context, inputs: Properties, action: str) -> None:
        mode = {"ContributorInsightsMode": inputs["mode"]} if inputs.get("mode") else {}
        self.send(context, self.creates, {}, **self.keys("", inputs), ContributorInsightsAction=action, **mode)


class TableReplica(AwsType):
    """aws:dynamodb/tableReplica:TableReplica: a copy in the resource's region; the id is `table:main region`."""

    token: ClassVar = "aws:dynamodb/tableReplica:TableReplica"
    parts: ClassVar = ("globalTableArn",)
    tagging: ClassVar = BY_ARN
    replace_on: ClassVar = frozenset({"globalTableArn", "kmsKeyArn"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Ask the main region for a copy, then set what is the copy's own."""
        main, name = _of_arn(inputs["globalTableArn"])
        replica = {"RegionName": context.region}
        if inputs.get("kmsKeyArn"):
            replica["KMSMasterKeyId"] = inputs["kmsKeyArn"]
        if inputs.get("tableClassOverride"):
            replica["TableClassOverride"] = inputs["tableClassOverride"]
        client = context.client("dynamodb", region=main)
        client.update_table(TableName=name, ReplicaUpdates=[{"Create": replica}])
        context.wait_until(lambda: self._is_there(context, main, name), f"replica of {name} in {context.region}")
        self._set(context, name, {}, inputs)
        return self.joined(inputs)

    def joined(self, inputs: Properties) -> str:
        """Table and main region."""
        main, name = _of_arn(inputs["globalTableArn"])
        return f"{name}:{main}"

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """The copy's ARN."""
        name, _, main = resource_id.rpartition(":")
        if not self._is_there(context, main, name):
            return None
        return {"arn": self.client(context).describe_table(TableName=name)["Table"]["TableArn"]}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """What is the copy's own."""
        self._set(context, resource_id.rpartition(":")[0], olds, news)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Ask the main region to take it away, and wait."""
        name, _, main = resource_id.rpartition(":")
        if not self._is_there(context, main, name):
            return
        client = context.client("dynamodb", region=main)
        client.update_table(TableName=name, ReplicaUpdates=[{"Delete": {"RegionName": context.region}}])
        context.wait_until(lambda: not self._is_there(context, main, name), f"deletion of the replica of {name}")

    def _is_there(self, context: Context, main: str, name: str) -> bool:
        found = context.client("dynamodb", region=main).describe_table(TableName=name)["Table"]
        return any(
            one["RegionName"] == context.region and one.get("ReplicaStatus", "ACTIVE") == "ACTIVE"
            for one in found.get("Replicas", ())
        )

    def _set(self, context: Context, name: str, olds: Properties, news: Properties) -> None:
        client = self.client(context)
        if bool(olds.get("pointInTimeRecovery")) != bool(news.get("pointInTimeRecovery")):
            switch = {"PointInTimeRecoveryEnabled": bool(news.get("pointInTimeRecovery"))}
            client.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=switch)
        if bool(olds.get("deletionProtectionEnabled")) != bool(news.get("deletionProtectionEnabled")):
            protected = bool(news.get("deletionProtectionEnabled"))
            client.update_table(TableName=name, DeletionProtectionEnabled=protected)


def _of_arn(arn: str) -> tuple[str, str]:
    """Region and name of a table's ARN."""
    parts = arn.split(":", 5)
    return parts[3], parts[5].removeprefix("table/")


class Tag(AwsType):
    """aws:dynamodb/tag:Tag: one tag of a table, such as a replica's; the id is `arn,key`."""

    token: ClassVar = "aws:dynamodb/tag:Tag"
    parts: ClassVar = ("resourceArn", "key")
    separator: ClassVar = ","
    replace_on: ClassVar = frozenset({"resourceArn", "key"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Put it on."""
        tag = {"Key": inputs["key"], "Value": inputs["value"]}
        self.client(context).tag_resource(ResourceArn=inputs["resourceArn"], Tags=[tag])
        return self.joined(inputs)

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """Among the table's tags."""
        arn, _, key = resource_id.rpartition(",")
        tags = self.client(context).list_tags_of_resource(ResourceArn=arn)["Tags"]
        value = next((tag["Value"] for tag in tags if tag["Key"] == key), None)
        return None if value is None else {"resourceArn": arn, "key": key, "value": value}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Put it on again."""
        self.make(context, news)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Take it off."""
        self.client(context).untag_resource(ResourceArn=state["resourceArn"], TagKeys=[state["key"]])


class TableExport(Declared):
    """aws:dynamodb/tableExport:TableExport: a table's past in a bucket, for good; the id is the ARN."""

    token: ClassVar = "aws:dynamodb/tableExport:TableExport"
    lists: ClassVar = "ListExports"
    asks: ClassVar = {"TableArn": "tableArn"}
    outlives: ClassVar = True
    defaults: ClassVar = {"exportFormat": "DYNAMODB_JSON", "exportType": "FULL_EXPORT"}
    replace_on: ClassVar = frozenset({
        "exportFormat", "exportTime", "exportType", "incrementalExportSpecification", "s3Bucket", "s3BucketOwner",
        "s3Prefix", "s3SseAlgorithm", "s3SseKmsKeyId", "tableArn",
    })  # fmt: skip
    renames: ClassVar = {"arn": "ExportArn", "manifestFilesS3Key": "ExportManifest"}
    creates: ClassVar = "ExportTableToPointInTime"
    reads: ClassVar = "DescribeExport"
    key: ClassVar = {"ExportArn": "id"}
    id_from: ClassVar = "ExportDescription.ExportArn"
    body: ClassVar = "ExportDescription"
    settled: ClassVar = ("ExportStatus", frozenset({"COMPLETED", "FAILED"}))


class GlobalTable(Declared):
    """aws:dynamodb/globalTable:GlobalTable: the version of 2017, of one table a region; the id is the name."""

    token: ClassVar = "aws:dynamodb/globalTable:GlobalTable"
    named: ClassVar = "name"
    replace_on: ClassVar = frozenset({"name"})
    renames: ClassVar = {"name": "GlobalTableName", "replicas": "ReplicationGroup", "arn": "GlobalTableArn"}
    creates: ClassVar = "CreateGlobalTable"
    reads: ClassVar = "DescribeGlobalTable"
    key: ClassVar = {"GlobalTableName": "name"}
    parts: ClassVar = ("name",)
    body: ClassVar = "GlobalTableDescription"
    settled: ClassVar = ("GlobalTableStatus", frozenset({"ACTIVE"}))

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Regions that come and go."""
        before = {one["regionName"] for one in olds.get("replicas") or ()}
        after = {one["regionName"] for one in news.get("replicas") or ()}
        self._update(context, resource_id, [{"Create": {"RegionName": name}} for name in sorted(after - before)])
        self._update(context, resource_id, [{"Delete": {"RegionName": name}} for name in sorted(before - after)])

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Take every region out; the tables stay."""
        regions = [one["regionName"] for one in state.get("replicas") or ()]
        self._update(context, resource_id, [{"Delete": {"RegionName": name}} for name in regions])

    def _update(self, context: Context, name: str, updates: list[Mapping[str, Any]]) -> None:
        if updates:
            self.client(context).update_global_table(GlobalTableName=name, ReplicaUpdates=updates)


RESOURCES = (
    TableItem(), ResourcePolicy(), KinesisStreamingDestination(), ContributorInsights(), TableReplica(), Tag(),
    TableExport(), GlobalTable(),
)  # fmt: skip


def table_item(context: Context, arguments: Properties) -> Properties:
    """An item by its key."""
    given = {"TableName": arguments["tableName"], "Key": json.loads(arguments["key"])}
    found = context.client("dynamodb").get_item(**given, ConsistentRead=True).get("Item")
    return {**arguments, "item": json.dumps(found) if found else "", "id": arguments["tableName"]}


INVOKES: dict[str, Invoke] = {"aws:dynamodb/getTableItem:getTableItem": table_item}
