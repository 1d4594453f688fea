"""The storefront: a small web server in a container that shows orders as they are now.

GET /orders/{order_id} → the order or 404; GET /health → 200 while it serves. It listens on $PORT.
"""

import os
import sys
from typing import Any

from aws import client
from botocore.exceptions import BotoCoreError, ClientError
from business_metrics import metrics
from json_server import JsonHandler, listening
from structured_log import log

ORDERS = os.environ["ORDERS_TABLE"]
RELEASE = os.environ.get("RELEASE", "first")
"""Shown with each answer: which release it comes from."""


def order(order_id: str) -> tuple[int, dict[str, Any]]:
    """Status and body for one order; 503 while the table cannot be reached. Strongly consistent."""
    try:
        found = client("dynamodb").get_item(TableName=ORDERS, Key={"order_id": {"S": order_id}}, ConsistentRead=True)
    except (BotoCoreError, ClientError) as error:
        log("order not shown", order_id=order_id, error=str(error), release=RELEASE, **metrics(StorefrontErrors=1))
        return 503, {"error": type(error).__name__}
    item = found.get("Item")
    if item is None:
        return 404, {"error": "no such order"}
    return 200, {"order_id": order_id, "status": item["status"]["S"]}


class Storefront(JsonHandler):
    """One connection from the load balancer."""

    def show(self, page: str, about: str) -> None:
        """An order, or no such page."""
        status, body = order(about) if page == "orders" and about else (404, {"error": "no such page"})
        self.answer(status, body, X_Release=RELEASE)


def main() -> None:
    """Listen, and serve once a client is there."""
    server = listening(Storefront)
    client("dynamodb")  # before the first request: making a client takes a while
    sys.stdout.write("storefront: listening\n")
    sys.stdout.flush()
    server.serve_until_told()


if __name__ == "__main__":
    main()
