"""The pool of execution environments: takes an invocation, finds or starts an environment, hands on the result.

One environment answers one invocation at a time, as on AWS. Warm environments are kept by function version
and zone. Losing a zone kills its environments at once, whatever they are doing.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from harness.clock import Clock
from harness.cloud.call import AwsCall, Caller
from harness.cloud.evidence import Evidence
from harness.cloud.faults import FunctionError, Hit, HttpResponse, Latency, RuleBook
from harness.cloud.functions.code import CodeStore
from harness.cloud.functions.cpu_share import share_of
from harness.cloud.functions.environment import Environment, start_environment
from harness.cloud.functions.fleet import Fleet
from harness.cloud.functions.invocation import (
    Outcome,
    Provision,
    error_payload,
    nobody_waits,
    service_unavailable,
    timed_out,
)
from harness.cloud.functions.placement import Place, Placement
from harness.cloud.functions.provisioned import Wanted
from harness.cloud.functions.runtime import link_runtime
from harness.cloud.functions.spec import FunctionSpec, read_spec
from harness.cloud.zones import Zone, ZoneKeeper

DEAD_ZONE_ANSWER_S = 0.05
"""How long an invocation sent into a dark zone takes to fail: the connection is reset, there is no host."""


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

    def subnet_zone(self, subnet: str) -> str:
        """The name of the subnet's zone; '' when there is no such subnet."""
        ...

    def run_elsewhere(self, record: Mapping[str, Any], event: Any) -> dict[str, Any]:
        """Run a runtime that our environments cannot run."""
        ...

    def within(self, config: Mapping[str, Any], run: Callable[[], str]) -> str:
        """What `run` returns under the function's account and region, for threads of ours."""
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
    emulator: Emulator
    xray_daemon: str = ""
    """Where SDKs send segments to, `host:port`; empty where nobody listens."""
    cpu_held: set[str] = field(default_factory=set)
    """Functions whose processes are held to the CPU share of their memory: those that are being tuned."""
    placement: Placement = field(init=False)
    _code: CodeStore = field(init=False)
    _runtime: Path = field(init=False)
    _fleet: Fleet = field(init=False)
    _provided: dict[str, int] = field(default_factory=dict)
    """Versions with provisioned concurrency, by fingerprint, and how much of it."""

    def __post_init__(self) -> None:
        self.placement = Placement(self.zones, self.clock, self.detection_s, self.emulator.subnet_zone)
        self._fleet = Fleet(self.clock)
        self._code = CodeStore(self.folder / "code")
        self._runtime = link_runtime(self.folder / "runtime")

    # -- invocations -----------------------------------------------------------------------------------------

    def execute(self, record: Mapping[str, Any], event: Any) -> dict[str, Any]:
        """Run one invocation and answer in the emulator's form; never raises for what the function did."""
        spec = read_spec(record)
        hits = self._hits(spec)
        delay = next((hit for hit in hits if isinstance(hit.effect, Latency)), None)
        if delay is not None and self._delayed_to_death(spec, delay):
            payload = timed_out(str(uuid.uuid4()), spec.timeout_s)
            return Outcome(kind="function_error", payload=payload).to_emulator()
        answer = next((h.effect for h in hits if isinstance(h.effect, FunctionError | HttpResponse)), None)
        if answer is not None and answer.prevent_execution:
            return _injected(answer).to_emulator()
        if not spec.is_python:
            result = self.emulator.run_elsewhere(record, event)
        else:
            result = self._run(spec, record, event).to_emulator()
        return result if answer is None else _injected(answer).to_emulator()

    def _delayed_to_death(self, spec: FunctionSpec, delay: Hit) -> bool:
        """Delay the start of the handler; True when that took the whole of the function's timeout.

        Of several delays, as of several answers, the one that came first counts.
        """
        if not isinstance(delay.effect, Latency):
            return False
        self.rules.hold(delay.rule_id, min(delay.effect.delay_s, spec.timeout_s))
        return delay.effect.delay_s >= spec.timeout_s and self.rules.in_force(delay.rule_id)

    def _hits(self, spec: FunctionSpec) -> list[Hit]:
        """What faults do to this invocation, the oldest rule first."""
        call = AwsCall(
            layer="invocation",
            service="lambda",
            operation="Invoke",
            region=spec.region,
            account=spec.account,
            resource=_unqualified(spec.arn),
        )
        return self.rules.hits(call)

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
        if nobody_waits(event):
            environment.give_way()
        began_s = self.clock.now_s()
        share = share_of(spec.memory_mb) if spec.name in self.cpu_held else 1.0
        outcome, lines = environment.invoke(_event_bytes(event), request_id, cpu_share=share)
        provision = self._provision_of(environment)
        self._fleet.give_back(environment, took_s=self.clock.now_s() - began_s, reusable=outcome.reusable)
        self.emulator.write_logs(spec, environment.log_stream, lines)
        return replace(outcome, log="\n".join(lines), provision=provision, zone=environment.zone.id)

    def _provision_of(self, environment: Environment) -> Provision | None:
        """How much of a version's provisioned concurrency was in use as an invocation ended."""
        allotted = self._provided.get(environment.spec.fingerprint)
        if allotted is None:
            return None
        busy = sum(1 for one in self._fleet.provisioned(environment.spec.fingerprint) if one.in_flight)
        return Provision(spilled=not environment.provisioned, busy=busy + environment.provisioned, allotted=allotted)

    def _acquire(self, spec: FunctionSpec, place: Place, record: Mapping[str, Any]) -> Environment | None:
        others = [
            other.zone
            for other in self.placement.places(spec)
            if other.zone != place.zone and not self.placement.is_dark(other.zone)
        ]
        return self._fleet.acquire(spec, place.zone, others, lambda: self._start(spec, place, record))

    def _start(
        self, spec: FunctionSpec, place: Place, record: Mapping[str, Any], initialization: str = "on-demand"
    ) -> Environment | None:
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
                "AWS_LAMBDA_INITIALIZATION_TYPE": initialization,
                "AWS_REGION": spec.region,
                "AWS_DEFAULT_REGION": spec.region,
                **self._tracing(),
                "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",  # there is no name resolution of sync-127.0.0.1
            },
        )
        self._fleet.add(environment)
        if self.placement.is_dark(place.zone) or self._fleet.closed:  # the power went while it started
            environment.kill("power")
        environment.prepare()
        return environment

    def _tracing(self) -> dict[str, str]:
        if not self.xray_daemon:
            return {}
        return {"AWS_XRAY_DAEMON_ADDRESS": self.xray_daemon, "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR"}

    # -- provisioned concurrency (a Site) ---------------------------------------------------------------------

    def provision(self, wanted: Wanted) -> str:
        """Start one more environment of a version, initialised and kept; returns what went wrong, or ''."""
        spec, place = wanted.spec, self.placement.next_place(wanted.spec)
        if place is None or not spec.is_python:
            return (
                "no availability zone of this function has capacity" if place is None else f"no {spec.runtime} here"
            )
        return self.emulator.within(wanted.record["config"], partial(self._start_provisioned, wanted, place))

    def _start_provisioned(self, wanted: Wanted, place: Place) -> str:
        environment = self._start(wanted.spec, place, wanted.record, "provisioned-concurrency")
        if environment is None:
            return "no execution environment could be started"
        if environment.init_failure or not environment.alive:
            self._fleet.discard(environment)
            return environment.init_failure or "the execution environment was lost as it started"
        self._provided[wanted.spec.fingerprint] = wanted.count
        self._fleet.lay_by(environment)
        return ""

    def provisioned(self, fingerprint: str) -> int:
        """How many provisioned environments of a version there are, initialised and alive."""
        return len(self._fleet.provisioned(fingerprint))

    def release(self, fingerprint: str, keep: int) -> None:
        """All but `keep` become ordinary ones, which end when they are idle for long."""
        for environment in self._fleet.provisioned(fingerprint)[keep:]:
            environment.provisioned = False
        self._provided[fingerprint] = keep
        if not keep:
            del self._provided[fingerprint]

    # -- zones (a Resident) ----------------------------------------------------------------------------------

    def power_lost(self, zone: Zone, *, owner: str) -> int:
        """Kill every environment in the zone at once; returns how many died."""
        self.placement.went_dark(zone)
        died = 0
        for environment in self._fleet.in_zone(zone):
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
                self._fleet.discard(environment)
        return died

    def power_restored(self, zone: Zone, *, owner: str) -> None:
        """The zone is used again, starting cold."""
        del owner
        self.placement.lit_up(zone)

    def hold_cpu(self, function: str, *, on: bool) -> None:
        """Hold a function's processes to the CPU share of their memory from now on, or no longer."""
        (self.cpu_held.add if on else self.cpu_held.discard)(function)

    # -- for the server --------------------------------------------------------------------------------------

    def caller(self, app_id: str) -> Caller | None:
        """Who sends requests under the SDK app id `bs.<zone>.<environment>`; None for anybody else."""
        environment = self._fleet.find(app_id.rpartition(".")[2])
        if environment is None or not app_id.startswith("bs."):
            return None
        return Caller(
            zone_id=environment.zone.id,
            subnet_id=environment.subnet,
            function=environment.spec.name,
            role=_pathless(environment.spec.role),
            environment_id=environment.id,
        )

    def environments(self) -> list[dict[str, Any]]:  # JSON for the control API
        """The environments that run now."""
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
                "used_s": e.used_s,
            }
            for e in self._fleet.everything()
            if e.alive
        ]

    def reset(self) -> None:
        """End every environment; new ones may start."""
        self.cpu_held.clear()
        self._fleet.reset()

    def close(self) -> None:
        """End every environment for good."""
        self._fleet.close()


def _pathless(role: str) -> str:
    """The role's ARN without its path, as the session of an assumed role has it."""
    return f"{role.partition('/')[0]}/{role.rpartition('/')[2]}" if "/" in role else role


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
