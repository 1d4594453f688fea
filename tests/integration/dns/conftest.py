"""One cloud with quick health checks and short TTLs for all tests of this folder."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from harness.cloud.client import CloudSettings, RunningCloud, start_cloud


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCloud]:
    settings = CloudSettings(
        state_dir=tmp_path_factory.mktemp("cloud"), detection_s=0.4, health_interval_s=0.2, alias_ttl_s=0.5
    )
    running = start_cloud(settings)
    yield running
    running.stop()


@dataclass
class Site:
    """A small web server that can be made sick; says its name."""

    name: str
    status: int = 200
    _server: ThreadingHTTPServer | None = None

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.server_address[1])

    def start(self) -> None:
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = f"{site.name} {self.path}".encode()
                self.send_response(site.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site("site")
    made.start()
    yield made
    made.stop()


@dataclass
class Zone:
    """A hosted zone of this test's own, as a user sees it."""

    cloud: RunningCloud
    name: str = field(default_factory=lambda: f"z{uuid.uuid4().hex[:8]}.example")
    id: str = ""

    @property
    def route53(self) -> Any:
        return self.cloud.target.client("route53")

    def put(self, name: str, kind: str = "A", **fields: Any) -> None:
        """UPSERT a record; without values it is an alias or fails."""
        full = f"{name}.{self.name}" if name else self.name
        if "values" in fields:
            fields["ResourceRecords"] = [{"Value": value} for value in fields.pop("values")]
            fields.setdefault("TTL", 1)
        change = {"Action": "UPSERT", "ResourceRecordSet": {"Name": full, "Type": kind, **fields}}
        self.route53.change_resource_record_sets(HostedZoneId=self.id, ChangeBatch={"Changes": [change]})

    def check(self, **config: Any) -> str:
        """A new health check; returns its id."""
        given = {"Type": "HTTP", "IPAddress": "127.0.0.1", "FailureThreshold": 2, **config}
        given = {name: value for name, value in given.items() if value is not None}
        made = self.route53.create_health_check(CallerReference=uuid.uuid4().hex, HealthCheckConfig=given)
        return str(made["HealthCheck"]["Id"])

    def status(self, check: str) -> str:
        shown = self.route53.get_health_check_status(HealthCheckId=check)["HealthCheckObservations"]
        return str(shown[0]["StatusReport"]["Status"])

    def test(self, name: str, kind: str = "A") -> list[str]:
        """TestDNSAnswer."""
        answer = self.route53.test_dns_answer(HostedZoneId=self.id, RecordName=f"{name}.{self.name}", RecordType=kind)
        return list(answer["RecordData"])

    def query(self, name: str, kind: int = 1, *, tcp: bool = False) -> tuple[int, int, bytes]:
        """A DNS query of our own: response code, number of answers, the whole message."""
        labels = f"{name}.{self.name}".split(".")
        asked = b"".join(bytes([len(label)]) + label.encode() for label in labels) + b"\0"
        message = struct.pack("!HHHHHH", 99, 0x0100, 1, 0, 0, 0) + asked + struct.pack("!HH", kind, 1)
        place = ("127.0.0.1", self.cloud.control.names_port())
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM) as client:
            client.settimeout(60)
            client.connect(place)
            client.sendall(len(message).to_bytes(2) + message if tcp else message)
            said = client.recv(4096)
        said = said[2:] if tcp else said
        number, flags, _, answers = struct.unpack_from("!HHHH", said)
        assert number == 99
        return flags & 0xF, answers, said

    def get(self, name: str, path: str = "/") -> tuple[int, str]:
        """An HTTP request through the front door, as a client with http_proxy makes it."""
        connection = http.client.HTTPConnection("127.0.0.1", self.cloud.control.names_port(), timeout=60)
        try:
            connection.request("GET", f"http://{name}.{self.name}{path}")
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except (OSError, http.client.HTTPException) as error:
            return 0, str(error)
        finally:
            connection.close()


@pytest.fixture
def zone(cloud: RunningCloud) -> Iterator[Zone]:
    made = Zone(cloud)
    answer = made.route53.create_hosted_zone(Name=made.name, CallerReference=uuid.uuid4().hex)
    made.id = answer["HostedZone"]["Id"]
    yield made
    cloud.control.heal()
