"""The execution environments that live now: which are warm, who waits for one, and when another one is started."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from harness.clock import Clock
from harness.cloud.functions.environment import Environment
from harness.cloud.functions.spec import FunctionSpec
from harness.cloud.zones import Zone

IDLE_S = 300.0
"""An idle environment is ended after this long; AWS keeps one for some minutes and promises nothing."""

STARTS_AT_ONCE = max(2, os.cpu_count() or 1)
"""Cold starts under way together. AWS has room for a thousand in ten seconds; a laptop has its cores."""

_LOOK_AGAIN_S = 0.1
"""How long a waiting invocation sleeps at most before it looks whether another start is worth it by now."""

_PACE_WEIGHT = 0.2
"""Share of the newest invocation in the running mean of how long a function takes."""

EnvironmentKey = tuple[str, str]  # fingerprint of the function, zone id


@dataclass(slots=True)
class _Demand:
    """What is known about one function's invocations. Durations in seconds, None until the first one ended."""

    freed: threading.Condition
    waiting: int = 0
    pace_s: float | None = None
    start_s: float | None = None


@dataclass(slots=True)
class Fleet:
    """Hands environments to invocations, one at a time each, and takes them back. Safe from any thread."""

    clock: Clock
    _idle: dict[EnvironmentKey, list[Environment]] = field(default_factory=dict)
    _live: dict[str, Environment] = field(default_factory=dict)
    _starting: Counter[EnvironmentKey] = field(default_factory=Counter)
    _demands: dict[str, _Demand] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _closed: bool = False
    _swept_s: float = 0.0

    @property
    def closed(self) -> bool:
        """True once nothing may start any more."""
        return self._closed

    def acquire(
        self, spec: FunctionSpec, zone: Zone, others: Sequence[Zone], start: Callable[[], Environment | None]
    ) -> Environment | None:
        """A warm environment, or a new one from `start`, which waits for its init phase. None once closed.

        `zone` comes first. While an environment starts there, warm ones of `others` take the load: a zone that
        comes back is warmed by one start and not by a storm of them, which would be an outage of its own.
        """
        self._sweep()
        key = (spec.fingerprint, zone.id)
        elsewhere = [(spec.fingerprint, other.id) for other in others]
        with self._lock:
            demand = self._demand(spec.fingerprint)
            demand.waiting += 1
            try:
                while True:
                    if self._closed:
                        return None
                    environment = self._pop_idle((key, *elsewhere), provisioned_only=True) or self._pop_idle((key,))
                    if environment is None and (self._present(key) or self._no_room):
                        environment = self._pop_idle(elsewhere)
                    if environment is not None:
                        return environment
                    if not self._no_room and (not self._present(key) or self._worth_a_start(spec, demand)):
                        break
                    demand.freed.wait(_LOOK_AGAIN_S)
            finally:
                demand.waiting -= 1
            self._starting[key] += 1
        began_s = self.clock.now_s()
        try:
            return start()
        finally:
            with self._lock:
                self._starting[key] -= 1
                demand.start_s = self.clock.now_s() - began_s
                demand.freed.notify()

    def add(self, environment: Environment) -> None:
        """From now on the environment counts, and dies with its zone."""
        with self._lock:
            self._live[environment.id] = environment

    def give_back(self, environment: Environment, *, took_s: float, reusable: bool) -> None:
        """The invocation ended after `took_s`; the environment is warm for the next one, or ended."""
        with self._lock:
            demand = self._demand(environment.spec.fingerprint)
            before_s = took_s if demand.pace_s is None else demand.pace_s
            demand.pace_s = before_s + _PACE_WEIGHT * (took_s - before_s)
            keep = reusable and not self._closed and environment.id in self._live
            if keep:
                environment.idle_since_s = self.clock.now_s()
                key = (environment.spec.fingerprint, environment.zone.id)
                self._idle.setdefault(key, []).append(environment)
            demand.freed.notify()
        if not keep:
            self.discard(environment)

    def discard(self, environment: Environment) -> None:
        """End it, and forget it."""
        with self._lock:
            self._live.pop(environment.id, None)
            idle = self._idle.get(_key(environment), [])
            if environment in idle:  # given back between the end of its zone's power and its own
                idle.remove(environment)
        environment.close()

    def lay_by(self, environment: Environment) -> None:
        """It was started ahead of any invocation, and waits for one; not when its zone went dark meanwhile."""
        with self._lock:
            if environment.alive and not self._closed:
                environment.idle_since_s, environment.provisioned = self.clock.now_s(), True
                self._idle.setdefault(_key(environment), []).append(environment)

    def provisioned(self, fingerprint: str) -> list[Environment]:
        """The provisioned environments of a version that live, busy or not."""
        with self._lock:
            return [e for e in self._live.values() if e.provisioned and e.spec.fingerprint == fingerprint and e.alive]

    def in_zone(self, zone: Zone) -> list[Environment]:
        """Every environment in the zone; none of them is handed out any more."""
        with self._lock:
            for key in [key for key in self._idle if key[1] == zone.id]:
                del self._idle[key]
            return [environment for environment in self._live.values() if environment.zone == zone]

    def find(self, environment_id: str) -> Environment | None:
        """The environment with this id."""
        return self._live.get(environment_id)

    def everything(self) -> list[Environment]:
        """All that live, busy or not."""
        with self._lock:
            return list(self._live.values())

    def reset(self) -> None:
        """End every environment; new ones may start."""
        with self._lock:
            live = list(self._live.values())
            self._idle.clear()
        for environment in live:
            environment.kill()
            if not environment.in_flight:
                self.discard(environment)

    def close(self) -> None:
        """End every environment for good."""
        self._closed = True
        self.reset()

    # -- under the lock --------------------------------------------------------------------------------------

    def _demand(self, fingerprint: str) -> _Demand:
        return self._demands.setdefault(fingerprint, _Demand(threading.Condition(self._lock)))

    @property
    def _no_room(self) -> bool:
        return self._starting.total() >= STARTS_AT_ONCE

    def _present(self, key: EnvironmentKey) -> bool:
        """True when the function already has, or is getting, an environment in this zone."""
        return self._starting[key] > 0 or any(_key(e) == key and e.alive for e in self._live.values())

    def _worth_a_start(self, spec: FunctionSpec, demand: _Demand) -> bool:
        """Whether those who wait would wait longer for the warm ones than for another cold start.

        On AWS each of them would get its own environment at once. On two cores that is a storm in which nobody
        is served: starts compete with the handlers that could have worked the queue off.
        """
        if demand.pace_s is None or demand.start_s is None:
            return True
        serving = sum(e.spec.fingerprint == spec.fingerprint and e.alive for e in self._live.values())
        return demand.waiting * demand.pace_s > demand.start_s * max(1, serving)

    def _pop_idle(self, keys: Sequence[EnvironmentKey], *, provisioned_only: bool = False) -> Environment | None:
        """A living warm environment, provisioned ones first; dead ones on the way are put aside."""
        for key in keys:
            idle = self._idle.get(key, [])
            while idle:
                at = next((at for at, one in enumerate(idle) if one.provisioned), -1)
                if provisioned_only and at < 0:
                    break
                environment = idle.pop(at)
                if environment.alive:
                    return environment
                self._live.pop(environment.id, None)
                environment.close()
        return None

    def _sweep(self) -> None:
        """End what has been idle for long, and what belongs to code or configuration of before."""
        now_s = self.clock.now_s()
        with self._lock:
            if now_s - self._swept_s < 1.0:
                return
            self._swept_s = now_s
            newest: dict[str, tuple[float, str]] = {}
            for environment in self._live.values():
                spec = environment.spec
                mark = (environment.started_s, spec.fingerprint)
                newest[spec.arn] = max(newest.get(spec.arn, mark), mark)
            stale = []
            for idle in self._idle.values():
                for environment in tuple(idle):
                    outdated = environment.spec.fingerprint != newest[environment.spec.arn][1]
                    if not environment.provisioned and (outdated or now_s - environment.idle_since_s > IDLE_S):
                        idle.remove(environment)
                        stale.append(environment)
        for environment in stale:
            self.discard(environment)


def _key(environment: Environment) -> EnvironmentKey:
    return environment.spec.fingerprint, environment.zone.id
