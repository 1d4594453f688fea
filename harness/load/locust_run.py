"""Runs Locust in a process of its own and reads what it did.

Never in ours: importing boto3 before Locust breaks its sockets, and gRPC under gevent serialises.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import msgspec

from harness import processes
from harness.errors import InconclusiveError, UsageError
from harness.measure.load_figures import LoadRequest, RequestFigures, by_name, by_second, figures_of
from harness.stack import CONSENT_VARIABLE, child_environment

LISTENER = Path(__file__).with_name("locust_listener.py")
SUMMARY_VARIABLE = "BLACKSTART_LOAD_SUMMARY"
"""Tells the listener where to write; it is never imported here, because it imports Locust."""
SHAPE_VARIABLE = "BLACKSTART_LOAD_SHAPE"

_GRACE_S = 20.0
_FAILURES_EXIT = 1  # Locust's exit code when some request failed; that is a figure, not a breakdown


class LoadSecond(msgspec.Struct, frozen=True, kw_only=True):
    """One second of the load, counted from its start. Percentiles are None in a second without an answer."""

    at_s: float
    requests: int
    failures: int
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None


class LoadResult(msgspec.Struct, frozen=True, kw_only=True):
    """What Locust did and saw; `rps` counts over the whole duration, ramp-up included."""

    users: int
    duration_s: float
    requests: int
    failures: int
    rps: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    series: list[LoadSecond] = []
    by_name: list[RequestFigures] = []


def run_load(
    locustfile: Path,
    *,
    stack_file: Path,
    folder: Path,
    registry: Path,
    users: int,
    rate: float,
    duration_s: float,
    workers: int = 0,
    shape: str = "steady",
) -> LoadResult:
    """Run `locustfile` with `users` started at `rate` a second, for `duration_s` seconds.

    `shape` is one of `harness.load.shapes`; all but `steady` say themselves how many users there are when.
    `workers` > 0 runs as many worker processes under a master (`--distributed`).

    Raises:
        UsageError: there is no such file.
        InconclusiveError: Locust did not start, crashed, or made no request.
    """
    if not locustfile.is_file():
        raise UsageError("no such locustfile", where=str(locustfile), hint="set [project] load in blackstart.toml")
    folder.mkdir(parents=True, exist_ok=True)
    summary = folder / "load.json"
    for old in folder.glob("load-*.json"):
        old.unlink()
    command = [sys.executable, "-m", "locust", "-f", f"{locustfile},{LISTENER}", "--headless", "--only-summary"]
    command += ["-u", str(users), "-r", str(rate), "-t", f"{duration_s:g}s", "--stop-timeout", "5"]
    command += ["--processes", str(workers)] if workers else []
    where = child_environment(stack_file)
    with (folder / "locust.log").open("wb") as log:
        process = processes.spawn(
            command,
            role="locust",
            registry=registry,
            env={
                **os.environ,
                **where,
                SUMMARY_VARIABLE: str(summary),
                SHAPE_VARIABLE: "" if shape == "steady" else f"{shape} {users} {rate} {duration_s}",
                "BLACKSTART_LOAD_REMOTE": "1" if CONSENT_VARIABLE in where else "",
            },
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            code = process.wait(duration_s + _GRACE_S)
        except subprocess.TimeoutExpired as error:
            raise InconclusiveError("Locust did not end in time", where=str(folder / "locust.log")) from error
        finally:
            processes.stop(process, registry=registry)
    if code not in {0, _FAILURES_EXIT}:
        raise InconclusiveError(
            f"Locust ended with code {code}:\n{_tail(folder / 'locust.log')}", where=str(locustfile)
        )
    return _read(folder, users)


class _Kept(msgspec.Struct, kw_only=True):
    """What the listener wrote in one process."""

    duration_s: float
    requests: list[LoadRequest]


def _read(folder: Path, users: int) -> LoadResult:
    """The requests of all processes together: a distributed run's master sends none, each worker its share."""
    kept = [msgspec.json.decode(path.read_bytes(), type=_Kept) for path in sorted(folder.glob("load-*.json"))]
    requests = [request for one in kept for request in one.requests]
    whole = figures_of(requests)
    if whole.p50_ms is None or whole.p95_ms is None or whole.p99_ms is None:
        raise InconclusiveError("Locust made no request", where=str(folder / "locust.log"))
    duration_s = max(one.duration_s for one in kept)
    return LoadResult(
        users=users,
        duration_s=round(duration_s, 3),
        requests=whole.requests,
        failures=whole.failures,
        rps=round(whole.requests / duration_s, 2),
        p50_ms=whole.p50_ms,
        p95_ms=whole.p95_ms,
        p99_ms=whole.p99_ms,
        series=[
            LoadSecond(
                at_s=at_s,
                requests=second.requests,
                failures=second.failures,
                p50_ms=second.p50_ms,
                p95_ms=second.p95_ms,
                p99_ms=second.p99_ms,
            )
            for at_s, second in by_second(requests)
        ],
        by_name=by_name(requests),
    )


def _tail(path: Path, lines: int = 8) -> str:
    return "\n".join(path.read_text(errors="replace").strip().splitlines()[-lines:])
