"""Health checks: asked for real, counted by threshold, shown as Route 53 shows them.

Source: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.cloud.dns import timing
from harness.cloud.dns.timing import DnsTiming

_LOG = logging.getLogger(__name__)
_TICK_S = 0.1
_UNVERIFIED = ssl.create_default_context()
_UNVERIFIED.check_hostname, _UNVERIFIED.verify_mode = False, ssl.CERT_NONE  # Route 53 does not verify certificates

Config = Mapping[str, Any]  # HealthCheckConfig
Where = Callable[[str], tuple[str, int]]
"""Address and port of a name; port 0 when the name does not say."""


@dataclass(slots=True, kw_only=True)
class Observed:
    """One health check as it stands. It begins healthy, as on AWS."""

    healthy: bool = True
    said: str = "Success: not checked yet"
    checked_s: float = field(default_factory=time.time)
    due_s: float = 0.0
    checking: bool = False
    last_failure: str = ""
    _run: int = 0

    def saw(self, problem: str, threshold: int) -> None:
        """Take in what one look found; '' for nothing wrong. Either state needs `threshold` looks in a row."""
        self.checked_s = time.time()
        self.said = f"Failure: {problem}" if problem else "Success: HTTP Status Code 200, OK"
        if problem:
            self.last_failure = self.said
        agrees = self.healthy != bool(problem)
        self._run = 0 if agrees else self._run + 1
        if self._run >= threshold:
            self.healthy, self._run = not self.healthy, 0


@dataclass(slots=True, kw_only=True)
class HealthChecks:
    """All health checks of a cloud; `run` on a loop. `passes` may be called from any thread.

    Args:
        configs: the health checks there are, by id.
        alarm: state of an alarm by region and name.
        changed: told of each look: id, healthy or not.
    """

    configs: Callable[[], Mapping[str, Config]]
    where: Where
    alarm: Callable[[str, str], str]
    timing: DnsTiming
    changed: Callable[[str, bool], None]
    observed: dict[str, Observed] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def passes(self, check: str) -> bool:
        """Whether a health check counts as healthy: inverted, disabled and calculated ones included."""
        config = self.configs().get(check)
        if config is None or config.get("Disabled"):
            return True  # a disabled check counts as healthy
        if config["Type"] == "CALCULATED":
            children = [self.passes(str(child)) for child in config.get("ChildHealthChecks") or ()]
            healthy = sum(children) >= int(config.get("HealthThreshold") or 0)
        else:
            healthy = self.observed.setdefault(check, Observed()).healthy
        return healthy != bool(config.get("Inverted"))

    async def run(self) -> None:
        """Check what is due, for ever."""
        while True:
            now_s, configs = time.monotonic(), self.configs()
            for check in [name for name in self.observed if name not in configs]:
                del self.observed[check]
            for check, config in configs.items():
                one = self.observed.setdefault(check, Observed())
                if now_s >= one.due_s and not one.checking and config["Type"] != "CALCULATED":
                    one.checking, one.due_s = True, now_s + self._interval_s(config)
                    task = asyncio.create_task(self._look(check, config, one))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
            await asyncio.sleep(_TICK_S)

    def _interval_s(self, config: Config) -> float:
        if config["Type"] == "CLOUDWATCH_METRIC":
            return min(timing.ALARM_LOOK_S, self.timing.health_interval_s or timing.ALARM_LOOK_S)
        return self.timing.health_interval_s or float(config.get("RequestInterval") or timing.REQUEST_INTERVAL_S)

    async def _look(self, check: str, config: Config, one: Observed) -> None:
        try:
            if config["Type"] == "CLOUDWATCH_METRIC":
                self._look_at_alarm(config, one)
            else:
                problem = await problem_of(config, self.where)
                one.saw(problem, int(config.get("FailureThreshold") or timing.FAILURE_THRESHOLD))
            self.changed(check, self.passes(check))
        except Exception:  # noqa: BLE001 - one health check must not keep the others from being asked
            _LOG.exception("health check %s", check)
        finally:
            one.checking = False

    def _look_at_alarm(self, config: Config, one: Observed) -> None:
        given = config.get("AlarmIdentifier") or {}
        state = self.alarm(str(given.get("Region")), str(given.get("Name")))
        lacking = str(config.get("InsufficientDataHealthStatus") or "LastKnownStatus")
        if state == "INSUFFICIENT_DATA":
            healthy = one.healthy if lacking == "LastKnownStatus" else lacking == "Healthy"
        else:
            healthy = state == "OK"
        one.saw("" if healthy else f"alarm {given.get('Name')} is {state}", 1)


async def problem_of(config: Config, where: Where) -> str:
    """What is wrong with an endpoint; '' when nothing is."""
    address, port = where(str(config.get("IPAddress") or config.get("FullyQualifiedDomainName") or ""))
    secure = str(config["Type"]).startswith("HTTPS")
    port = port or int(config.get("Port") or (443 if secure else 80))
    try:
        if config["Type"] == "TCP":
            async with asyncio.timeout(timing.TCP_S):
                _, writer = await asyncio.open_connection(address, port)
            writer.transport.abort()
            return ""
        encrypted = secure and ".execute-api." not in str(config.get("FullyQualifiedDomainName"))
        return await _ask(config, address, port, _UNVERIFIED if encrypted else None)  # the gate speaks no TLS
    except TimeoutError:
        return "the endpoint did not answer in time"
    except OSError as error:
        return f"no connection to {address}:{port}: {error.strerror or error}"


async def _ask(config: Config, address: str, port: int, tls: ssl.SSLContext | None) -> str:
    async with asyncio.timeout(timing.CONNECT_S):
        reader, writer = await asyncio.open_connection(address, port, ssl=tls)
    host = str(config.get("FullyQualifiedDomainName") or f"{address}:{port}")
    head = (
        f"GET {config.get('ResourcePath') or '/'} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n"
        "User-Agent: Amazon-Route53-Health-Check-Service (ref embedded)\r\n\r\n"
    )
    try:
        async with asyncio.timeout(timing.RESPOND_S):
            writer.write(head.encode())
            status = (await reader.readline()).split()
            if len(status) < 2 or not status[1].isdigit():
                return "the endpoint does not speak HTTP"
            if not 200 <= int(status[1]) < 400:
                return f"HTTP Status Code {int(status[1])}"
            wanted = str(config.get("SearchString") or "").encode()
            if wanted and wanted not in await _beginning(reader):
                return "the search string is not in the body"
            return ""
    finally:
        with contextlib.suppress(OSError):
            writer.transport.abort()


async def _beginning(reader: asyncio.StreamReader) -> bytes:
    """The first bytes of a body."""
    with contextlib.suppress(asyncio.IncompleteReadError):
        await reader.readuntil(b"\r\n\r\n")
    found = b""
    while len(found) < timing.SEARCHED_BYTES and (more := await reader.read(timing.SEARCHED_BYTES - len(found))):
        found += more
    return found
