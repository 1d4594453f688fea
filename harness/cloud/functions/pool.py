"""The pool of execution environments: takes an invocation, finds or starts an environment, hands on the result.

One environment answers one invocation at a time, as on AWS. Warm environments are kept by function version
and zone. Losing a zone kills its environments at once, whatever they are doing.
"""

from __future__ import annotations

import json
import os
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from harness.clock import Clock
from harness.cloud.call import AwsCall, Caller
from harness.cloud.evidence import Evidence
from harness.cloud.faults import Effect, FunctionError, HttpResponse, Latency, RuleBook
from harness.cloud.functions.code import CodeStore
from harness.cloud.functions.environment import Environment, start_environment
from harness.cloud.functions.invocation import Outcome, error_payload, service_unavailable
from harness.cloud.functions.placement import Place, Placement, SubnetZone
from harness.cloud.functions.runtime import link_runtime
from harness.cloud.functions.spec import FunctionSpec, read_spec
from harness.cloud.zones import Zone, ZoneKeeper

IDLE_S = 300.0
"""An idle environment is ended after this long; AWS keeps one for some minutes and promises nothing."""

DEAD_ZONE_ANSWER_S = 0.05
"""How long an invocation sent into a dark zone takes to fail: the connection is reset, there is no host."""

STARTS_AT_ONCE = max(2, 2 * (os.cpu_count() or 1))
"""Cold starts under way together. AWS has room for a thousand in ten seconds; a laptop has not."""

EnvironmentKey = tuple[str, str]  # fingerprint of the function, zone id


class Emulator(Protocol):
    """What the pool needs of the emulator behind the gate."""

    def credentials(self, config: Mapping[str, Any]) -> dict[str, str]:
        """`AWS_ACCESS_KEY_ID` and so on of the function's role."""
        ...

    def layer(self, arn: str) -> bytes:
        """The zip of a layer version; b'' when there is none."""
        ...

    def write_logs(self, spec: FunctionSpec, stream: str, lines: Sequence[str]) -> None:
        """Append lines to the function's log group."""
        ...

    def run_elsewhere(self, record: Mapping[str, Any], event: Any) -> dict[str, Any]:
        """Run a runtime that our environments cannot run."""
        ...


@dataclass(slots=True, kw_only=True)
class FunctionPool:
    """All environments of one cloud. `execute` is called from the emulator's worker threads."""

    folder: Path
    registry: Path
    endpoint: str
    detection_s: float
    zones: ZoneKeeper
    rules: RuleBook
    evidence: Evidence
    clock: Clock
    subnet_zone: SubnetZone
    emulator: Emulator
    placement: Placement = field(init=False)
    _code: CodeStore = field(init=False)
    _runtime: Path = field(init=False)
    _idle: dict[EnvironmentKey, list[Environment]] = field(default_factory=dict)
    _live: dict[str, Environment] = field(default_factory=dict)
    _starting: dict[EnvironmentKey, int] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _changed: threading.Condition = field(init=False)
    _closed: bool = False
    _swept_s: float = 0.0

    def __post_init__(self) -> None:
        self.placement = Placement(self.zones, self.clock, self.detection_s, self.subnet_zone)
        self._changed = threading.Condition(self._lock)
        self._code = CodeStore(self.folder / "code")
        self._runtime = link_runtime(self.folder / "runtime")

    # -- invocations -----------------------------------------------------------------------------------------

    def execute(self, record: Mapping[str, Any], event: Any) -> dict[str, Any]:
        """Run one invocation and answer in the emulator's form; never raises for what the function did."""
        spec = read_spec(record)
        effects = self._effects(spec)
        for effect in effects:
            if isinstance(effect, Latency):
                time.sleep(effect.delay_s)
        answer = next((e for e in effects if isinstance(e, FunctionError | HttpResponse)), None)
        if answer is not None and answer.prevent_execution:
            return _injected(answer).to_emulator()
        if not spec.is_python:
            result = self.emulator.run_elsewhere(record, event)
        else:
            result = self._run(spec, record, event).to_emulator()
        return result if answer is None else _injected(answer).to_emulator()

    def _effects(self, spec: FunctionSpec) -> list[Effect]:
        call = AwsCall(
            layer="invocation",
            service="lambda",
            operation="Invoke",
            region=spec.region,
            account=spec.account,
            resource=_unqualified(spec.arn),
        )
        return self.rules.decide(call)

    def _run(self, spec: FunctionSpec, record: Mapping[str, Any], event: Any) -> Outcome:
        place = self.placement.next_place(spec)
        if place is None:
            return service_unavailable("no availability zone of this function has capacity")
        if self.placement.is_dark(place.zone):
            time.sleep(DEAD_ZONE_ANSWER_S)
            return service_unavailable("the execution environment's host does not answer")
        request_id = str(uuid.uuid4())
        environment = self._acquire(spec, place, record)
        if environment is None:
            return service_unavailable("no execution environment could be started")
        outcome, lines = environment.invoke(_event_bytes(event), request_id)
        self._give_back(environment, reusable=outcome.reusable)
        self.emulator.write_logs(spec, environment.log_stream, lines)
        return Outcome(kind=outcome.kind, payload=outcome.payload, log="\n".join(lines), reusable=outcome.reusable)

    # -- environments ----------------------------------------------------------------------------------------

    def _acquire(self, spec: FunctionSpec, place: Place, record: Mapping[str, Any]) -> Environment | None:
        """A warm environment, or a new one once the machine has room to start it.

        The place's zone comes first. While an environment starts there, warm ones of other zones take the load: a
        zone that comes back is warmed by one start and not by a storm of them, which would be an outage of its own.
        """
        self._sweep()
        key = (spec.fingerprint, place.zone.id)
        others = [
            (spec.fingerprint, other.zone.id)
            for other in self.placement.places(spec)
            if other.zone != place.zone and not self.placement.is_dark(other.zone)
        ]
        with self._changed:
            while not self._closed:
                environment = self._pop_idle((key,))
                if environment is None and (self._busy_or_starting(key) or self._starting_now >= STARTS_AT_ONCE):
                    environment = self._pop_idle(others)
                if environment is not None:
                    return environment
                if self._starting_now < STARTS_AT_ONCE:
                    break
                self._changed.wait(0.5)
            self._starting[key] = self._starting.get(key, 0) + 1
        try:
            return self._start(spec, place, record)
        finally:
            with self._changed:
                self._starting[key] -= 1
                self._changed.notify_all()

    @property
    def _starting_now(self) -> int:
        return sum(self._starting.values())

    def _busy_or_starting(self, key: EnvironmentKey) -> bool:
        """True when the function already has, or is getting, an environment in this zone. Under the lock."""
        if self._starting.get(key):
            return True
        return any((e.spec.fingerprint, e.zone.id) == key and e.alive for e in self._live.values())

    def _pop_idle(self, keys: Sequence[EnvironmentKey]) -> Environment | None:
        """A living warm environment; dead ones on the way are put aside. Under the lock."""
        for key in keys:
            idle = self._idle.get(key, [])
            while idle:
                environment = idle.pop()
                if environment.alive:
                    return environment
                self._live.pop(environment.id, None)
                environment.close()
        return None

    def _start(self, spec: FunctionSpec, place: Place, record: Mapping[str, Any]) -> Environment | None:
        if self._closed:
            return None
        layers = tuple(self._code.unpack(content) for arn in spec.layers if (content := self.emulator.layer(arn)))
        config = record.get("config") or record
        environment = start_environment(
            spec,
            place.zone,
            place.subnet,
            task_root=self._code.unpack(spec.code),
            layers=layers,
            runtime=self._runtime,
            registry=self.registry,
            variables={
                **self.emulator.credentials(config),
                "AWS_ENDPOINT_URL": self.endpoint,
                "AWS_REGION": spec.region,
                "AWS_DEFAULT_REGION": spec.region,
            },
        )
        with self._lock:
            self._live[environment.id] = environment
        if self.placement.is_dark(place.zone) or self._closed:  # the power went while it started
            environment.kill("power")
        environment.prepare()
        return environment

    def _give_back(self, environment: Environment, *, reusable: bool) -> None:
        if not reusable or not environment.alive or self._closed:
            self._discard(environment)
            return
        environment.idle_since_s = self.clock.now_s()
        with self._changed:
            key = (environment.spec.fingerprint, environment.zone.id)
            self._idle.setdefault(key, []).append(environment)
            self._changed.notify()

    def _discard(self, environment: Environment) -> None:
        with self._lock:
            self._live.pop(environment.id, None)
        environment.close()

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
                    if outdated or now_s - environment.idle_since_s > IDLE_S:
                        idle.remove(environment)
                        stale.append(environment)
        for environment in stale:
            self._discard(environment)

    # -- zones (a Resident) ----------------------------------------------------------------------------------

    def power_lost(self, zone: Zone, *, owner: str) -> int:
        """Kill every environment in the zone at once; returns how many died."""
        self.placement.went_dark(zone)
        with self._lock:
            here = [environment for environment in self._live.values() if environment.zone == zone]
            for key in [key for key in self._idle if key[1] == zone.id]:
                del self._idle[key]
        died = 0
        for environment in here:
            busy = environment.in_flight
            if environment.kill(owner or "power"):
                died += 1
                self.evidence.add(
                    "environment_killed",
                    owner=owner,
                    zone=zone.id,
                    function=environment.spec.name,
                    resource=_unqualified(environment.spec.arn),
                    in_flight=busy,
                )
            if not busy:
                self._discard(environment)
        return died

    def power_restored(self, zone: Zone, *, owner: str) -> None:
        """The zone is used again, starting cold."""
        del owner
        self.placement.lit_up(zone)

    # -- for the server --------------------------------------------------------------------------------------

    def caller(self, app_id: str) -> Caller | None:
        """Who sends requests under the SDK app id `bs.<zone>.<environment>`; None for anybody else."""
        environment = self._live.get(app_id.rpartition(".")[2])
        if environment is None or not app_id.startswith("bs."):
            return None
        return Caller(
            zone_id=environment.zone.id,
            subnet_id=environment.subnet,
            function=environment.spec.name,
            environment_id=environment.id,
        )

    def environments(self) -> list[dict[str, Any]]:  # JSON for the control API
        """The environments that run now."""
        with self._lock:
            live = list(self._live.values())
        return [
            {
                "id": e.id,
                "function": e.spec.name,
                "version": e.spec.version,
                "region": e.spec.region,
                "zone": e.zone.id,
                "subnet": e.subnet,
                "pid": e.process.pid,
                "busy": e.in_flight,
            }
            for e in live
            if e.alive
        ]

    def reset(self) -> None:
        """End every environment; new ones may start."""
        with self._lock:
            live = list(self._live.values())
            self._idle.clear()
        for environment in live:
            environment.kill()
            if not environment.in_flight:
                self._discard(environment)

    def close(self) -> None:
        """End every environment for good."""
        self._closed = True
        self.reset()


def _unqualified(arn: str) -> str:
    """The function's ARN without version or alias."""
    return ":".join(arn.split(":")[:7])


def _event_bytes(event: Any) -> bytes:
    return event if isinstance(event, bytes) else json.dumps(event, ensure_ascii=False).encode()


def _injected(effect: FunctionError | HttpResponse) -> Outcome:
    if isinstance(effect, FunctionError):
        return Outcome(kind="function_error", payload=error_payload(effect.error_type, effect.message))
    answer = {"statusCode": effect.status, "headers": {"Content-Type": effect.content_type}, "body": ""}
    return Outcome(kind="ok", payload=json.dumps(answer).encode())
