"""FIS on a real HTTP server with real boto3 in front, and a cloud of fakes behind its doors."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
import uvicorn

from chaos.fis import targets
from chaos.fis.finding import Resource
from chaos.fis.service import FisService
from harness.clock import SystemClock
from harness.cloud.copies.keeper import ReplicationKeeper
from harness.cloud.doors import Doors
from harness.cloud.evidence import Evidence
from harness.cloud.faults import RuleBook
from harness.cloud.tasks.faults import TaskFaults
from harness.cloud.zones import Zone, ZoneKeeper, zones_of
from harness.target import EMBEDDED, endpoint_target
from tests.waiting import PATIENCE_S

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:fulfil"
OTHER = "arn:aws:lambda:us-east-1:000000000000:function:place"
SUBNET = "arn:aws:ec2:us-east-1:000000000000:subnet/subnet-b"


@dataclass
class House:
    """A resident whose processes are counted."""

    living: int = 3
    events: list[str] = field(default_factory=list)

    def power_lost(self, zone: Zone, *, owner: str) -> int:
        self.events.append(f"lost {zone.id}")
        return self.living

    def power_restored(self, zone: Zone, *, owner: str) -> None:
        self.events.append(f"restored {zone.id}")


@dataclass
class Fis:
    """A client, and what is behind the service."""

    client: Any
    doors: Doors
    house: House
    service: FisService

    def create(self, **changes: Any) -> str:
        body = {
            "description": "d",
            "roleArn": "arn:aws:iam::000000000000:role/fis",
            "stopConditions": [{"source": "none"}],
            "targets": {
                "fns": {"resourceType": "aws:lambda:function", "resourceArns": [FUNCTION], "selectionMode": "ALL"}
            },
            "actions": {"fail": error_action()},
            **changes,
        }
        return str(self.client.create_experiment_template(**body)["experimentTemplate"]["id"])

    def start(self, template: str, **options: Any) -> str:
        return str(self.client.start_experiment(experimentTemplateId=template, **options)["experiment"]["id"])

    def state(self, experiment: str) -> dict[str, Any]:
        return dict(self.client.get_experiment(id=experiment)["experiment"])

    def wait(self, experiment: str, *statuses: str, within_s: float = PATIENCE_S) -> dict[str, Any]:
        deadline = time.monotonic() + within_s
        while True:
            state = self.state(experiment)
            if state["state"]["status"] in statuses:
                return state
            assert time.monotonic() < deadline, state
            time.sleep(0.02)


def error_action(duration: str = "PT1S", **changes: Any) -> dict[str, Any]:
    return {
        "actionId": "aws:lambda:invocation-error",
        "parameters": {"duration": duration, "preventExecution": "true", "invocationPercentage": "30"},
        "targets": {"Functions": "fns"},
        **changes,
    }


def power_action(zone: str = "use1-az2", duration: str = "PT1S") -> dict[str, Any]:
    return {
        "actionId": "blackstart:az:interrupt-power",
        "parameters": {"duration": duration, "availabilityZoneIdentifier": zone},
    }


@pytest.fixture
def capabilities() -> frozenset[str]:
    return EMBEDDED


@pytest.fixture
def fis(monkeypatch: pytest.MonkeyPatch, capabilities: frozenset[str]) -> Iterator[Fis]:
    clock = SystemClock()
    evidence = Evidence(clock)
    zones = ZoneKeeper(zones_of("us-east-1", 3), evidence)
    house = House()
    zones.add_resident(house)
    functions = [
        Resource(arn=FUNCTION, tags={"role": "fulfil", "app": "orders"}, described={"Runtime": "python3.12"}),
        Resource(arn=OTHER, tags={"role": "place", "app": "orders"}, described={"Runtime": "nodejs20.x"}),
    ]
    subnets = [Resource(arn=SUBNET, zone="use1-az2")]
    found = {"aws:lambda:function": functions, "aws:ec2:subnet": subnets}
    monkeypatch.setattr(
        targets, "FINDERS", {kind: ("lambda", lambda *_, r=resources, **__: r) for kind, resources in found.items()}
    )
    doors = Doors(
        faults=RuleBook(clock, evidence),
        zones=zones,
        evidence=evidence,
        clock=clock,
        target=endpoint_target("http://127.0.0.1:9", regions=["us-east-1"]),
        capabilities=capabilities,
        replication=ReplicationKeeper(evidence),
        tasks=TaskFaults(evidence, Path("unused")),
    )
    service = FisService(doors)
    server = uvicorn.Server(
        uvicorn.Config(service, host="127.0.0.1", port=0, log_level="error", lifespan="off", ws="none")
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    client = boto3.client(
        "fis",
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    yield Fis(client, doors, house, service)
    client.close()
    server.should_exit = True
    thread.join(PATIENCE_S)


@pytest.fixture
def error() -> Any:
    return error_action


@pytest.fixture
def power() -> Any:
    return power_action
