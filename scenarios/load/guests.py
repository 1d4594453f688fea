"""Guests, who have no account: most buy, some stroll, a few are hasty or mistype."""

import uuid

from locust import task
from visitor import Visitor

TEA = {"items": [{"sku": "tea", "quantity": 1}]}


class Guest(Visitor):
    """What all guests do."""

    abstract = True

    def place(self, key: str) -> str:
        """POST /orders; the order's id, '' when it failed."""
        body = {"customer": f"guest-{id(self)}", **TEA}
        placed = self.asks("POST", "/orders", 201, 200, json=body, headers={"Idempotency-Key": key})
        return "" if placed is None else str(placed.json()["order_id"])


class Buyer(Guest):
    """Looks at a shelf, orders, and looks after the order twice."""

    weight = 2

    @task
    def journey(self) -> None:
        """From the shelf to the order."""
        self.browse()
        self.order_id = self.place(str(uuid.uuid4()))
        self.wait()
        self.look()
        self.wait()
        self.look()


class Browser(Guest):
    """Walks along the shelves; one time in ten something is ordered after all."""

    weight = 4

    @task(9)
    def stroll(self) -> None:
        """A shelf, or the last order."""
        self.browse()
        self.look()

    @task(1)
    def give_in(self) -> None:
        """Order."""
        self.order_id = self.place(str(uuid.uuid4()))


class Hasty(Guest):
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


class Mistaken(Guest):
    """Sends an order without items, which is refused, which is right."""

    weight = 1

    @task
    def mistype(self) -> None:
        """An order without items, then one with."""
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        self.asks("POST", "/orders", 400, name="/orders (invalid)", json={"customer": "c"}, headers=headers)
        self.order_id = self.place(str(uuid.uuid4()))
