"""An order, placed to FULFILLED: our cloud against the same stack, deployed by us, on bare ministack."""

import http.client
import json
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

from peers import Table, bare_ministack, our_cloud

from harness.deploy.api import DeployRequest, up
from harness.target import Target

PROGRAM = Path(__file__).parents[2] / "pulumi_stack"
ALONE, TOGETHER = 10, 40
PATIENCE_S = 60.0


def deploy(target: Target) -> str:
    """The API's URL once the stack is there."""
    state = Path(tempfile.mkdtemp(prefix="bench-state-"))
    result = up(DeployRequest(program=PROGRAM, stack="dev", target=target, state_dir=state))
    return str(result.outputs["api_url"])


def _ask(url: str, method: str, path: str, body: object = None, **headers: str) -> dict[str, str]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE_S)
    try:
        content = None if body is None else json.dumps(body)
        connection.request(method, f"{parts.path}{path}", content, {"Content-Type": "application/json", **headers})
        answer: dict[str, str] = json.loads(connection.getresponse().read())
        return answer
    finally:
        connection.close()


def order_s(url: str, *, poll_s: float = 0.01) -> float:
    """Seconds from the request until the order is fulfilled."""
    began_s = time.perf_counter()
    order = {"customer": "bench", "items": [{"sku": "tea", "quantity": 1}]}
    placed = _ask(url, "POST", "/orders", order, **{"Idempotency-Key": uuid.uuid4().hex})
    while _ask(url, "GET", f"/orders/{placed['order_id']}").get("status") != "FULFILLED":
        if time.perf_counter() - began_s > PATIENCE_S:
            raise RuntimeError(f"not fulfilled after {PATIENCE_S:g} s")
        time.sleep(poll_s)
    return time.perf_counter() - began_s


def alone_ms(url: str) -> float:
    """p50 over orders placed one after the other, in milliseconds."""
    return statistics.median(order_s(url) for _ in range(ALONE)) * 1000


def together_per_s(url: str) -> float:
    """Orders fulfilled a second, when eight customers place them."""
    began_s = time.perf_counter()
    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(order_s, url, poll_s=0.25) for _ in range(TOGETHER)]:
            done.result()
    return TOGETHER / (time.perf_counter() - began_s)


def main() -> int:
    table = Table()
    with bare_ministack() as bare, our_cloud() as ours:
        urls = [deploy(target) for target in (ours.target, bare)]
        for url in urls:
            order_s(url)
        latency = _in_turn(alone_ms, urls)
        table.row("orders a second, one at a time (p50)", 1000 / latency[0], 1000 / latency[1], "/s", at_least=3.0)
        print(f"    placed to FULFILLED, p50: {latency[0]:.0f} ms against {latency[1]:.0f} ms")
        throughput = _in_turn(together_per_s, urls)
        table.row("orders a second, eight customers", throughput[0], throughput[1], "/s", at_least=3.0)
    return table.missed


def _in_turn(measure: Callable[[str], float], urls: list[str], rounds: int = 3) -> list[float]:
    figures = [[measure(url) for url in urls] for _ in range(rounds)]
    return [statistics.median(side) for side in zip(*figures, strict=True)]


if __name__ == "__main__":
    sys.exit(main())
