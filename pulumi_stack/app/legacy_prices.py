"""The price service of before: prices in the program, one server, nothing of AWS. It is to be strangled.

GET /prices/{sku} → {"sku", "cents"} or 404; GET /delivery/{sku} → {"sku", "days"} or 404; GET /health → 200.
Every answer says in `x-served-by` who gave it. It listens on $PORT.
"""

import json
import os
import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PRICES = {"tea": 350, "coffee": 450, "cup": 900}
DAYS = {"tea": 2, "coffee": 2, "cup": 5}


class Prices(BaseHTTPRequestHandler):
    """One connection from the load balancer."""

    protocol_version = "HTTP/1.1"
    served_by = "legacy"

    def price(self, sku: str) -> int | None:
        """Cents; None when nobody knows it."""
        return PRICES.get(sku)

    def days(self, sku: str) -> int | None:
        """Days of delivery."""
        return DAYS.get(sku)

    def do_GET(self) -> None:
        """Route by path."""
        page, _, sku = self.path.partition("?")[0].strip("/").partition("/")
        found = {"prices": self.price, "delivery": self.days}.get(page)
        value = found(sku) if found else None
        body: dict[str, Any] = {"sku": sku, "cents" if page == "prices" else "days": value}
        if page == "health":
            self._answer(200, {"ok": True})
        else:
            self._answer(404 if value is None else 200, body if value is not None else {"error": "not known here"})

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("X-Served-By", self.served_by)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_arguments: Any) -> None:
        """The load balancer keeps the access log."""


class Server(ThreadingHTTPServer):
    """Many connections at once; a restart must not wait for old ones."""

    daemon_threads = True
    request_queue_size = 128


def serve(handler: type[Prices]) -> None:
    """Serve until SIGTERM, then end what is under way: ECS drains the target before it sends one."""
    server = Server(("0.0.0.0", int(os.environ.get("PORT", "8080"))), handler)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever()


if __name__ == "__main__":
    serve(Prices)
