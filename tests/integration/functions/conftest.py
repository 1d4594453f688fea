"""A pool with real environments and a small emulator of our own: the Lambda side without any AWS."""

import io
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from harness.clock import SystemClock
from harness.cloud.evidence import Evidence
from harness.cloud.faults import RuleBook
from harness.cloud.functions.pool import FunctionPool
from harness.cloud.functions.spec import FunctionSpec
from harness.cloud.zones import ZoneKeeper, zones_of
from tests.waiting import PATIENCE_S


@dataclass
class NoEmulator:
    """Keeps what is logged; has one layer."""

    logged: list[str] = field(default_factory=list)
    layers: dict[str, bytes] = field(default_factory=dict)

    def credentials(self, config: Mapping[str, Any]) -> dict[str, str]:
        return {"AWS_ACCESS_KEY_ID": "AKIATEST", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t"}

    def layer(self, arn: str) -> bytes:
        return self.layers.get(arn, b"")

    def write_logs(self, spec: FunctionSpec, stream: str, lines: Sequence[str]) -> None:
        self.logged.extend(lines)

    def subnet_zone(self, subnet: str) -> str:
        return SUBNETS.get(subnet, "")

    def run_elsewhere(self, record: Mapping[str, Any], event: Any) -> dict[str, Any]:
        return {"body": "elsewhere"}

    def within(self, config: Mapping[str, Any], run: Callable[[], str]) -> str:
        return run()


def zipped(files: Mapping[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


@dataclass
class Lambda:
    """The pool under test, with a short way to make functions and call them."""

    pool: FunctionPool
    emulator: NoEmulator
    zones: ZoneKeeper
    evidence: Evidence
    rules: RuleBook

    def function(self, code: str, **config: Any) -> dict[str, Any]:
        name = config.pop("FunctionName", "f")
        subnets = config.pop("subnets", ())
        variables = config.pop("variables", {})
        return {
            "config": {
                "FunctionName": name,
                "FunctionArn": f"arn:aws:lambda:us-east-1:000000000000:function:{name}",
                "Runtime": "python3.11",
                "Handler": "index.handler",
                "Timeout": 60,
                "Environment": {"Variables": variables},
                "VpcConfig": {"SubnetIds": list(subnets)},
                **config,
            },
            "code_zip": zipped({"index.py": code}),
        }

    def add_layer(self, arn: str, files: Mapping[str, str]) -> None:
        self.emulator.layers[arn] = zipped(files)

    def call(self, function: dict[str, Any], event: Any = None) -> dict[str, Any]:
        return self.pool.execute(function, {} if event is None else event)

    def call_in_background(self, function: dict[str, Any], event: Any = None) -> Callable[[], dict[str, Any]]:
        box: list[dict[str, Any]] = []
        thread = threading.Thread(target=lambda: box.append(self.call(function, event)))
        thread.start()

        def result() -> dict[str, Any]:
            thread.join(PATIENCE_S)
            return box[0]

        return result

    def report(self) -> str:
        return next(line for line in reversed(self.emulator.logged) if line.startswith("REPORT"))


SUBNETS = {"subnet-a": "us-east-1a", "subnet-b": "us-east-1b", "subnet-c": "use1-az3"}


@pytest.fixture
def aws_lambda(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Lambda]:
    clock = SystemClock()
    evidence = Evidence(clock)
    zones = ZoneKeeper(zones_of("us-east-1", 3), evidence)
    rules = RuleBook(clock, evidence)
    emulator = NoEmulator()
    pool = FunctionPool(
        folder=tmp_path / "lambda",
        registry=tmp_path / "processes",
        endpoint="http://127.0.0.1:9",
        detection_s=getattr(request, "param", 0.3),
        zones=zones,
        rules=rules,
        evidence=evidence,
        clock=clock,
        emulator=emulator,
    )
    zones.add_resident(pool)
    yield Lambda(pool, emulator, zones, evidence, rules)
    pool.close()
    assert pool.environments() == []
    assert list((tmp_path / "processes").glob("*.json")) == []
