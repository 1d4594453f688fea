"""The prober: sends at a fixed rate whatever the answers do, and writes every operation to the journal.

Run as a process of its own: `python -m harness.load.prober SPEC.json`. Open loop: each request has a scheduled
instant, and latency counts from it, so that an outage is seen for as long as it lasts. Nothing is retried.
Source: Schroeder et al., "Open Versus Closed: A Cautionary Tale", NSDI 2006.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import random
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec

from harness.errors import BlackstartError, ConfigError, RefusedError
from harness.load.loopback import is_loopback
from harness.load.workload import (
    HttpOperation,
    ProberSpec,
    check_operations,
    drawn,
    fill,
    needs,
    output_names,
    placeholders_of,
)
from harness.measure.journal import JournalWriter, Operation, Outcome

MOST_IN_FLIGHT = 5_000
"""A service that answers nothing must not cost the prober its memory."""

BAD_IN_A_ROW = 3
"""So many bad answers make clients go to the fallback: the default failure threshold of Route 53's health checks.

Source: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-creating-values.html
"""

_PRECEDENCE = -10
"""A nice value: CFS gives such a process some ten times the share of others, and wakes it at once."""

_REAL_TIME = 1
"""The lowest of Linux's real-time priorities: woken before every process that has none."""

_FLUSH_S = 0.2
_REMEMBERED = 1_000


@dataclass(slots=True)
class Prober:
    """One run. `stop` ends it early; what is in flight is waited for."""

    spec: ProberSpec
    journal: JournalWriter
    _random: random.Random = field(init=False)
    _acked: list[dict[str, str]] = field(default_factory=list)
    _outputs: dict[str, str] = field(init=False)
    _bad: dict[str, int] = field(default_factory=dict)
    _stopping: bool = False
    _pause: asyncio.Future[None] | None = None
    _in_flight: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._random = random.Random(self.spec.seed)  # noqa: S311 - which acknowledged write a read asks for
        self._outputs = output_names(self.spec.outputs)

    def stop(self) -> None:
        """Send nothing more."""
        self._stopping = True
        _wake(self._pause)

    async def run(self) -> None:
        """Send until stopped or until the time is over, then wait for the answers that are due."""
        connector = aiohttp.TCPConnector(limit=0, ttl_dns_cache=300)
        timeout = aiohttp.ClientTimeout(total=self.spec.timeout_s)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
            flusher = asyncio.create_task(self._flush())
            start_s = time.monotonic()
            ends_s = self.spec.ends_s or start_s + self.spec.duration_s
            for number, operation in enumerate(drawn(self.spec.operations, self.spec.seed)):
                due_s = start_s + number / self.spec.rate
                if due_s >= ends_s or await self._stopped_before(due_s):
                    break
                self._send(session, operation, number, due_s)
            await asyncio.gather(*self._in_flight)
            flusher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await flusher

    async def _stopped_before(self, due_s: float) -> bool:
        """Wait for the instant `due_s`; True when stopped before."""
        left_s = due_s - time.monotonic()
        if left_s <= 0:
            await asyncio.sleep(0)
        elif not self._stopping:
            loop = asyncio.get_running_loop()
            self._pause = loop.create_future()
            loop.call_later(left_s, _wake, self._pause)
            await self._pause
        return self._stopping

    def _send(self, session: aiohttp.ClientSession, drawn_one: HttpOperation, number: int, due_s: float) -> None:
        operation = self._possible(drawn_one)
        key = f"{self.spec.run}-{number:07d}"
        if len(self._in_flight) >= MOST_IN_FLIGHT:
            now_s = time.monotonic()
            self._note(operation, number, key, (due_s, now_s, now_s), "fail", detail="prober: too many in flight")
            return
        task = asyncio.create_task(self._request(session, operation, number, key, due_s))
        self._in_flight.add(task)
        task.add_done_callback(self._in_flight.discard)

    def _possible(self, operation: HttpOperation) -> HttpOperation:
        """The operation; one that reads what was never written is replaced by a write."""
        if not self._acked and any(name.startswith("acked.") for name in placeholders_of(operation)):
            return next(o for o in self.spec.operations if o.capture)
        return operation

    async def _request(
        self, session: aiohttp.ClientSession, operation: HttpOperation, number: int, key: str, due_s: float
    ) -> None:
        known = {"key": key, "sequence": str(number), **self._outputs}
        if self._acked:
            known |= self._random.choice(self._acked)
        url = fill(operation.fallback if self._fell_back(operation) else operation.url, known)
        body = None if operation.body is None else json.dumps(fill(operation.body, known))
        expect = fill(operation.expect, known)
        headers = {"Content-Type": "application/json", **fill(operation.headers, known)}
        for _ in range(max(1, operation.attempts)):
            outcome = await self._attempt(session, operation, (number, key, due_s), (url, body, headers, expect))
            due_s = time.monotonic()
            if outcome != "unknown" or self._stopping:
                break

    def _fell_back(self, operation: HttpOperation) -> bool:
        return bool(operation.fallback) and self._bad.get(operation.kind, 0) >= BAD_IN_A_ROW

    def _count(self, operation: HttpOperation, outcome: Outcome) -> None:
        """Bad answers in a row; who fell back stays there."""
        if operation.fallback and not self._fell_back(operation):
            self._bad[operation.kind] = 0 if outcome == "ok" else self._bad.get(operation.kind, 0) + 1

    async def _attempt(
        self,
        session: aiohttp.ClientSession,
        operation: HttpOperation,
        due: tuple[int, str, float],
        content: tuple[str, str | None, dict[str, str], dict[str, Any]],
    ) -> Outcome:
        """Send once, and note what came of it.

        `due` is number, key and instant; `content` URL, body, headers, and what a good answer has.
        """
        number, key, due_s = due
        url, body, headers, expect = content
        started_s = time.monotonic()
        status, answer, problem = 0, b"", ""
        outcome: Outcome = "unknown"
        try:
            async with session.request(
                operation.method, url, data=body, headers=headers, proxy=self.spec.front_door or None
            ) as response:
                status, answer = response.status, await response.read()
            outcome = _outcome(operation, status)
        except aiohttp.ClientConnectorError as error:
            outcome, problem = "fail", f"refused: {error}"  # nothing was sent
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            problem = f"{type(error).__name__}: {error}"
        times = (due_s, started_s, time.monotonic())
        valid = outcome != "ok" or self._keep(operation, answer, expect)
        if not problem and (outcome != "ok" or not valid):
            problem = answer[:120].decode(errors="replace")
        self._note(operation, number, key, times, outcome, status=status, valid=valid, detail=problem)
        self._count(operation, outcome)
        return outcome

    def _keep(self, operation: HttpOperation, answer: bytes, expect: Mapping[str, Any]) -> bool:
        """Check an acknowledged answer's content and remember what later reads need; False when it is wrong."""
        if not expect and not operation.capture:
            return True
        try:
            content = json.loads(answer)
            found = {f"acked.{name}": str(content[member]) for name, member in operation.capture.items()}
        except (ValueError, KeyError, TypeError):
            return False
        if found:
            self._acked.append(found)
            del self._acked[:-_REMEMBERED]
        return isinstance(content, dict) and all(content.get(member) == value for member, value in expect.items())

    def _note(
        self,
        operation: HttpOperation,
        number: int,
        key: str,
        times: tuple[float, float, float],
        outcome: Outcome,
        *,
        status: int = 0,
        valid: bool = True,
        detail: str = "",
    ) -> None:
        self.journal.append(
            Operation(
                id=number,
                kind=operation.kind,
                key=key if operation.write else "",
                scheduled_s=times[0],
                started_s=times[1],
                ended_s=times[2],
                outcome=outcome,
                status=status,
                valid=valid,
                write=operation.write,
                sequence=number if operation.write else None,
                detail=detail,
            )
        )

    async def _flush(self) -> None:
        """Write through now and then; a prober whose drill was killed sends nothing more."""
        drill = os.getppid()
        while True:
            await asyncio.sleep(_FLUSH_S)
            self.journal.flush()
            if os.getppid() != drill:
                self.stop()


def _wake(pause: asyncio.Future[None] | None) -> None:
    if pause is not None and not pause.done():
        pause.set_result(None)


def _outcome(operation: HttpOperation, status: int) -> Outcome:
    """`ok` when acknowledged; a 4xx was certainly not applied; after anything else nobody knows."""
    if status in operation.ok:
        return "ok"
    return "fail" if 400 <= status < 500 else "unknown"


def refuse_remote_hosts(spec: ProberSpec) -> None:
    """Load goes to this machine only, unless the target is real AWS behind its guard.

    Raises:
        RefusedError: an operation's host is not loopback.
    """
    outputs = output_names(spec.outputs)
    for operation in spec.operations:
        for url in filter(None, (operation.url, operation.fallback)):
            sent_to = spec.front_door or fill(url, {**dict.fromkeys(needs(url), "x"), **outputs})
            host = urlsplit(sent_to).hostname or ""
            if not spec.remote and not is_loopback(host):
                raise RefusedError(
                    f"operation {operation.kind!r} would be sent to {host or 'nowhere'}",
                    where="workload",
                    hint="probes go to loopback addresses only, except on --target aws",
                )


def read_spec(path: Path) -> ProberSpec:
    """The spec in `path`.

    Raises:
        ConfigError: not a spec, or operations that can never be sent.
    """
    try:
        spec = msgspec.json.decode(path.read_bytes(), type=ProberSpec)
    except (OSError, msgspec.MsgspecError) as error:
        raise ConfigError(f"not a prober spec: {error}", where=str(path)) from error
    check_operations(spec.operations, spec.outputs, where=str(path))
    refuse_remote_hosts(spec)
    return spec


def _take_precedence() -> None:
    """What is due must leave on time, whatever else this machine does.

    It takes a tenth of a core at 500 requests a second, so that nobody feels that it goes first; where that is not
    permitted it takes its turn, and the report says how late it was.
    """
    gc.collect()
    gc.freeze()  # what was imported is never garbage: a collection must not make a request late
    gc.set_threshold(50_000, 20, 100)
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(_REAL_TIME))
    except (OSError, AttributeError):  # not permitted, or not Linux
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, _PRECEDENCE)


async def _main(spec: ProberSpec) -> None:
    with JournalWriter(Path(spec.journal)) as journal:
        prober = Prober(spec, journal)
        _take_precedence()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, prober.stop)
        await prober.run()


def main(arguments: list[str]) -> int:
    """Run the spec named on the command line; returns the exit code."""
    import uvloop

    try:
        uvloop.run(_main(read_spec(Path(arguments[0]))))
    except BlackstartError as error:
        sys.stderr.write(f"prober: {error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
