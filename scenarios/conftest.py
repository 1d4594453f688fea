"""What every scenario of the orders service needs: a customer who orders, and eyes for what became of it."""

import json
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Reply:
    """An HTTP answer."""

    status: int
    body: dict[str, Any]


@dataclass(frozen=True)
class Shop:
    """The orders service as its customers and its operators see it."""

    url: str
    outputs: dict[str, Any]
    aws: Callable[..., Any]

    def place(self, *items: tuple[str, int], key: str = "", body: Any = None) -> Reply:
        """POST /orders."""
        order = {"customer": "ada", "items": [{"sku": sku, "quantity": quantity} for sku, quantity in items]}
        return self._send("POST", "/orders", order if body is None else body, key or new_key())

    def order(self, order_id: str) -> Reply:
        """GET /orders/{order_id}."""
        return self._send("GET", f"/orders/{order_id}", None, "")

    def status(self, order_id: str) -> str:
        """The order's status, '' when there is no such order."""
        return str(self.order(order_id).body.get("status", ""))

    def receipts(self, order_id: str) -> int:
        """How many versions of the order's receipt there are."""
        key = f"receipts/{order_id}.json"
        found = self.aws("s3").list_object_versions(Bucket=self.outputs["receipts_bucket"], Prefix=key)
        return len(found.get("Versions", ()))

    def charges(self, order_id: str) -> int:
        """How many payments there are for the order."""
        key = {"order_id": {"S": order_id}}
        table = self.outputs["payments_table"]
        return int("Item" in self.aws("dynamodb").get_item(TableName=table, Key=key, ConsistentRead=True))

    def _send(self, method: str, path: str, body: Any, key: str) -> Reply:
        data = None if body is None else body.encode() if isinstance(body, str) else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **({"Idempotency-Key": key} if key else {})}
        request = urllib.request.Request(self.url + path, data=data, headers=headers, method=method)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
                return Reply(answer.status, json.load(answer))
        except urllib.error.HTTPError as error:
            with error:
                return Reply(error.code, json.loads(error.read() or b"{}"))


def new_key() -> str:
    """A fresh idempotency key."""
    return f"scenario-{uuid.uuid4()}"


@pytest.fixture(scope="session")
def shop(blackstart_stack: Any, blackstart_aws: Any) -> Shop:
    """The deployed orders service."""
    outputs = blackstart_stack.outputs
    return Shop(url=outputs["api_url"], outputs=outputs, aws=blackstart_aws)
