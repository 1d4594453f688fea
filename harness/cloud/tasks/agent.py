"""What the ECS agent serves to the containers of a task: metadata (v4) and the credentials of its role.

On AWS it is at 169.254.170.2; here it is a port of loopback, which the SDKs accept for
AWS_CONTAINER_CREDENTIALS_FULL_URI. Source:
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4-fargate.html
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol


class Served(Protocol):
    """A task, as its containers may ask about it."""

    def metadata(self, container: str = "") -> dict[str, Any]:
        """The task's metadata, or one container's by its name."""
        ...

    def stats(self, container: str = "") -> dict[str, Any]:
        """CPU and memory used, in Docker's form: of one container, or of all by their ids."""
        ...

    def credentials(self) -> Mapping[str, str]:
        """The role's credentials in the form of the credentials endpoint; empty without a role."""
        ...


@dataclass(slots=True)
class Agent:
    """One server for all tasks of a cloud, started with the first. Tasks are known by a secret in the path."""

    _tasks: dict[str, Served] = field(default_factory=dict)
    _server: ThreadingHTTPServer | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, secret: str, task: Served) -> dict[str, str]:
        """Serve a task; returns the variables that its containers need, `{container}` for a container's name."""
        with self._lock:
            if self._server is None:
                self._server = _Server(("127.0.0.1", 0), _handler(self._tasks))
                threading.Thread(target=self._server.serve_forever, name="ECS agent", daemon=True).start()
            port = self._server.server_address[1]
        self._tasks[secret] = task
        address = f"http://127.0.0.1:{port}"
        variables = {"ECS_CONTAINER_METADATA_URI_V4": f"{address}/v4/{secret}/{{container}}"}
        if task.credentials():
            variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = f"{address}/v2/credentials/{secret}"
        return variables

    def remove(self, secret: str) -> None:
        """Forget a task."""
        self._tasks.pop(secret, None)

    def close(self) -> None:
        """End the server."""
        with self._lock:
            server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def _answer(tasks: Mapping[str, Served], path: str) -> Mapping[str, Any] | None:
    match path.strip("/").split("/"):
        case ["v2", "credentials", secret] if secret in tasks:
            return tasks[secret].credentials() or None
        case ["v4", secret, _, "task"] if secret in tasks:
            return tasks[secret].metadata()
        case ["v4", secret, _, "task", "stats"] if secret in tasks:
            return tasks[secret].stats()
        case ["v4", secret, container, "stats"] if secret in tasks:
            return tasks[secret].stats(container)
        case ["v4", secret, container] if secret in tasks:
            return tasks[secret].metadata(container)
    return None


def _handler(tasks: Mapping[str, Served]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            found = _answer(tasks, self.path.partition("?")[0])
            body = json.dumps(found if found is not None else {"message": "not found"}).encode()
            self.send_response(200 if found is not None else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing."""

    return Handler
