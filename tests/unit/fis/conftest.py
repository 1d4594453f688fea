"""FIS without HTTP and without waiting: a region on fakes, and a clock that moves when told to."""

import asyncio
import heapq
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from chaos.fis import region, targets
from chaos.fis.finding import Resource
from chaos.fis.operations import OPERATIONS
from chaos.fis.region import Quotas, Region, make_region
from harness.cloud.copies.keeper import ReplicationKeeper
from harness.cloud.doors import Doors
from harness.cloud.evidence import Evidence
from harness.cloud.faults import RuleBook
from harness.cloud.tasks.faults import TaskFaults
from harness.cloud.zones import ZoneKeeper, zones_of
from harness.target import EMBEDDED, endpoint_target

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:fulfil"


@dataclass
class StillClock:
    """Time stands still until `pass_s`; sleepers wake in order."""

    at_s: float = 1000.0
    sleepers: list[tuple[float, int, asyncio.Future[None]]] = field(default_factory=list)
    count: int = 0

    def now_s(self) -> float:
        return self.at_s

    async def sleep(self, duration_s: float) -> None:
        future = asyncio.get_running_loop().create_future()
        self.count += 1
        heapq.heappush(self.sleepers, (self.at_s + duration_s, self.count, future))
        await future

    async def pass_s(self, duration_s: float) -> None:
        """Let time pass, waking each sleeper at its instant."""
        until_s = self.at_s + duration_s
        await settle()
        while self.sleepers and self.sleepers[0][0] <= until_s:
            self.at_s, _, future = heapq.heappop(self.sleepers)
            if not future.done():
                future.set_result(None)
            await settle()
        self.at_s = until_s
        await settle()


class Inline(Executor):
    """Workers that do their work at once, in whose thread it is: what is settled is so on any machine."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def submit(self, work: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(work(*arguments, **named))
        except Exception as error:  # noqa: BLE001 - handed to whoever waits
            future.set_exception(error)
        return future


async def settle() -> None:
    """Let every task do what it can do now."""
    for _ in range(100):
        await asyncio.sleep(0)


@dataclass
class Bench:
    """A region, its clock, and short ways to call it."""

    region: Region
    clock: StillClock
    published: list[dict[str, Any]]

    async def call(self, operation: str, **members: Any) -> dict[str, Any]:
        answer = OPERATIONS[operation](self.region, members)
        return await answer if asyncio.iscoroutine(answer) else answer

    async def start(self, actions: dict[str, Any], targets: dict[str, Any] | None = None, **changes: Any) -> str:
        template = await self.call(
            "CreateExperimentTemplate",
            description="d",
            roleArn="arn:aws:iam::000000000000:role/fis",
            targets=targets or {},
            actions=actions,
            **{"stopConditions": [{"source": "none"}], **changes},
        )
        identity = template["experimentTemplate"]["id"]
        started = await self.call("StartExperiment", experimentTemplateId=identity)
        await settle()
        return str(started["experiment"]["id"])

    def states(self, experiment: str) -> dict[str, str]:
        shown = self.region.experiment(experiment).shown()
        return {"experiment": shown["state"]["status"]} | {
            name: action["state"]["status"] for name, action in shown["actions"].items()
        }


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    clock = StillClock()
    evidence = Evidence(clock)
    published: list[dict[str, Any]] = []
    functions = [Resource(arn=FUNCTION, tags={"role": "fulfil"})]
    monkeypatch.setattr(targets, "FINDERS", {"aws:lambda:function": ("lambda", lambda *_, **__: functions)})
    monkeypatch.setattr(region, "ThreadPoolExecutor", Inline)
    doors = Doors(
        faults=RuleBook(clock, evidence),
        zones=ZoneKeeper(zones_of("us-east-1", 3), evidence),
        evidence=evidence,
        clock=clock,
        target=endpoint_target("http://127.0.0.1:9", regions=["us-east-1"]),
        capabilities=EMBEDDED,
        replication=ReplicationKeeper(evidence),
        tasks=TaskFaults(evidence, Path("unused")),
        publish=lambda **event: published.append(event),
    )
    return Bench(make_region("us-east-1", doors, Quotas()), clock, published)


@pytest.fixture
def run() -> Callable[[Coroutine[Any, Any, None]], None]:
    return asyncio.run
