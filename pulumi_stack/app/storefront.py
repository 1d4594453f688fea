"""The storefront: a small web server in a container that shows orders as they are now.

GET /orders/{order_id} → the order or 404; GET /health → 200 while it serves. It listens on $PORT.
"""

import json
import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aws import client
from botocore.exceptions import BotoCoreError, ClientError

ORDERS = os.environ["ORDERS_TABLE"]


def order(order_id: str) -> tuple[int, dict[str, Any]]:
    """Status and body for one order; 503 while the table cannot be reached. Strongly consistent."""
    try:
        found = client("dynamodb").get_item(TableName=ORDERS, Key={"order_id": {"S": order_id}}, ConsistentRead=True)
    except (BotoCoreError, ClientError) as error:
        return 503, {"error": type(error).__name__}
    item = found.get("Item")
    if item is None:
        return 404, {"error": "no such order"}
    return 200, {"order_id": order_id, "status": item["status"]["S"]}


class Storefront(BaseHTTPRequestHandler):
    """One connection from the load balancer."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Route by path."""
        path = self.path.partition("?")[0].strip("/").split("/")
        if path == ["health"]:
            status, body = 200, {"ok": True}
        elif len(path) == 2 and path[0] == "orders":
            status, body = order(path[1])
        else:
            status, body = 404, {"error": "no such page"}
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_arguments: Any) -> None:
        """The load balancer keeps the access log."""


class Server(ThreadingHTTPServer):
    """Many connections at once; a restart must not wait for old ones."""

    daemon_threads = True
    request_queue_size = 128


def main() -> None:
    """Serve until SIGTERM, then end what is under way: ECS drains the target before it sends one."""
    server = Server(("0.0.0.0", int(os.environ.get("PORT", "8080"))), Storefront)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    client("dynamodb")  # before the first request: making a client takes a while
    sys.stdout.write("storefront: listening\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
