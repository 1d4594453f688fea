"""What an order is: reading one from a request, and its key."""

import json
import uuid
from dataclasses import dataclass
from typing import Any

_NAMESPACE = uuid.UUID("6f1c3a52-6d0e-4b7e-9a53-0d8f3e1c7b11")
_MOST_ITEMS = 20
_MOST_OF_ONE = 1_000
CHANNELS = frozenset({"email", "sms", "push", "live"})


class InvalidOrderError(Exception):
    """The request is no order; the text says what is wrong, for the customer."""


@dataclass(frozen=True)
class Item:
    """So many of one article."""

    sku: str
    quantity: int


@dataclass(frozen=True)
class Order:
    """A valid order, not yet placed. `channels` are those over which the customer wants to be told."""

    order_id: str
    idempotency_key: str
    customer: str
    items: tuple[Item, ...]
    channels: tuple[str, ...] = ()


def read_order(body: str, idempotency_key: str) -> Order:
    """The order in a request. The same idempotency key of the same customer always gives the same order id.

    Raises:
        InvalidOrderError: the body is not an order, or the key is missing.
    """
    if not idempotency_key:
        raise InvalidOrderError("header Idempotency-Key is required")
    try:
        data = json.loads(body)
    except ValueError as error:
        raise InvalidOrderError("the body is not JSON") from error
    if not isinstance(data, dict) or not isinstance(data.get("customer"), str) or not data["customer"].strip():
        raise InvalidOrderError("customer is required")
    items = tuple(_read_item(item) for item in _listed(data.get("items")))
    if len({item.sku for item in items}) != len(items):
        raise InvalidOrderError("each sku may occur once")
    order_id = str(uuid.uuid5(_NAMESPACE, f"{data['customer']}\n{idempotency_key}"))
    return Order(
        order_id=order_id,
        idempotency_key=idempotency_key,
        customer=data["customer"],
        items=items,
        channels=_read_channels(data.get("notify", [])),
    )


def _read_channels(named: Any) -> tuple[str, ...]:
    if not isinstance(named, list) or not all(isinstance(one, str) and one in CHANNELS for one in named):
        raise InvalidOrderError(f"notify must be a list of {', '.join(sorted(CHANNELS))}")
    return tuple(sorted(set(named)))


def _listed(items: Any) -> list[Any]:
    if not isinstance(items, list) or not items:
        raise InvalidOrderError("items must be a list of at least one")
    if len(items) > _MOST_ITEMS:
        raise InvalidOrderError(f"at most {_MOST_ITEMS} items")
    return items


def _read_item(item: Any) -> Item:
    if not isinstance(item, dict) or not isinstance(item.get("sku"), str):
        raise InvalidOrderError("each item needs a sku")
    quantity = item.get("quantity")
    if isinstance(quantity, bool) or not isinstance(quantity, int) or not 1 <= quantity <= _MOST_OF_ONE:
        raise InvalidOrderError(f"quantity of {item['sku']} must be a whole number from 1 to {_MOST_OF_ONE}")
    return Item(sku=item["sku"], quantity=quantity)
