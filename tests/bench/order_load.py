"""Orders at a steady rate, and what they cost: latency in an open loop, and the processor's time of whoever works."""

import asyncio
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import psutil

from harness.cloud.client import RunningCloud

PATIENCE_S = 60.0
CLOUD, OTHERS = "cloud", "others"


async def placed(url: str, rate: float, orders: int) -> list[float]:
    """Place orders at a rate; the latency of each in ms, sorted, from when it was due. One that fails never ends."""
    latencies: list[float] = []
    order = {"customer": "bench", "items": [{"sku": "tea", "quantity": 1}]}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=500)) as session:
        began_s = time.perf_counter() + 0.1

        async def one(due_s: float) -> None:
            await asyncio.sleep(max(0.0, due_s - time.perf_counter()))
            key = {"Idempotency-Key": uuid.uuid4().hex}
            async with session.post(f"{url}/orders", json=order, headers=key) as answer:
                await answer.read()
                good = answer.status == 201
            latencies.append((time.perf_counter() - due_s) * 1000 if good else float("inf"))

        await asyncio.gather(*(one(began_s + i / rate) for i in range(orders)))
    return sorted(latencies)


@dataclass(frozen=True)
class Shop:
    """A shop that runs: `roles` are the functions that orders pass, by the names they were deployed under."""

    cloud: RunningCloud
    outputs: Mapping[str, Any]

    def processor_s(self) -> dict[str, float]:
        """Seconds of the processor so far: of the cloud's process, of each function's environments, of all else."""
        functions = {name: role for role, name in self.outputs["functions"].items()}
        running = {one["pid"]: functions.get(one["function"], OTHERS) for one in self.cloud.control.environments()}
        root = psutil.Process(self.cloud.pid)
        spent = {CLOUD: 0.0, OTHERS: 0.0, **dict.fromkeys(functions.values(), 0.0)}
        for process in (root, *root.children(recursive=True)):
            try:
                used = process.cpu_times()
            except psutil.Error:
                continue
            spent[CLOUD if process == root else running.get(process.pid, OTHERS)] += used.user + used.system
        return spent

    def settle(self) -> int:
        """Wait until everything after the orders so far is done; how many messages are left when patience is over."""
        sqs, until_s = self.cloud.target.client("sqs"), time.monotonic() + PATIENCE_S
        quiet, left, wanted = 0, 0, ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        while quiet < 2 and time.monotonic() < until_s:
            time.sleep(0.5)
            url = self.outputs["fulfil_queue_url"]
            found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=wanted)["Attributes"]
            left = sum(int(found[name]) for name in wanted)
            quiet = 0 if left else quiet + 1
        return left


@dataclass(frozen=True)
class Step:
    """What a rate came to: sorted latencies in ms; the processor's ms for each order, by whose they were.

    `left` orders were not fulfilled a minute after the last: the machine does not hold this rate.
    """

    rate: float
    latencies: list[float]
    cost_ms: Mapping[str, float]
    left: int

    def percentile_ms(self, share: float) -> float:
        """A latency that this share of the orders was not above."""
        return self.latencies[min(len(self.latencies) - 1, int(len(self.latencies) * share))]

    def shown(self) -> str:
        """One line for people."""
        costs = ", ".join(f"{name} {ms:.1f}" for name, ms in self.cost_ms.items() if ms >= 0.05)
        cores = self.rate * sum(self.cost_ms.values()) / 1000
        p50, p95 = self.percentile_ms(0.5), self.percentile_ms(0.95)
        left = f"; {self.left} NOT FULFILLED" if self.left else ""
        return (
            f"{self.rate:3g}/s: p50 {p50:5.0f} ms, p95 {p95:5.0f} ms, {cores:4.2f} cores; ms an order: {costs}{left}"
        )


def step(shop: Shop, rate: float, duration_s: float) -> Step:
    """Orders at a rate, and everything after them."""
    before, orders = shop.processor_s(), int(rate * duration_s)
    latencies = asyncio.run(placed(str(shop.outputs["api_url"]), rate, orders))
    left, after = shop.settle(), shop.processor_s()
    costs = {name: max(0.0, s - before[name]) * 1000 / orders for name, s in after.items()}
    return Step(rate, latencies, costs, left)
