"""The catalogue's single table: each question one read, changes all or nothing, and a table that can be had back."""

import time
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.part("catalogue")


def product(sku: str, category: str, cents: int) -> dict[str, Any]:
    return {
        "pk": {"S": f"PRODUCT#{sku}"},
        "sk": {"S": "PRODUCT"},
        "sku": {"S": sku},
        "version": {"N": "1"},
        "category_pk": {"S": f"CATEGORY#{category}"},
        "category_sk": {"S": f"{cents:010d}#{sku}"},
    }


def test_a_category_is_listed_by_price(shop: Any, eventually: Any) -> None:
    table, category, dynamodb = shop.outputs["catalogue_table"], f"c-{uuid.uuid4().hex[:8]}", shop.aws("dynamodb")
    for sku, cents in (("dear", 90_000), ("cheap", 5), ("middle", 700)):
        dynamodb.put_item(TableName=table, Item=product(f"{sku}-{category}", category, cents))

    def listed() -> list[str]:
        found = dynamodb.query(
            TableName=table,
            IndexName="by_category",
            KeyConditionExpression="category_pk = :c",
            ExpressionAttributeValues={":c": {"S": f"CATEGORY#{category}"}},
        )
        return [item["sku"]["S"].partition("-")[0] for item in found["Items"]]

    eventually(lambda: len(listed()) == 3, within_s=60, what="the index")  # it is eventually consistent
    assert listed() == ["cheap", "middle", "dear"]


def test_a_transaction_changes_everything_or_nothing(shop: Any) -> None:
    table, mark, dynamodb = shop.outputs["catalogue_table"], uuid.uuid4().hex, shop.aws("dynamodb")
    there = product(f"there-{mark}", mark, 1)
    dynamodb.put_item(TableName=table, Item=there)
    new = product(f"new-{mark}", mark, 1)
    put = [{"Put": {"TableName": table, "Item": new}}]
    taken = {"TableName": table, "Item": there, "ConditionExpression": "attribute_not_exists(pk)"}
    with pytest.raises(ClientError) as cancelled:
        dynamodb.transact_write_items(TransactItems=[*put, {"Put": taken}])
    reasons = [reason["Code"] for reason in cancelled.value.response["CancellationReasons"]]
    assert reasons == ["None", "ConditionalCheckFailed"]
    key = {"pk": new["pk"], "sk": new["sk"]}
    assert "Item" not in dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True)


def test_a_transaction_sent_again_with_its_token_is_one(shop: Any) -> None:
    table, mark, dynamodb = shop.outputs["catalogue_table"], uuid.uuid4().hex, shop.aws("dynamodb")
    key = {"pk": {"S": f"COUNT#{mark}"}, "sk": {"S": "COUNT"}}
    add = {
        "Update": {
            "TableName": table,
            "Key": key,
            "UpdateExpression": "ADD times :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }
    }
    for _ in range(3):
        dynamodb.transact_write_items(TransactItems=[add], ClientRequestToken=mark)
    found = dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True)
    assert found["Item"]["times"]["N"] == "1"


@pytest.mark.part("scaling")
@pytest.mark.blackstart_requires("prompt-scaling")
def test_capacity_follows_the_use(shop: Any, eventually: Any) -> None:
    """Target tracking: more than 70 % of what is provisioned is read for a while, and more is provisioned."""
    table, dynamodb, key = shop.outputs["catalogue_table"], shop.aws("dynamodb"), f"LARGE#{uuid.uuid4().hex}"
    item = {"pk": {"S": key}, "sk": {"S": "LARGE"}}
    units = 96  # of a consistent read of 390 KB
    dynamodb.put_item(TableName=table, Item={**item, "text": {"S": "x" * 390_000}})

    def capacity() -> int:
        found = dynamodb.describe_table(TableName=table)["Table"]["ProvisionedThroughput"]
        return int(found["ReadCapacityUnits"])

    lowest, began_s, read = capacity(), time.monotonic(), 0

    def grown() -> bool:
        """Keep up with 95 % of what there is; what was more before may go back meanwhile."""
        nonlocal lowest, read
        lowest = min(lowest, now := capacity())
        for _ in range(20):
            if read >= 0.95 * now * (time.monotonic() - began_s):
                break
            dynamodb.get_item(TableName=table, Key=item, ConsistentRead=True)
            read += units
        return capacity() > lowest

    eventually(grown, within_s=60, what=f"more than {lowest} read units")
    scaling = shop.aws("application-autoscaling")
    did = scaling.describe_scaling_activities(ServiceNamespace="dynamodb", ResourceId=f"table/{table}")
    latest = did["ScalingActivities"][0]
    assert (latest["ScalableDimension"], latest["StatusCode"]) == ("dynamodb:table:ReadCapacityUnits", "Successful")
    assert latest["Description"].startswith("Setting read capacity units to ")
    dynamodb.delete_item(TableName=table, Key=item)


@pytest.mark.blackstart_requires("pitr-latest")
def test_the_table_of_a_moment_ago_is_had_back(shop: Any, eventually: Any) -> None:
    """Somebody wrote nonsense over a product: the table is restored beside, as it was before."""
    table, mark, dynamodb = shop.outputs["catalogue_table"], uuid.uuid4().hex, shop.aws("dynamodb")
    before = product(f"good-{mark}", mark, 1)
    key = {"pk": before["pk"], "sk": before["sk"]}
    dynamodb.put_item(TableName=table, Item=before)
    written_s = datetime.now(UTC)
    eventually(lambda: (datetime.now(UTC) - written_s).total_seconds() > 2, what="two seconds")  # the grain is one
    moment = datetime.now(UTC)
    eventually(lambda: (datetime.now(UTC) - moment).total_seconds() > 2, what="two seconds")
    dynamodb.put_item(TableName=table, Item={**before, "sku": {"S": "nonsense"}})
    restored = f"restored-{mark[:12]}"
    dynamodb.restore_table_to_point_in_time(SourceTableName=table, TargetTableName=restored, RestoreDateTime=moment)
    eventually(
        lambda: dynamodb.describe_table(TableName=restored)["Table"]["TableStatus"] == "ACTIVE",
        within_s=60,
        what="the restored table",
    )
    found = dynamodb.get_item(TableName=restored, Key=key, ConsistentRead=True)["Item"]
    assert found["sku"]["S"] == f"good-{mark}"
    now = dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True)["Item"]
    assert now["sku"]["S"] == "nonsense"
    dynamodb.delete_table(TableName=restored)
