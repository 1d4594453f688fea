"""The two sides of every ratio: our cloud, and bare ministack on its own server. Each in a process of its own."""

import contextlib
import multiprocessing
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from harness.cloud.client import CloudSettings, RunningCloud, start_cloud
from harness.target import Target, endpoint_target

ROUNDS = 7


@contextlib.contextmanager
def our_cloud(*, enforce_iam: bool = False) -> Iterator[RunningCloud]:
    """The embedded cloud, in front of it the gate."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    cloud = start_cloud(CloudSettings(state_dir=folder, enforce_iam=enforce_iam))
    try:
        yield cloud
    finally:
        cloud.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def bare_ministack() -> Iterator[Target]:
    """The pinned ministack as its own command starts it, without IAM enforcement, without anything of ours."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "AUTH": "false",
        "PERSIST_STATE": "0",
        "LAMBDA_EXECUTOR": "local",
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "LOG_LEVEL": "WARNING",
        "DOCKER_HOST": "unix:///nonexistent",
    }
    folder = tempfile.mkdtemp(prefix="bench-")
    process = subprocess.Popen(
        [str(Path(sys.executable).with_name("ministack"))],
        env={**os.environ, **settings},
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        until_s = time.monotonic() + 30
        while not _answers(f"http://127.0.0.1:{port}/_ministack/health"):
            if time.monotonic() > until_s:
                raise RuntimeError("bare ministack does not answer")
            time.sleep(0.05)
        yield endpoint_target(f"http://127.0.0.1:{port}", regions=["us-east-1", "us-west-2"])
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, 9)
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - loopback
            return True
    except OSError:
        return False


def rate(call: Callable[[], object], *, threads: int, calls: int) -> float:
    """Calls a second, over so many calls in so many threads."""
    began_s = time.perf_counter()
    if threads == 1:
        for _ in range(calls):
            call()
    else:
        with ThreadPoolExecutor(threads) as pool:
            for done in [pool.submit(call) for _ in range(calls)]:
                done.result()
    return calls / (time.perf_counter() - began_s)


class Callers:
    """Processes that call at once, so that a ratio is the servers' and not that of one Python client's lock.

    `make_calls` gives, in each process, the calls by name; it and its arguments go there by pickle.
    """

    def __init__(
        self, count: int, make_calls: Callable[..., dict[str, Callable[[], object]]], *arguments: Any
    ) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipes = []
        for _ in range(count):
            ours, theirs = context.Pipe()
            context.Process(target=_call_on, args=(theirs, make_calls, arguments), daemon=True).start()
            self._pipes.append(ours)
        for pipe in self._pipes:
            pipe.recv()

    def rate(self, name: str, *, threads: int, calls: int) -> float:
        """Calls a second over all processes; `threads` and `calls` are totals."""
        share = len(self._pipes)
        began_s = time.perf_counter()
        for pipe in self._pipes:
            pipe.send((name, threads // share, calls // share))
        for pipe in self._pipes:
            pipe.recv()
        return calls / (time.perf_counter() - began_s)


def _call_on(pipe: Connection, make_calls: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    """Serve one `Callers` until it is gone."""
    calls = make_calls(*arguments)
    pipe.send("ready")
    with contextlib.suppress(EOFError):
        while True:
            name, threads, count = pipe.recv()
            rate(calls[name], threads=threads, calls=count)
            pipe.send("done")


def callers(threads: int, make_calls: Callable[..., Any], *arguments: Any) -> Callers:
    """One process for one thread, four processes of two threads each for eight."""
    return Callers(1 if threads == 1 else 4, make_calls, *arguments)


def side_by_side(sides: Sequence[Callable[[], float]], *, rounds: int = ROUNDS) -> list[float]:
    """The median of each side's figure, the sides taken in turn so that both see the same machine."""
    figures: list[list[float]] = [[] for _ in sides]
    for side in sides:
        side()  # warm
    for _ in range(rounds):
        for number, side in enumerate(sides):
            figures[number].append(side())
    return [statistics.median(values) for values in figures]


class Table:
    """Rows as they come, and whether every limit was met."""

    def __init__(self) -> None:
        self.missed = 0

    def row(self, name: str, ours: float, peer: float | None, unit: str, *, at_least: float | None = None) -> None:
        """A figure against its peer; `at_least` is the smallest ratio that is good enough."""
        ratio = "" if peer is None else f"{ours / peer:6.2f}x"
        beside = "" if peer is None else f"{peer:10.1f}"
        met = at_least is None or peer is None or ours / peer >= at_least
        self._say(name, f"{ours:10.1f}", beside, unit, ratio, "" if at_least is None else f">= {at_least}x", met=met)

    def limit(self, name: str, value: float, unit: str, *, at_most: float) -> None:
        """A figure against a fixed limit."""
        self._say(name, f"{value:10.1f}", "", unit, "", f"<= {at_most:g} {unit}", met=value <= at_most)

    def _say(self, name: str, ours: str, peer: str, unit: str, ratio: str, limit: str, *, met: bool) -> None:
        self.missed += not met
        mark = "" if not limit else "met" if met else "MISSED"
        print(f"  {name:44} {ours:>10} {peer:>10} {unit:6} {ratio:>8} {limit:>12} {mark}", flush=True)
