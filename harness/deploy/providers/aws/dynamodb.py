"""DynamoDB: tables with indexes, streams, recovery, expiry and replicas; the rest is in `dynamodb_parts`."""

from __future__ import annotations

from typing import Any, ClassVar

from harness.deploy.providers.aws.aws_type import AwsType, roots
from harness.deploy.providers.aws.dynamodb_shapes import (
    attribute_definitions,
    index_of,
    index_seen,
    index_updates,
    key_schema,
    stream_of,
    throughput,
)
from harness.deploy.providers.aws.tags import BY_ARN
from harness.deploy.providers.resource import CheckError, Context, Invoke, Properties


class Table(AwsType):
    """aws:dynamodb/table:Table; the id is the name."""

    token: ClassVar = "aws:dynamodb/table:Table"
    parts: ClassVar = ("name",)
    named: ClassVar = "name"
    defaults: ClassVar = {"billingMode": "PROVISIONED"}
    tagging: ClassVar = BY_ARN
    replace_on: ClassVar = frozenset({"name", "hashKey", "rangeKey", "localSecondaryIndexes"})

    def make(self, context: Context, inputs: Properties) -> str:
        """The table first, then what can only be switched on when it is there."""
        client, name = self.client(context), str(inputs["name"])
        if self._restore(context, name, inputs):
            self._wait(context, name)
            self._switch(context, name, {}, inputs)
            return name
        on_demand = inputs["billingMode"] == "PAY_PER_REQUEST"
        request: dict[str, Any] = {
            "TableName": name,
            "BillingMode": inputs["billingMode"],
            "AttributeDefinitions": attribute_definitions(inputs),
            "KeySchema": key_schema(inputs),
            "Tags": self.wire_tags(context, inputs),
        }
        if not on_demand:
            request["ProvisionedThroughput"] = throughput(inputs)
        if inputs.get("globalSecondaryIndexes"):
            request["GlobalSecondaryIndexes"] = [
                index_of(i, None if on_demand else throughput(i)) for i in inputs["globalSecondaryIndexes"]
            ]
        if inputs.get("localSecondaryIndexes"):
            hashed = {"hashKey": inputs["hashKey"]}
            request["LocalSecondaryIndexes"] = [
                index_of({**hashed, **i}, None) for i in inputs["localSecondaryIndexes"]
            ]
        if inputs.get("streamEnabled"):
            request["StreamSpecification"] = stream_of(inputs)
        request |= _class_and_keys(inputs)
        client.create_table(**request)
        self._wait(context, name)
        self._switch(context, name, {}, inputs)
        return name

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """ARN, stream and key names."""
        del inputs
        table = self.client(context).describe_table(TableName=resource_id)["Table"]
        keys = {key["KeyType"]: key["AttributeName"] for key in table["KeySchema"]}
        return {
            "name": resource_id,
            "arn": table["TableArn"],
            "hashKey": keys["HASH"],
            "rangeKey": keys.get("RANGE"),
            "streamArn": table.get("LatestStreamArn", ""),
            "streamLabel": table.get("LatestStreamLabel", ""),
            "readCapacity": table.get("ProvisionedThroughput", {}).get("ReadCapacityUnits", 0),
            "writeCapacity": table.get("ProvisionedThroughput", {}).get("WriteCapacityUnits", 0),
        }

    def settings(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """Attributes, indexes, billing, stream, and the switches, as AWS has them."""
        del inputs
        client = self.client(context)
        table = client.describe_table(TableName=resource_id)["Table"]
        expiry = client.describe_time_to_live(TableName=resource_id)["TimeToLiveDescription"]
        backups = client.describe_continuous_backups(TableName=resource_id)["ContinuousBackupsDescription"]
        recovery = backups.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus")
        stream = table.get("StreamSpecification", {})
        ttl = {"attributeName": expiry.get("AttributeName"), "enabled": expiry["TimeToLiveStatus"] == "ENABLED"}
        return {
            "attributes": [
                {"name": one["AttributeName"], "type": one["AttributeType"]} for one in table["AttributeDefinitions"]
            ],
            "billingMode": table.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED"),
            "globalSecondaryIndexes": [index_seen(one) for one in table.get("GlobalSecondaryIndexes", ())],
            "localSecondaryIndexes": [index_seen(one) for one in table.get("LocalSecondaryIndexes", ())],
            "streamEnabled": stream.get("StreamEnabled", False),
            "streamViewType": stream.get("StreamViewType"),
            "ttl": ttl if ttl["attributeName"] else None,
            "pointInTimeRecovery": {"enabled": recovery == "ENABLED"},
            "replicas": [{"regionName": one["RegionName"]} for one in table.get("Replicas", ())],
        }

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Billing, stream, and the switches."""
        client, changed = self.client(context), roots(olds, news)
        if changed & {"billingMode", "readCapacity", "writeCapacity"}:
            billing: dict[str, Any] = {"BillingMode": news["billingMode"]}
            if news["billingMode"] == "PROVISIONED":
                billing["ProvisionedThroughput"] = throughput(news)
            client.update_table(TableName=resource_id, **billing)
            self._wait(context, resource_id)
        if changed & {"streamEnabled", "streamViewType"}:
            client.update_table(TableName=resource_id, StreamSpecification=stream_of(news))
            self._wait(context, resource_id)
        if changed & {"deletionProtectionEnabled", "tableClass", "serverSideEncryption", "onDemandThroughput"}:
            defaults = {"deletionProtectionEnabled": False, "tableClass": "STANDARD"}
            client.update_table(TableName=resource_id, **_class_and_keys({**defaults, **news}))
            self._wait(context, resource_id)
        if "globalSecondaryIndexes" in changed:
            self._index_anew(context, resource_id, olds, news)
        self._switch(context, resource_id, olds, news)

    def _restore(self, context: Context, name: str, inputs: Properties) -> bool:
        """Make it out of a backup or of another table's past; False where the program asks for neither."""
        client = self.client(context)
        override: dict[str, Any] = {"BillingModeOverride": inputs["billingMode"]}
        if inputs["billingMode"] == "PROVISIONED":
            override["ProvisionedThroughputOverride"] = throughput(inputs)
        if inputs.get("restoreBackupArn"):
            client.restore_table_from_backup(TargetTableName=name, BackupArn=inputs["restoreBackupArn"], **override)
            return True
        names = (("restoreSourceName", "SourceTableName"), ("restoreSourceTableArn", "SourceTableArn"))
        source = {member: inputs[key] for key, member in names if inputs.get(key)}
        if not source:
            return False
        if inputs.get("restoreDateTime"):
            moment = {"RestoreDateTime": inputs["restoreDateTime"]}
        else:
            moment = {"UseLatestRestorableTime": True}
        client.restore_table_to_point_in_time(TargetTableName=name, **source, **moment, **override)
        return True

    def _index_anew(self, context: Context, name: str, olds: Properties, news: Properties) -> None:
        """Indexes that go, that come, and that only get another capacity: AWS takes one at a time."""
        attributes = attribute_definitions(news)
        for update in index_updates(olds, news):
            self.client(context).update_table(
                TableName=name, AttributeDefinitions=attributes, GlobalSecondaryIndexUpdates=[update]
            )
            self._wait(context, name)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Replicas first: a table that still has one cannot go."""
        self._replicate(context, resource_id, state, {})
        self.client(context).delete_table(TableName=resource_id)

    def _switch(self, context: Context, name: str, olds: Properties, news: Properties) -> None:
        client, changed = self.client(context), roots(olds, news)
        ttl = news.get("ttl") or {}
        if "ttl" in changed and (ttl or olds.get("ttl")):
            attribute = ttl.get("attributeName") or (olds.get("ttl") or {}).get("attributeName")
            client.update_time_to_live(
                TableName=name,
                TimeToLiveSpecification={"Enabled": bool(ttl.get("enabled", bool(ttl))), "AttributeName": attribute},
            )
        if "pointInTimeRecovery" in changed:
            enabled = bool((news.get("pointInTimeRecovery") or {}).get("enabled"))
            client.update_continuous_backups(
                TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": enabled}
            )
        if "replicas" in changed:
            self._replicate(context, name, olds, news)

    def _replicate(self, context: Context, name: str, olds: Properties, news: Properties) -> None:
        before = {replica["regionName"] for replica in olds.get("replicas") or ()}
        after = {replica["regionName"] for replica in news.get("replicas") or ()}
        steps = [{"Create": {"RegionName": region}} for region in sorted(after - before)]
        steps += [{"Delete": {"RegionName": region}} for region in sorted(before - after)]
        for step in steps:  # AWS takes one at a time
            self.client(context).update_table(TableName=name, ReplicaUpdates=[step])
            self._wait(context, name)

    def _wait(self, context: Context, name: str) -> None:
        def ready() -> bool:
            table = self.client(context).describe_table(TableName=name)["Table"]
            replicas = [replica.get("ReplicaStatus", "ACTIVE") for replica in table.get("Replicas", ())]
            return all(status == "ACTIVE" for status in (table["TableStatus"], *replicas))

        context.wait_until(ready, f"table {name}")


def _class_and_keys(inputs: Properties) -> dict[str, Any]:
    """Storage class, protection, encryption and limits, as creation and update take them."""
    wanted: dict[str, Any] = {}
    if inputs.get("tableClass"):
        wanted["TableClass"] = inputs["tableClass"]
    if inputs.get("deletionProtectionEnabled") is not None:
        wanted["DeletionProtectionEnabled"] = bool(inputs["deletionProtectionEnabled"])
    if inputs.get("serverSideEncryption"):
        block = inputs["serverSideEncryption"]
        key = {"KMSMasterKeyId": block["kmsKeyArn"], "SSEType": "KMS"} if block.get("kmsKeyArn") else {}
        wanted["SSESpecification"] = {"Enabled": bool(block["enabled"]), **key}
    if inputs.get("onDemandThroughput"):
        limits = inputs["onDemandThroughput"]
        wanted["OnDemandThroughput"] = {name[0].upper() + name[1:]: int(limit) for name, limit in limits.items()}
    return wanted


RESOURCES = (Table(),)


def table(context: Context, arguments: Properties) -> Properties:
    """A table by name."""
    name = str(arguments["name"])
    handler = Table()
    found = handler.read(context, name, None)
    if found is None:
        raise CheckError([("name", f"there is no table {name}")])
    return {**found, **handler.settings(context, name, {}), **arguments, "id": name}


INVOKES: dict[str, Invoke] = {"aws:dynamodb/getTable:getTable": table}
