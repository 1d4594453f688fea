"""DynamoDB's condition keys: whose items a call reaches, and which of their attributes it names.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

Document = Mapping[str, Any]

_EQUALS = re.compile(r"(#?[\w.-]+)\s*=\s*(:[\w.-]+)")
_NAMED = re.compile(r"(?<![\w.:#])(#?[A-Za-z_]\w*)")
_WORDS: Final = frozenset((
    "and", "or", "not", "between", "in", "set", "remove", "add", "delete", "size", "contains", "begins_with",
    "attribute_exists", "attribute_not_exists", "attribute_type", "list_append", "if_not_exists",
))  # fmt: skip
_EXPRESSIONS: Final = (
    "ProjectionExpression", "KeyConditionExpression", "FilterExpression", "ConditionExpression", "UpdateExpression",
)  # fmt: skip
_MEMBERS: Final = {
    "dynamodb:returnvalues": "ReturnValues",
    "dynamodb:returnconsumedcapacity": "ReturnConsumedCapacity",
}
_TRANSACTED: Final = {"PutItem": "Put", "UpdateItem": "Update", "DeleteItem": "Delete", "GetItem": "Get"}


def condition(name: str, asked: Document, context: Any) -> str | list[str] | None:
    """The value of a condition key for a call, as IAM asks about one action on one table of it."""
    if name in _MEMBERS:
        return str(asked.get(_MEMBERS[name]) or "NONE")
    if name not in ("dynamodb:leadingkeys", "dynamodb:attributes"):
        return None
    operation = context.action.partition(":")[2]
    table, _, index = context.resource_arn.partition(":table/")[2].partition("/index/")
    parts = list(_parts(asked, operation, table))
    if name == "dynamodb:attributes":
        return list(dict.fromkeys(one for part in parts for one in _attributes(part))) or None
    leading = _leading(table, index)
    return list(dict.fromkeys(one for part in parts for one in _keys(part, leading))) or None


def _parts(asked: Document, operation: str, table: str) -> Iterator[Document]:
    """What the call does to the table, each as if it were a call of its own."""
    for member in asked.get("TransactItems") or ():
        one = member.get(_TRANSACTED.get(operation, "ConditionCheck")) or {}
        if _name(one.get("TableName", "")) == table:
            yield one
    for named, batch in (asked.get("RequestItems") or {}).items():
        if _name(named) == table:
            if isinstance(batch, Mapping):
                yield from ({**batch, "Key": key} for key in batch.get("Keys") or ())
            else:
                yield from (inner for one in batch for inner in one.values())
    if "TableName" in asked:
        yield asked


def _name(table: str) -> str:
    return table.rpartition("/")[2]


def _leading(table: str, index: str) -> str:
    """The partition key's attribute."""
    from ministack.services import dynamodb

    found = dynamodb._tables.get(table) or {}  # noqa: SLF001 - this file is a seam into ministack
    indexes = [*(found.get("GlobalSecondaryIndexes") or ()), *(found.get("LocalSecondaryIndexes") or ())]
    schema = next((one["KeySchema"] for one in indexes if one["IndexName"] == index), found.get("KeySchema") or ())
    return next((str(one["AttributeName"]) for one in schema if one["KeyType"] == "HASH"), "")


def _keys(part: Document, leading: str) -> Iterator[str]:
    """The partition keys of the items; none of a Scan."""
    item = part.get("Key") or part.get("Item") or {}
    if leading in item:
        yield _text(item[leading])
    for names in (part.get("KeyConditions") or {}).get(leading, {}).get("AttributeValueList") or ():
        yield _text(names)
    aliases, values = part.get("ExpressionAttributeNames") or {}, part.get("ExpressionAttributeValues") or {}
    for name, value in _EQUALS.findall(part.get("KeyConditionExpression") or ""):
        if aliases.get(name, name) == leading and value in values:
            yield _text(values[value])


def _text(value: Mapping[str, Any]) -> str:
    return str(next(iter(value.values()), ""))


def _attributes(part: Document) -> Iterator[str]:
    """The top-level attributes that are named."""
    yield from part.get("Key") or ()
    yield from part.get("Item") or ()
    yield from part.get("AttributesToGet") or ()
    for member in ("KeyConditions", "QueryFilter", "ScanFilter", "Expected", "AttributeUpdates"):
        yield from part.get(member) or ()
    aliases = part.get("ExpressionAttributeNames") or {}
    for expression in _EXPRESSIONS:
        for name in _NAMED.findall(part.get(expression) or ""):
            if name.lower() not in _WORDS:
                yield aliases.get(name, name)
