"""A web server in a container: JSON on $PORT, no more than $AT_ONCE requests at a time, ends as ECS asks it to."""

import contextlib
import json
import os
import random
import signal
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import time_budget
from compartment import Compartment, FullError

PATIENCE_S = float(os.environ.get("PATIENCE_S", "5"))
"""What a request may take: who looks at a page has gone by then."""


class JsonHandler(BaseHTTPRequestHandler):
    """One connection from the load balancer. GET /{page}/{about} is answered by `show`, GET /health with 200.

    What is too much is turned away, with 503 and when to come again. Health is always answered: ECS would replace
    busy tasks, and the load would fall on fewer.
    """

    protocol_version = "HTTP/1.1"
    admitted: ClassVar = Compartment(int(os.environ.get("AT_ONCE", "32")))
    compartments: ClassVar[Mapping[str, Compartment]] = {}
    """Pages that may not take all places of the server, because what they wait for may hang."""

    def do_GET(self) -> None:
        """Route by path."""
        page, _, about = self.path.partition("?")[0].strip("/").partition("/")
        if page == "health":
            self.answer(200, {"ok": True})
            return
        time_budget.begin(PATIENCE_S)
        try:
            with self.admitted, self.compartments.get(page, contextlib.nullcontext()):
                self.show(page, about)
        except FullError:
            later_s = random.randint(1, 3)  # noqa: S311 - they shall not all come again at once
            self.answer(503, {"error": "too busy; try again"}, Retry_After=str(later_s))

    def show(self, page: str, about: str) -> None:
        """Answer one page."""
        raise NotImplementedError

    def answer(self, status: int, body: dict[str, Any], **headers: str) -> None:
        """Send the body as JSON; `X_Served_By="me"` becomes a header."""
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_arguments: Any) -> None:
        """The load balancer keeps the access log."""


class JsonServer(ThreadingHTTPServer):
    """Many connections at once; a restart must not wait for old ones."""

    daemon_threads = True
    request_queue_size = 128

    def serve_until_told(self) -> None:
        """Serve until SIGTERM, then end what is under way: ECS drains the target before it sends one."""
        signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=self.shutdown).start())
        self.serve_forever()


def listening(handler: type[JsonHandler]) -> JsonServer:
    """A server on $PORT."""
    return JsonServer(("0.0.0.0", int(os.environ.get("PORT", "8080"))), handler)
