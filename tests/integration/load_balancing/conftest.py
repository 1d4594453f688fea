"""One cloud with quick health checks for all tests of this folder; targets are small servers of the test's own."""

from __future__ import annotations

import http.client
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from harness.cloud.client import CloudSettings, RunningCloud, start_cloud
from tests.waiting import PATIENCE_S, awaited

DETECTION_S = 0.4


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCloud]:
    settings = CloudSettings(
        state_dir=tmp_path_factory.mktemp("cloud"),
        detection_s=DETECTION_S,
        health_interval_s=0.2,
        deregistration_s=30.0,
    )
    running = start_cloud(settings)
    yield running
    running.stop()


@dataclass
class Web:
    """A target: says its name and what it was asked; `health` is the status of /health; `gate` holds /slow up."""

    name: str
    health: int = 200
    gate: threading.Event = field(default_factory=threading.Event)
    seen: list[dict[str, str]] = field(default_factory=list)
    _server: ThreadingHTTPServer | None = None

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.server_address[1])

    def start(self) -> None:
        web = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = f"{web.name} {self.command} {self.path}".encode()
                if self.path != "/health":
                    web.seen.append(dict(self.headers))
                if self.path == "/slow":
                    web.gate.wait(PATIENCE_S)
                self.send_response(web.health if self.path == "/health" else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET  # noqa: N815 - the name that http.server looks for

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self.gate.set()
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def webs() -> Iterator[Callable[[str], Web]]:
    """Starts a target; all are ended with the test."""
    with ExitStack() as stack:

        def start(name: str) -> Web:
            made = Web(name)
            made.start()
            stack.callback(made.stop)
            return made

        yield start


@dataclass
class Front:
    """A load balancer of this test's own in three zones, as a user sees it."""

    cloud: RunningCloud
    vpc: str = ""
    subnets: dict[str, str] = field(default_factory=dict)
    arn: str = ""
    dns: str = ""

    @property
    def elb(self) -> Any:
        return self.cloud.target.client("elbv2")

    def group(self, target_type: str = "ip", **settings: Any) -> str:
        """A new target group; returns its ARN."""
        given = {
            "HealthCheckPath": "/health",
            "HealthyThresholdCount": 2,
            "UnhealthyThresholdCount": 2,
            "HealthCheckTimeoutSeconds": 60,
            **settings,
        }
        if target_type != "lambda":
            given |= {"Protocol": "HTTP", "Port": 80, "VpcId": self.vpc}
        made = self.elb.create_target_group(Name=f"g{uuid.uuid4().hex[:8]}", TargetType=target_type, **given)
        return str(made["TargetGroups"][0]["TargetGroupArn"])

    def listen(self, actions: list[dict[str, Any]], port: int = 80, **settings: Any) -> str:
        made = self.elb.create_listener(
            LoadBalancerArn=self.arn,
            Port=port,
            Protocol=settings.pop("Protocol", "HTTP"),
            DefaultActions=actions,
            **settings,
        )
        return str(made["Listeners"][0]["ListenerArn"])

    def register(self, group: str, web: Web, zone: str = "") -> None:
        one: dict[str, Any] = {"Id": "127.0.0.1", "Port": web.port}
        if zone:
            one["AvailabilityZone"] = zone
        self.elb.register_targets(TargetGroupArn=group, Targets=[one])

    def states(self, group: str) -> dict[int, str]:
        """Port → state."""
        shown = self.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        return {one["Target"]["Port"]: one["TargetHealth"]["State"] for one in shown}

    def healthy(self, group: str, *webs: Web) -> None:
        """Return once these are healthy."""
        awaited(lambda: all(self.states(group).get(web.port) == "healthy" for web in webs))

    def get(self, path: str = "/", method: str = "GET", **headers: str) -> tuple[int, str, dict[str, str]]:
        """Status, body and headers over a connection of its own."""
        host, port = self.dns.split(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=PATIENCE_S)
        try:
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), dict(answer.getheaders())
        finally:
            connection.close()


@pytest.fixture
def front(cloud: RunningCloud) -> Iterator[Front]:
    ec2, made = cloud.target.client("ec2"), Front(cloud)
    made.vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    for number, letter in enumerate("abc"):
        subnet = ec2.create_subnet(
            VpcId=made.vpc, CidrBlock=f"10.9.{number}.0/24", AvailabilityZone=f"us-east-1{letter}"
        )
        made.subnets[letter] = subnet["Subnet"]["SubnetId"]
    answer = made.elb.create_load_balancer(Name=f"b{uuid.uuid4().hex[:8]}", Subnets=list(made.subnets.values()))
    made.arn, made.dns = (answer["LoadBalancers"][0][key] for key in ("LoadBalancerArn", "DNSName"))
    yield made
    cloud.control.heal()
    made.elb.delete_load_balancer(LoadBalancerArn=made.arn)


def to(group: str) -> list[dict[str, Any]]:
    """A forward action."""
    return [{"Type": "forward", "TargetGroupArn": group}]
