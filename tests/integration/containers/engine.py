"""A Docker engine at its edge: the few calls of its HTTP API that testcontainers makes, over a loopback port.

A "container" is the pinned ministack as a process of its own; an image named `broken` ends at once, with code 55.
"""

import json
import os
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit


@dataclass
class Container:
    """One container: what was asked for, and its process."""

    asked: dict[str, Any]
    port: int
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        settings = {
            **dict(pair.split("=", 1) for pair in self.asked["Env"]),
            "GATEWAY_PORT": str(self.port),
            "BIND_HOST": "127.0.0.1",
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
            "DOCKER_HOST": "unix:///nonexistent",
        }
        broken = [sys.executable, "-c", "import sys; sys.exit(55)"]
        command = broken if "broken" in self.asked["Image"] else [str(Path(sys.executable).with_name("ministack"))]
        self.process = subprocess.Popen(
            command, env={**os.environ, **settings}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    @property
    def status(self) -> str:
        if self.process is None:
            return "created"
        return "running" if self.process.poll() is None else "exited"

    def remove(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@dataclass
class Engine:
    """The engine; `url` is for DOCKER_HOST."""

    free_port: Any
    containers: dict[str, Container] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)
    _server: ThreadingHTTPServer | None = None

    def start(self) -> None:
        handler = type("Handler", (_Handler,), {"engine": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        for container in self.containers.values():
            container.remove()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"tcp://127.0.0.1:{self._server.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    engine: ClassVar[Engine]
    protocol_version = "HTTP/1.1"

    def log_message(self, *_arguments: object) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        path = self._path()
        if path == "/version":
            self._answer({"ApiVersion": "1.47", "MinAPIVersion": "1.24", "Version": "27.0"})
        elif path == "/_ping":
            self._answer("OK")
        elif path == "/networks":
            self._answer([])
        elif path.endswith("/logs"):
            self._raw(b"\x01\0\0\0\0\0\0\x10License required")
        elif path == "/containers/json":
            self._answer([])
        elif path.startswith("/containers/"):
            identity = path.split("/")[2]
            container = self.engine.containers[identity]
            ports = {"4566/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(container.port)}]}
            self._answer(
                {
                    "Id": identity,
                    "Name": "/emulator",
                    "Image": container.asked["Image"],
                    "State": {"Status": container.status},
                    "Config": {"Tty": False, "Labels": {}},
                    "NetworkSettings": {"Ports": ports, "Networks": {}},
                }
            )
        else:
            self._answer({"Id": "sha256:1", "RepoTags": []})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self._path()
        if path == "/containers/create":
            identity = f"c{len(self.engine.containers)}".ljust(64, "0")
            self.engine.containers[identity] = Container(json.loads(body), self.engine.free_port())
            self._answer({"Id": identity, "Warnings": []}, 201)
        elif path.endswith("/start"):
            self.engine.containers[path.split("/")[2]].start()
            self._answer(None, 204)
        else:
            self._answer({}, 200)

    def do_DELETE(self) -> None:
        identity = self._path().split("/")[2]
        self.engine.containers.pop(identity).remove()
        self.engine.removed.append(identity)
        self._answer(None, 204)

    def _path(self) -> str:
        parts = urlsplit(self.path).path.split("/")
        return "/" + "/".join(parts[2:] if parts[1].startswith("v1") else parts[1:])

    def _answer(self, body: Any, status: int = 200) -> None:
        self._raw(b"" if body is None else json.dumps(body).encode(), status)

    def _raw(self, data: bytes, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
