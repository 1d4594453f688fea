"""Customers of the shop: most buy, some stroll, a few are hasty or mistype.

Run by `blackstart load`, which says where the stack is. Standard library and Locust only: boto3 must not be
imported before gevent has patched the sockets.
"""

import json
import os
import random
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


CATEGORIES = ("tea", "coffee", "cups")
BROWSES = "cache" in STACK["outputs"].get("parts", ())
TEA = {"items": [{"sku": "tea", "quantity": 1}]}


class Customer(HttpUser):
    """What all customers do."""

    abstract = True
    host = API_URL
    wait_time = between(0.2, 0.6)

    def on_start(self) -> None:
        """Nobody has ordered anything yet."""
        self.order_id = ""

    def place(self, key: str) -> str:
        """POST /orders; the order's id, '' when it failed."""
        body = {"customer": f"customer-{id(self)}", **TEA}
        headers = {"Idempotency-Key": key}
        with self.client.post("/orders", json=body, headers=headers, catch_response=True) as reply:
            if reply.status_code not in {200, 201}:
                reply.failure(f"expected 201, got {reply.status_code}")
                return ""
            return str(reply.json()["order_id"])

    def look(self) -> None:
        """GET /orders/{order_id}, of the last order."""
        if self.order_id:
            self.client.get(f"/orders/{self.order_id}", name="/orders/{order_id}")

    def browse(self) -> None:
        """GET /catalogue/{category}, where the shop has that part."""
        if BROWSES:
            self.client.get(f"/catalogue/{random.choice(CATEGORIES)}", name="/catalogue/{category}")


class Buyer(Customer):
    """Looks at a shelf, orders, and looks after the order twice."""

    weight = 5

    @task
    def journey(self) -> None:
        """From the shelf to the order."""
        self.browse()
        self.order_id = self.place(str(uuid.uuid4()))
        self.wait()
        self.look()
        self.wait()
        self.look()


class Browser(Customer):
    """Walks along the shelves; one time in ten something is ordered after all."""

    weight = 3

    @task(9)
    def stroll(self) -> None:
        """A shelf, or the last order."""
        self.browse()
        self.look()

    @task(1)
    def give_in(self) -> None:
        """Order."""
        self.order_id = self.place(str(uuid.uuid4()))


class Hasty(Customer):
    """Presses the button twice: it must be one order."""

    weight = 1

    @task
    def twice(self) -> None:
        """POST /orders two times with one key."""
        key = str(uuid.uuid4())
        first, second = self.place(key), self.place(key)
        if first and second and first != second:
            raise AssertionError(f"one key made two orders: {first} and {second}")
        self.order_id = first


class Mistaken(Customer):
    """Sends an order without items, which is refused, which is right."""

    weight = 1

    @task
    def mistype(self) -> None:
        """An order without items, then one with."""
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        with self.client.post(
            "/orders", json={"customer": "c"}, headers=headers, name="/orders (invalid)", catch_response=True
        ) as reply:
            if reply.status_code == 400:
                reply.success()
            else:
                reply.failure(f"expected 400, got {reply.status_code}")
        self.order_id = self.place(str(uuid.uuid4()))
