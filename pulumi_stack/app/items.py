"""DynamoDB's items as plain Python values, and back."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

_SERIALIZE, _DESERIALIZE = TypeSerializer().serialize, TypeDeserializer().deserialize


def wire(values: Mapping[str, Any]) -> dict[str, Any]:
    """`{"pk": "A"}` → `{"pk": {"S": "A"}}`."""
    return {name: _SERIALIZE(value) for name, value in values.items()}


def plain(item: Mapping[str, Any]) -> dict[str, Any]:
    """`{"n": {"N": "1"}}` → `{"n": 1}`; whole numbers come back as int."""
    return {name: _whole(_DESERIALIZE(value)) for name, value in item.items()}


def _whole(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, list):
        return [_whole(one) for one in value]
    return {name: _whole(one) for name, one in value.items()} if isinstance(value, dict) else value
