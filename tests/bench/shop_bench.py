"""The whole shop: how long it takes to be up, what its scenarios take, and orders at a steady rate.

The limits are those that the project set itself for a machine of two cores with nothing else on it. The cloud is that
of `blackstart.toml`, with IAM enforced. Orders arrive in an open loop: a slow answer does not hold the next order up,
and its latency counts from when it was due. What an order costs in the processor's time is a figure that holds on a
busy machine too; a latency does not. `--orders` leaves the scenarios out.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from order_load import CLOUD, Shop, step
from peers import Table

from harness.cloud.client import RunningCloud
from harness.deploy.api import DeployRequest, up
from harness.environment import environment
from harness.stack import STACK_FILE_VARIABLE, RunningStack, save
from harness.target import TargetChoice
from harness.workspace import open_workspace

WORKSPACE = open_workspace(Path(__file__).parents[2] / "blackstart.toml")
RATES, RATE = (10, 20, 30, 40), 50
STEP_S, DURATION_S, WARM_UP_S = 10, 20, 5
MORE_ORDERS, QUIET_RATE = 3_000, 20
UP_S, SCENARIOS_S, P95_MS, GROWTH = 25.0, 120.0, 60.0, 1.25


def orders(shop: Shop, table: Table) -> None:
    """What the machine holds, what an order costs, and whether that grows with how many there have been."""
    step(shop, RATES[1], WARM_UP_S)
    by_rate = {}
    for rate in (*RATES, RATE):
        by_rate[rate] = step(shop, rate, DURATION_S if rate == RATE else STEP_S)
        print(f"    {by_rate[rate].shown()}", flush=True)
    name = f"place-order p95 at {RATE}/s, everything after it running"
    table.limit(name, by_rate[RATE].percentile_ms(0.95), "ms", at_most=P95_MS)
    step(shop, RATE, MORE_ORDERS / RATE)
    later = step(shop, QUIET_RATE, STEP_S)
    print(f"    {later.shown()} (after {MORE_ORDERS} more)", flush=True)
    growth = later.cost_ms[CLOUD] / by_rate[QUIET_RATE].cost_ms[CLOUD]
    table.limit(f"an order's cost to the cloud, {MORE_ORDERS} orders later", growth, "times", at_most=GROWTH)


def scenarios_s(stack_file: Path) -> float:
    """Seconds for all scenarios, two at a time; infinity when one fails."""
    began_s = time.perf_counter()
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:locust", "-n", "2", "--dist", "loadfile", "scenarios"]
    environ = {**os.environ, STACK_FILE_VARIABLE: str(stack_file)}
    done = subprocess.run(
        command, cwd=WORKSPACE.root, env=environ, capture_output=True, check=False, timeout=600, text=True
    )
    if done.returncode:
        print("\n".join(done.stdout.splitlines()[-30:]))
    return time.perf_counter() - began_s if done.returncode == 0 else float("inf")


def measure(cloud: RunningCloud, folder: Path, table: Table) -> None:
    """Each figure against its limit."""
    wanted = DeployRequest(
        program=WORKSPACE.program, stack="bench", target=cloud.target, state_dir=folder / "state", config={}
    )
    began_s = time.perf_counter()
    outputs = up(wanted).outputs
    table.limit("whole shop up, two regions", time.perf_counter() - began_s, "s", at_most=UP_S)
    save(RunningStack(name="bench", target=cloud.target, outputs=outputs), folder / "stack.json")
    orders(Shop(cloud, outputs), table)
    if "--orders" not in sys.argv[1:]:
        took_s = scenarios_s(folder / "stack.json")
        table.limit("all scenarios, two at a time", took_s, "s", at_most=SCENARIOS_S)


def main() -> int:
    """A cloud of its own, on a free port, gone afterwards."""
    table = Table()
    with tempfile.TemporaryDirectory(prefix="bench-shop-") as scratch:
        folder = Path(scratch)
        with environment(WORKSPACE, TargetChoice(), folder=folder / "cloud") as ours:
            if ours.cloud is None:
                raise RuntimeError("the embedded cloud did not start")
            measure(ours.cloud, folder, table)
    return table.missed


if __name__ == "__main__":
    sys.exit(main())
