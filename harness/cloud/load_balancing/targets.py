"""Target groups: who is registered, in which state, and the health checks that say so.

States and reasons: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from harness.cloud.links import OUTSIDE, Place
from harness.cloud.load_balancing import timing
from harness.cloud.load_balancing.timing import BalancerTiming
from harness.cloud.loop_thread import HOST
from harness.cloud.private_network import Interface, PrivateNetwork
from harness.cloud.zones import ZoneKeeper

if TYPE_CHECKING:
    import aiohttp

State = Literal["initial", "healthy", "unhealthy", "unused", "draining"]
_NO_CHECKS = ssl.create_default_context()
_NO_CHECKS.check_hostname, _NO_CHECKS.verify_mode = False, ssl.CERT_NONE  # ELB does not verify targets' certificates


@dataclass(frozen=True, slots=True)
class Health:
    """A state with what is said of it, as one value: it is written on one thread and read on others."""

    state: State
    reason: str = ""
    description: str = ""


@dataclass(slots=True, kw_only=True, eq=False)
class Target:
    """One registered target: an address, an instance or a function."""

    id: str
    port: int
    zone: str = ""
    """The name of its zone, or `all`."""
    health: Health = Health("initial", "Elb.RegistrationInProgress", "Target registration is in progress")
    in_flight: int = 0
    drains_until_s: float = 0.0
    due_s: float = 0.0
    """When it is checked next."""
    checking: bool = False
    unseen: set[str] = field(default_factory=set)
    """Zones whose nodes do not reach it: each node checks for itself, and sends it nothing."""
    _run: int = 0
    """Checks in a row with the same outcome: above 0 successes, below 0 failures."""
    _runs: dict[str, int] = field(default_factory=dict)
    """The same for each zone's node."""

    @property
    def state(self) -> State:
        """Its state alone."""
        return self.health.state

    def checked(self, problem: str, *, code: str, rise: int, fall: int) -> None:
        """Take one check's outcome in; '' for a success. The first success after registration is enough."""
        if self.state == "draining":
            return
        self._run = max(self._run, 0) + 1 if not problem else min(self._run, 0) - 1
        if not problem and (self.state in {"initial", "unused"} or self._run >= rise):
            self.health = Health("healthy")
        elif problem and (-self._run >= fall or self.state == "unhealthy"):
            self.health = Health("unhealthy", code, problem)

    def looked_at(self, zone: str, *, lost: bool, rise: int, fall: int) -> None:
        """Take in whether a zone's node reached it."""
        run = self._runs.get(zone, 0)
        self._runs[zone] = run = min(run, 0) - 1 if lost else max(run, 0) + 1
        if -run >= fall:
            self.unseen.add(zone)
        elif run >= rise:
            self.unseen.discard(zone)


@dataclass(slots=True, kw_only=True, eq=False)
class TargetGroup:
    """One group. Everything happens on the load balancers' loop but `register` and `deregister`, which only note.

    Args:
        record: ministack's, live.
        attributes: gives its attributes by key.
        used: whether a listener or rule of a load balancer leads here.
        nodes: zone's name → where the nodes are that send requests here.
    """

    arn: str
    record: Mapping[str, Any]
    attributes: Callable[[], Mapping[str, str]]
    network: PrivateNetwork
    timing: BalancerTiming
    keeper: ZoneKeeper
    used: bool = False
    nodes: Mapping[str, Place] = field(default_factory=dict)
    targets: dict[tuple[str, int], Target] = field(default_factory=dict)
    _turn: itertools.count[int] = field(default_factory=itertools.count)

    @property
    def kind(self) -> str:
        """`ip`, `instance`, `lambda` or `alb`."""
        return str(self.record["TargetType"])

    def register(self, target_id: str, port: int, zone: str) -> None:
        """Add a target; one that drains is in use again."""
        known = self.targets.get((target_id, port))
        if known is None or known.state == "draining":
            made = Target(id=target_id, port=port, zone=zone)
            if self.kind == "lambda":  # not checked here; on AWS only when that is asked for
                made.health = Health("healthy")
            self.targets[target_id, port] = made

    def deregister(self, target_id: str, port: int) -> None:
        """Begin to drain; without a request in flight there is nothing to wait for, as on AWS."""
        target = self.targets.get((target_id, port))
        if target is not None and target.state != "draining":
            target.drains_until_s = time.monotonic() + self.drain_s
            said = "Target deregistration is in progress"
            target.health = Health("draining", "Target.DeregistrationInProgress", said)

    @property
    def drain_s(self) -> float:
        """How long a target drains at the most."""
        if self.timing.deregistration_s is not None:
            return self.timing.deregistration_s
        return float(self.attributes().get("deregistration_delay.timeout_seconds", timing.DRAIN_S))

    def sweep(self) -> None:
        """Let go of what has drained."""
        now_s = time.monotonic()
        for key, target in list(self.targets.items()):
            if target.state == "draining" and (not target.in_flight or now_s >= target.drains_until_s):
                self.targets.pop(key, None)

    def choose(self, usable: Callable[[Target], bool], node: str) -> Target | None:
        """The next target in turn that the node sees healthy among the usable ones; without any, it fails open."""
        ours = [target for target in list(self.targets.values()) if usable(target)]
        healthy = [target for target in ours if target.state == "healthy"]
        seen = [target for target in healthy if node not in target.unseen]
        chosen = seen or healthy or [target for target in ours if target.state == "unhealthy"]
        return chosen[next(self._turn) % len(chosen)] if chosen else None

    def counts(self) -> tuple[int, int]:
        """Healthy and unhealthy targets."""
        states = [target.state for target in list(self.targets.values())]
        return states.count("healthy"), states.count("unhealthy")

    def health_of(self, target_id: str, port: int) -> str:
        """A target's state; `unused` when it is not registered or the group has no load balancer."""
        target = self.targets.get((target_id, port))
        return target.state if target is not None and (self.used or target.state == "draining") else "unused"

    def place_of(self, target: Target, port: int = 0) -> tuple[str, int, Interface | None]:
        """Where a target is reached on this machine, and its interface when it is one of the cloud's."""
        interface = self.network.find(target.id)
        wanted = port or target.port
        return (HOST, interface.port_of(wanted), interface) if interface is not None else (target.id, wanted, None)

    def whereabouts(self, target: Target) -> Place:
        """Where a target is, as an end of a flow; outside when it has no zone of ours."""
        interface = self.network.find(target.id)
        if interface is not None:
            return interface.place
        found = [zone for zone in self.keeper.zones if zone.name == target.zone]
        return found[0].place() if found else OUTSIDE

    # -- health checks -----------------------------------------------------------------------------------------

    @property
    def interval_s(self) -> float:
        """Between two checks."""
        return self.timing.health_interval_s or float(self.record["HealthCheckIntervalSeconds"])

    def due(self) -> list[Target]:
        """The targets to be checked now; each is checked for itself, so that a silent one holds none up."""
        if not self.used or self.kind == "lambda":
            return []
        now_s, every = time.monotonic(), list(self.targets.values())
        return [one for one in every if one.state != "draining" and not one.checking and now_s >= one.due_s]

    async def check(self, session: aiohttp.ClientSession, target: Target) -> None:
        """Check a target once."""
        target.checking, target.due_s = True, time.monotonic() + self.interval_s
        try:
            await self._check_one(session, target)
        finally:
            target.checking = False

    async def _check_one(self, session: aiohttp.ClientSession, target: Target) -> None:
        within_s = float(self.record["HealthCheckTimeoutSeconds"])
        try:
            async with asyncio.timeout(within_s):
                code, problem = await self._ask(session, target)
        except TimeoutError:
            code, problem = "Target.Timeout", "Request timed out"
        except (OSError, ValueError) as error:
            code, problem = "Target.FailedHealthChecks", f"Health checks failed: {error}"
        rise, fall = (int(self.record[f"{name}ThresholdCount"]) for name in ("Healthy", "Unhealthy"))
        target.checked(problem, code=code, rise=rise, fall=fall)
        links, place = self.keeper.links, self.whereabouts(target)
        for zone, node in self.nodes.items() if links.disturbed or target.unseen else ():
            target.looked_at(zone, lost=links.lost(node, place, within_s=within_s), rise=rise, fall=fall)

    async def _ask(self, session: aiohttp.ClientSession, target: Target) -> tuple[str, str]:
        """The reason code and what is wrong; two empty texts when nothing is."""
        import aiohttp

        given = self.record["HealthCheckPort"]
        host, port, interface = self.place_of(target, 0 if given == "traffic-port" else int(given))
        if interface is not None and not interface.answers(int(target.port if given == "traffic-port" else given)):
            await asyncio.sleep(timing.CONNECT_S)  # nothing there answers; the timeout ends it
        protocol = str(self.record["HealthCheckProtocol"])
        if protocol not in {"HTTP", "HTTPS"}:
            _, writer = await asyncio.open_connection(host, port)
            writer.close()
            return "", ""
        url = f"{protocol.lower()}://{host}:{port}{self.record['HealthCheckPath']}"
        headers = {"User-Agent": "ELB-HealthChecker/2.0", "Connection": "close"}
        try:
            async with session.get(url, headers=headers, allow_redirects=False, ssl=_NO_CHECKS) as answer:
                status = answer.status
        except aiohttp.ClientError as error:
            raise OSError(str(error)) from error
        if _matches(str((self.record.get("Matcher") or {}).get("HttpCode") or "200"), status):
            return "", ""
        return "Target.ResponseCodeMismatch", f"Health checks failed with these codes: [{status}]"


def _matches(matcher: str, status: int) -> bool:
    """Whether a status is one of `200`, `200,202` or `200-299`."""
    for part in matcher.split(","):
        low, _, high = part.partition("-")
        with contextlib.suppress(ValueError):
            if int(low) <= status <= int(high or low):
                return True
    return False


def zones_with_healthy(groups: Sequence[TargetGroup]) -> set[str]:
    """The zones in which some group has a healthy target."""
    return {target.zone for group in groups for target in list(group.targets.values()) if target.state == "healthy"}
