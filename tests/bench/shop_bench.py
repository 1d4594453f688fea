"""The whole shop: how long it takes to be up, what its scenarios take, and orders at a steady rate.

The limits are those that the project set itself for a machine of two cores with nothing else on it. Orders arrive in
an open loop: a slow answer does not hold the next order up, and its latency counts from when it was due.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import aiohttp
from peers import Table, our_cloud

from harness.deploy.api import DeployRequest, up
from harness.stack import STACK_FILE_VARIABLE, RunningStack, save

ROOT = Path(__file__).parents[2]
RATE, DURATION_S, WARM_UP_S = 50, 20, 5
UP_S, SCENARIOS_S, P95_MS = 25.0, 120.0, 60.0


async def placed(url: str, rate: float, duration_s: float) -> list[float]:
    """Place orders at a rate; the latency of each in ms, from when it was due. One that fails never ends."""
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

        await asyncio.gather(*(one(began_s + i / rate) for i in range(int(rate * duration_s))))
    return sorted(latencies)


def scenarios_s(stack_file: Path) -> float:
    """Seconds for all scenarios, two at a time; infinity when one fails."""
    began_s = time.perf_counter()
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:locust", "-n", "2", "--dist", "loadfile", "scenarios"]
    environ = {**os.environ, STACK_FILE_VARIABLE: str(stack_file)}
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, check=False, timeout=600)
    return time.perf_counter() - began_s if done.returncode == 0 else float("inf")


def main() -> int:
    """Each figure against its limit."""
    table = Table()
    with our_cloud() as ours, tempfile.TemporaryDirectory(prefix="bench-shop-") as scratch:
        folder = Path(scratch)
        wanted = DeployRequest(
            program=ROOT / "pulumi_stack", stack="bench", target=ours.target, state_dir=folder / "state", config={}
        )
        began_s = time.perf_counter()
        outputs = up(wanted).outputs
        up_s = time.perf_counter() - began_s
        table.limit("whole shop up, two regions", up_s, "s", at_most=UP_S)
        save(RunningStack(name="bench", target=ours.target, outputs=outputs), folder / "stack.json")
        url = str(outputs["api_url"])
        asyncio.run(placed(url, RATE / 2, WARM_UP_S))
        latencies = asyncio.run(placed(url, RATE, DURATION_S))
        p50, p95 = (latencies[int(len(latencies) * share)] for share in (0.50, 0.95))
        print(f"    place-order at {RATE}/s for {DURATION_S} s: p50 {p50:.0f} ms, p95 {p95:.0f} ms")
        table.limit(f"place-order p95 at {RATE}/s, everything after it running", p95, "ms", at_most=P95_MS)
        took_s = scenarios_s(folder / "stack.json")
        table.limit("all scenarios, two at a time", took_s, "s", at_most=SCENARIOS_S)
    return table.missed


if __name__ == "__main__":
    sys.exit(main())
