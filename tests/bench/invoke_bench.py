"""Lambda: warm synchronous invokes of a silent handler against bare ministack, and cold starts."""

import io
import statistics
import sys
import time
import zipfile
from collections.abc import Callable
from functools import partial
from typing import Any

from peers import Table, bare_ministack, callers, our_cloud, side_by_side

from harness.target import Target

COLD_STARTS = 20


def function(target: Target) -> Any:
    """A client, with the silent function `silent` created."""
    client = target.client("lambda", max_pool_connections=16, read_timeout=60)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("index.py", "def handler(event, context):\n    return None\n")
    client.create_function(
        FunctionName="silent",
        Runtime="python3.12",
        Role="arn:aws:iam::000000000000:role/bench",
        Handler="index.handler",
        Code={"ZipFile": buffer.getvalue()},
        Timeout=30,
    )
    return client


def invoke(target: Target) -> dict[str, Callable[[], Any]]:
    """The call that is measured."""
    client = target.client("lambda", max_pool_connections=16, read_timeout=60)
    return {"invoke": partial(client.invoke, FunctionName="silent")}


def cold_start_ms(client: Any) -> float:
    """The first invocation after a change of configuration, which needs a new environment, in milliseconds."""
    client.update_function_configuration(
        FunctionName="silent", Environment={"Variables": {"AT": str(time.monotonic_ns())}}
    )
    began_s = time.perf_counter()
    client.invoke(FunctionName="silent")
    return (time.perf_counter() - began_s) * 1000


def main() -> int:
    table = Table()
    with bare_ministack() as bare, our_cloud() as ours:
        clients = [function(target) for target in (ours.target, bare)]
        for threads, least in ((1, 12.0), (8, 3.5)):
            sides = [callers(threads, invoke, target) for target in (ours.target, bare)]
            warm, peer = side_by_side([partial(side.rate, "invoke", threads=threads, calls=120) for side in sides])
            table.row(f"warm invoke, {threads} threads", warm, peer, "/s", at_least=least)
        cold = statistics.median(cold_start_ms(clients[0]) for _ in range(COLD_STARTS))
        table.limit("cold start of a silent handler, p50", cold, "ms", at_most=150)
    return table.missed


if __name__ == "__main__":
    sys.exit(main())
