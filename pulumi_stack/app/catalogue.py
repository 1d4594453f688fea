"""The catalogue's table: one table, several kinds of things, each question one read.

| thing    | pk             | sk               | by_category: pk → sk       |
|----------|----------------|------------------|----------------------------|
| product  | PRODUCT#sku    | PRODUCT          | CATEGORY#name → price, sku |
| name     | NAME#name      | NAME             |                            |
| category | CATEGORY#name  | CATEGORY         |                            |
| customer | CUSTOMER#id    | PROFILE          |                            |
| order    | CUSTOMER#id    | ORDER#order      |                            |
| cart     | CUSTOMER#id    | CART#sku         | expires (app/keep_cart.py) |

A name belongs to one product: a transaction writes the product, its name and its category's count, or nothing.
"""

import os
from typing import Any

from aws import client
from botocore.exceptions import ClientError
from items import plain, wire

TABLE = os.environ.get("CATALOGUE_TABLE", "")


class ExistsError(Exception):
    """There is a product of this sku or name."""


class ChangedError(Exception):
    """Somebody else changed the product in the meantime."""


def product_item(product: dict[str, Any]) -> dict[str, Any]:
    """The item of a product with sku, name, category, price_cents and version."""
    return {
        **product,
        "pk": f"PRODUCT#{product['sku']}",
        "sk": "PRODUCT",
        "category_pk": f"CATEGORY#{product['category']}",
        "category_sk": f"{product['price_cents']:010d}#{product['sku']}",
    }


def add(product: dict[str, Any]) -> dict[str, Any]:
    """Add a product, with its name and the count of its category, or nothing.

    Raises:
        ExistsError: the sku or the name is taken.
    """
    made = {**product, "version": 1}
    nothing_there = "attribute_not_exists(pk)"
    name = {"pk": f"NAME#{product['name'].lower()}", "sk": "NAME", "sku": product["sku"]}
    try:
        client("dynamodb").transact_write_items(
            TransactItems=[
                {"Put": {"TableName": TABLE, "Item": wire(product_item(made)), "ConditionExpression": nothing_there}},
                {"Put": {"TableName": TABLE, "Item": wire(name), "ConditionExpression": nothing_there}},
                _count(product["category"], 1),
            ]
        )
    except ClientError as error:
        reasons = [reason.get("Code") for reason in error.response.get("CancellationReasons", [])]
        if "ConditionalCheckFailed" in reasons:
            raise ExistsError(product["sku"]) from error
        raise
    return made


def find(sku: str) -> dict[str, Any] | None:
    """The product, read strongly consistent."""
    key = wire({"pk": f"PRODUCT#{sku}", "sk": "PRODUCT"})
    item = client("dynamodb").get_item(TableName=TABLE, Key=key, ConsistentRead=True).get("Item")
    return None if item is None else shown(item)


def set_price(sku: str, price_cents: int, version: int) -> dict[str, Any]:
    """Change the price of the product as it was at `version`.

    Raises:
        ChangedError: it is no longer at that version, or is gone.
    """
    try:
        found = client("dynamodb").update_item(
            TableName=TABLE,
            Key=wire({"pk": f"PRODUCT#{sku}", "sk": "PRODUCT"}),
            UpdateExpression="SET price_cents = :price, category_sk = :sort, version = version + :one",
            ConditionExpression="version = :version",
            ExpressionAttributeValues=wire(
                {":price": price_cents, ":sort": f"{price_cents:010d}#{sku}", ":one": 1, ":version": version}
            ),
            ReturnValues="ALL_NEW",
        )
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            raise ChangedError(sku) from error
        raise
    return shown(found["Attributes"])


def remove(sku: str) -> bool:
    """Remove a product with its name and its place in the count; False when there is none."""
    product = find(sku)
    if product is None:
        return False
    keys = ({"pk": f"PRODUCT#{sku}", "sk": "PRODUCT"}, {"pk": f"NAME#{product['name'].lower()}", "sk": "NAME"})
    deletes = [{"Delete": {"TableName": TABLE, "Key": wire(key)}} for key in keys]
    client("dynamodb").transact_write_items(TransactItems=[*deletes, _count(product["category"], -1)])
    return True


def in_category(category: str, *, limit: int = 50, tries: int = 3) -> list[dict[str, Any]]:
    """The products of a category, the cheapest first; a secondary index is eventually consistent."""
    found = client("dynamodb", tries=tries).query(
        TableName=TABLE,
        IndexName="by_category",
        KeyConditionExpression="category_pk = :category",
        ExpressionAttributeValues=wire({":category": f"CATEGORY#{category}"}),
        Limit=limit,
    )
    return [shown(item) for item in found["Items"]]


def shown(item: dict[str, Any]) -> dict[str, Any]:
    """A product as customers see it."""
    return {name: value for name, value in plain(item).items() if name in _SHOWN}


_SHOWN = {"sku", "name", "category", "price_cents", "version"}


def _count(category: str, change: int) -> dict[str, Any]:
    return {
        "Update": {
            "TableName": TABLE,
            "Key": wire({"pk": f"CATEGORY#{category}", "sk": "CATEGORY"}),
            "UpdateExpression": "ADD products :change",
            "ExpressionAttributeValues": wire({":change": change}),
        }
    }
