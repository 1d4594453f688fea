"""DynamoDB: tables with indexes, streams, recovery, expiry and replicas; single items."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from harness.deploy.providers.aws.aws_type import AwsType, roots
from harness.deploy.providers.aws.tags import BY_ARN
from harness.deploy.providers.resource import Context, Properties


class Table(AwsType):
    """aws:dynamodb/table:Table; the id is the name."""

    token: ClassVar = "aws:dynamodb/table:Table"
    service: ClassVar = "dynamodb"
    named: ClassVar = "name"
    defaults: ClassVar = {"billingMode": "PROVISIONED"}
    tagging: ClassVar = BY_ARN
    replace_on: ClassVar = frozenset({"name", "hashKey", "rangeKey", "localSecondaryIndexes"})

    def make(self, context: Context, inputs: Properties) -> str:
        """The table first, then what can only be switched on when it is there."""
        client, name = self.client(context), str(inputs["name"])
        on_demand = inputs["billingMode"] == "PAY_PER_REQUEST"
        request: dict[str, Any] = {
            "TableName": name,
            "BillingMode": inputs["billingMode"],
            "AttributeDefinitions": [
                {"AttributeName": a["name"], "AttributeType": a["type"]} for a in inputs.get("attributes") or ()
            ],
            "KeySchema": _keys(inputs),
            "Tags": self.wire_tags(context, inputs),
        }
        if not on_demand:
            request["ProvisionedThroughput"] = _throughput(inputs)
        if inputs.get("globalSecondaryIndexes"):
            request["GlobalSecondaryIndexes"] = [
                _index(i, None if on_demand else _throughput(i)) for i in inputs["globalSecondaryIndexes"]
            ]
        if inputs.get("localSecondaryIndexes"):
            hashed = {"hashKey": inputs["hashKey"]}
            request["LocalSecondaryIndexes"] = [
                _index({**hashed, **i}, None) for i in inputs["localSecondaryIndexes"]
            ]
        if inputs.get("streamEnabled"):
            request["StreamSpecification"] = _stream(inputs)
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
        """Attributes, indexes, billing, stream, the switches and the tags, as AWS has them."""
        del inputs
        client = self.client(context)
        table = client.describe_table(TableName=resource_id)["Table"]
        expiry = client.describe_time_to_live(TableName=resource_id)["TimeToLiveDescription"]
        backups = client.describe_continuous_backups(TableName=resource_id)["ContinuousBackupsDescription"]
        recovery = backups.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus")
        tags = client.list_tags_of_resource(ResourceArn=table["TableArn"]).get("Tags", ())
        stream = table.get("StreamSpecification", {})
        ttl = {"attributeName": expiry.get("AttributeName"), "enabled": expiry["TimeToLiveStatus"] == "ENABLED"}
        return {
            "attributes": [
                {"name": one["AttributeName"], "type": one["AttributeType"]} for one in table["AttributeDefinitions"]
            ],
            "billingMode": table.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED"),
            "globalSecondaryIndexes": [_index_seen(one) for one in table.get("GlobalSecondaryIndexes", ())],
            "localSecondaryIndexes": [_index_seen(one) for one in table.get("LocalSecondaryIndexes", ())],
            "streamEnabled": stream.get("StreamEnabled", False),
            "streamViewType": stream.get("StreamViewType"),
            "ttl": ttl if ttl["attributeName"] else None,
            "pointInTimeRecovery": {"enabled": recovery == "ENABLED"},
            "replicas": [{"regionName": one["RegionName"]} for one in table.get("Replicas", ())],
            "tags": self.tagging.plain(tags),
        }

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Billing, stream, and the switches."""
        client, changed = self.client(context), roots(olds, news)
        if changed & {"billingMode", "readCapacity", "writeCapacity"}:
            billing: dict[str, Any] = {"BillingMode": news["billingMode"]}
            if news["billingMode"] == "PROVISIONED":
                billing["ProvisionedThroughput"] = _throughput(news)
            client.update_table(TableName=resource_id, **billing)
            self._wait(context, resource_id)
        if changed & {"streamEnabled", "streamViewType"}:
            client.update_table(TableName=resource_id, StreamSpecification=_stream(news))
        self._switch(context, resource_id, olds, news)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Replicas first: a table that still has one cannot go."""
        self._replicate(context, resource_id, state, {})
        self.client(context).delete_table(TableName=resource_id)

    def find(self, context: Context, inputs: Properties) -> str | None:
        """By name."""
        return str(inputs["name"]) if self.read(context, str(inputs["name"]), inputs) else None

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


def _keys(inputs: Properties) -> list[dict[str, str]]:
    keys = [{"AttributeName": inputs["hashKey"], "KeyType": "HASH"}]
    return keys + ([{"AttributeName": inputs["rangeKey"], "KeyType": "RANGE"}] if inputs.get("rangeKey") else [])


def _throughput(inputs: Properties) -> dict[str, int]:
    return {
        "ReadCapacityUnits": int(inputs.get("readCapacity") or 1),
        "WriteCapacityUnits": int(inputs.get("writeCapacity") or 1),
    }


def _index_seen(index: Properties) -> Properties:
    """An index as `describe_table` has it, in Pulumi's words."""
    keys = {key["KeyType"]: key["AttributeName"] for key in index["KeySchema"]}
    projection = index.get("Projection", {})
    return {
        "name": index["IndexName"],
        "hashKey": keys["HASH"],
        "rangeKey": keys.get("RANGE"),
        "projectionType": projection.get("ProjectionType"),
        "nonKeyAttributes": projection.get("NonKeyAttributes"),
        "readCapacity": index.get("ProvisionedThroughput", {}).get("ReadCapacityUnits"),
        "writeCapacity": index.get("ProvisionedThroughput", {}).get("WriteCapacityUnits"),
    }


def _stream(inputs: Properties) -> dict[str, Any]:
    if not inputs.get("streamEnabled"):
        return {"StreamEnabled": False}
    return {"StreamEnabled": True, "StreamViewType": inputs.get("streamViewType", "NEW_AND_OLD_IMAGES")}


def _index(index: Properties, throughput: dict[str, int] | None) -> dict[str, Any]:
    projection: dict[str, Any] = {"ProjectionType": index["projectionType"]}
    if index.get("nonKeyAttributes"):
        projection["NonKeyAttributes"] = index["nonKeyAttributes"]
    body = {"IndexName": index["name"], "KeySchema": _keys(index), "Projection": projection}
    return body | ({"ProvisionedThroughput": throughput} if throughput else {})


class TableItem(AwsType):
    """aws:dynamodb/tableItem:TableItem; the id is `table|hash[|range]`."""

    token: ClassVar = "aws:dynamodb/tableItem:TableItem"
    service: ClassVar = "dynamodb"
    replace_on: ClassVar = frozenset({"tableName", "hashKey", "rangeKey"})
    json_keys: ClassVar = frozenset({"item"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Put it."""
        item = json.loads(inputs["item"])
        self.client(context).put_item(TableName=inputs["tableName"], Item=item)
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


RESOURCES = (Table(), TableItem())
