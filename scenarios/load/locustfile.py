"""Customers of the orders service: they order, look after their order, and now and then mistype.

Run by `blackstart load`, which says where the stack is. Standard library and Locust only: boto3 must not be
imported before gevent has patched the sockets.
"""

import json
import os
import uuid
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from locust import HttpUser, between, task

STACK = json.loads(Path(os.environ["BLACKSTART_STACK_FILE"]).read_text())
API_URL = STACK["outputs"]["api_url"]


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


if not _is_loopback(API_URL) and not os.environ.get("BLACKSTART_LOAD_REMOTE"):
    raise SystemExit(f"load goes to loopback addresses only, not to {API_URL}")


class Customer(HttpUser):
    """Orders, and reads what became of it."""

    host = API_URL
    wait_time = between(0.2, 0.6)

    def on_start(self) -> None:
        """Nobody has ordered anything yet."""
        self.orders: list[str] = []

    @task(5)
    def place(self) -> None:
        """POST /orders."""
        body = {"customer": f"customer-{id(self)}", "items": [{"sku": "tea", "quantity": 1}]}
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        with self.client.post("/orders", json=body, headers=headers, catch_response=True) as reply:
            if reply.status_code != 201:
                reply.failure(f"expected 201, got {reply.status_code}")
                return
            self.orders = [*self.orders[-9:], reply.json()["order_id"]]

    @task(4)
    def look(self) -> None:
        """GET /orders/{order_id}, of an own order."""
        if self.orders:
            self.client.get(f"/orders/{self.orders[-1]}", name="/orders/{order_id}")

    @task(1)
    def mistype(self) -> None:
        """An order without items is refused, which is right."""
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        with self.client.post(
            "/orders", json={"customer": "c"}, headers=headers, name="/orders (invalid)", catch_response=True
        ) as reply:
            if reply.status_code == 400:
                reply.success()
            else:
                reply.failure(f"expected 400, got {reply.status_code}")
