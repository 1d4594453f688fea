"""A web server in a container: answers in JSON, listens on $PORT, ends as ECS asks it to."""

import json
import os
import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class JsonHandler(BaseHTTPRequestHandler):
    """One connection from the load balancer."""

    protocol_version = "HTTP/1.1"

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
