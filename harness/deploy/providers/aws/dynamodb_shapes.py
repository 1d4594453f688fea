"""The blocks of a DynamoDB table as AWS takes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.deploy.providers.resource import Properties


def attribute_definitions(inputs: Properties) -> list[dict[str, str]]:
    """The attributes that keys are made of."""
    return [{"AttributeName": one["name"], "AttributeType": one["type"]} for one in inputs.get("attributes") or ()]


def index_updates(olds: Properties, news: Properties) -> Iterator[dict[str, Any]]:
    """The steps from the old global indexes to the new ones. An index with other keys goes and comes anew."""
    before = {one["name"]: one for one in olds.get("globalSecondaryIndexes") or ()}
    after = {one["name"]: one for one in news.get("globalSecondaryIndexes") or ()}
    provisioned = news["billingMode"] == "PROVISIONED"
    for name, old in before.items():
        if name not in after or index_of(old, None) != index_of(after[name], None):
            yield {"Delete": {"IndexName": name}}
    for name, new in after.items():
        capacity = throughput(new) if provisioned else None
        if name not in before or index_of(before[name], None) != index_of(new, None):
            yield {"Create": index_of(new, capacity)}
        elif capacity and throughput(before[name]) != capacity:
            yield {"Update": {"IndexName": name, "ProvisionedThroughput": capacity}}


def key_schema(inputs: Properties) -> list[dict[str, str]]:
    """Hash and range key, or the several keys of a newer index."""
    if inputs.get("keySchemas"):
        return [{"AttributeName": key["attributeName"], "KeyType": key["keyType"]} for key in inputs["keySchemas"]]
    keys = [{"AttributeName": inputs["hashKey"], "KeyType": "HASH"}]
    return keys + ([{"AttributeName": inputs["rangeKey"], "KeyType": "RANGE"}] if inputs.get("rangeKey") else [])


def throughput(inputs: Properties) -> dict[str, int]:
    """Provisioned capacity; one unit where the program leaves it open."""
    return {
        "ReadCapacityUnits": int(inputs.get("readCapacity") or 1),
        "WriteCapacityUnits": int(inputs.get("writeCapacity") or 1),
    }


def index_seen(index: Properties) -> Properties:
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


def stream_of(inputs: Properties) -> dict[str, Any]:
    """The stream's settings."""
    if not inputs.get("streamEnabled"):
        return {"StreamEnabled": False}
    return {"StreamEnabled": True, "StreamViewType": inputs.get("streamViewType", "NEW_AND_OLD_IMAGES")}


def index_of(index: Properties, capacity: dict[str, int] | None) -> dict[str, Any]:
    """An index as AWS takes it."""
    projection: dict[str, Any] = {"ProjectionType": index["projectionType"]}
    if index.get("nonKeyAttributes"):
        projection["NonKeyAttributes"] = index["nonKeyAttributes"]
    body = {"IndexName": index["name"], "KeySchema": key_schema(index), "Projection": projection}
    return body | ({"ProvisionedThroughput": capacity} if capacity else {})
