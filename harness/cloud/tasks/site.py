"""What every task of one cloud shares."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from harness.clock import Clock
from harness.cloud.doors import Publish
from harness.cloud.evidence import Evidence
from harness.cloud.loop_thread import LoopThread
from harness.cloud.private_network import PrivateNetwork
from harness.cloud.tasks.agent import Agent
from harness.cloud.tasks.images import Images
from harness.cloud.tasks.timing import TaskTiming
from harness.cloud.tasks.warden import Warden
from harness.cloud.zones import ZoneKeeper


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A task's place behind a load balancer."""

    group: str
    """The target group's ARN."""
    container: str
    port: int


class TargetGroups(Protocol):
    """What tasks need of the load balancers. Called under the task's account and region."""

    def register(self, group: str, address: str, port: int, zone: str) -> None:
        """Let a target group send requests to an address."""
        ...

    def deregister(self, group: str, address: str, port: int) -> None:
        """Begin to drain it; may be repeated."""
        ...

    def drained(self, group: str, address: str, port: int) -> bool:
        """Whether the group is done with it."""
        ...

    def health(self, group: str, address: str, port: int) -> str:
        """`healthy`, `unhealthy`, `initial`, `draining`, `unused`; as DescribeTargetHealth says it."""
        ...

    def shift(self, rule: str, group: str, away_from: str) -> None:
        """Let a listener or rule send everything that went to `away_from` to `group`, at once."""
        ...


class NoTargetGroups:
    """Where there are no load balancers: whatever runs is healthy."""

    def register(self, group: str, address: str, port: int, zone: str) -> None:
        """Nobody sends requests."""

    def deregister(self, group: str, address: str, port: int) -> None:
        """Nobody did."""

    def drained(self, group: str, address: str, port: int) -> bool:
        """At once."""
        del group, address, port
        return True

    def health(self, group: str, address: str, port: int) -> str:
        """Unused: the group has no load balancer."""
        del group, address, port
        return "unused"

    def shift(self, rule: str, group: str, away_from: str) -> None:
        """Nobody sends requests."""


@dataclass(slots=True, kw_only=True)
class Site:
    """`registry` holds the process records; `lock` guards every record of ECS."""

    registry: Path
    endpoint: str
    zones: ZoneKeeper
    evidence: Evidence
    clock: Clock
    timing: TaskTiming
    images: Images
    network: PrivateNetwork
    thread: LoopThread
    publish: Publish
    warden: Warden
    agent: Agent = field(default_factory=Agent)
    target_groups: TargetGroups = field(default_factory=NoTargetGroups)
    lock: threading.RLock = field(default_factory=threading.RLock)
