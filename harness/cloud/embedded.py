"""The embedded cloud: the emulator with our parts around it, as the server sees them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness import processes
from harness.cloud import ministack_hooks
from harness.cloud.asgi import App, Scope, Send
from harness.cloud.backends import Backend
from harness.cloud.call import Caller
from harness.cloud.doors import Doors
from harness.cloud.identify import Identifier, Request
from harness.cloud.lambda_errors import with_service_exceptions
from harness.cloud.limits.requests import KEYED
from harness.cloud.links import Place
from harness.cloud.load_balancing.zonal_shift_api import ZonalShiftApi
from harness.cloud.parts import Parts
from harness.cloud.permissions import beside
from harness.cloud.scaling.api import ScalingApi
from harness.cloud.settings import CloudSettings
from harness.cloud.signals.service_metrics import MEASURED
from harness.cloud.standing import Rows
from harness.cloud.timings import Timing, timings
from harness.cloud.traces.otlp import PATH as OTLP_PATH


class EmbeddedCloud:
    """What `Standing` is where this process is the cloud. Build it on the event loop that will serve."""

    measured: frozenset[str] = MEASURED | KEYED

    def __init__(self, settings: CloudSettings, doors: Doors, backend: Backend, identifier: Identifier) -> None:
        self._settings, self._doors, self._backend = settings, doors, backend
        self._parts = Parts(settings, doors, identifier)
        self._models = identifier.models
        doors.zones.links.populations.append(self._whereabouts)
        identifier.callers = self.caller
        identifier.roles = ministack_hooks.role_of_session
        identifier.streams = ministack_hooks.stream_of_iterator
        identifier.apis = ministack_hooks.region_of_api

    def _whereabouts(self) -> Iterator[tuple[int, Place]]:
        """The processes that run users' code, and where they are."""
        zones = self._doors.zones
        for one in self.environments():
            yield one["pid"], zones.find(one["zone"]).place(one["subnet"])
        for one in self.tasks():
            yield from ((pid, zones.find(one["zone"]).place(one["subnet"])) for pid in one["pids"])

    # -- behind the gate ---------------------------------------------------------------------------------------

    @property
    def services(self) -> Mapping[str, App]:
        """What ministack lacks, and what no emulator has and acts on what runs here."""
        parts = self._parts
        known: dict[str, App] = dict(parts.moto.services())
        scaling = "application-autoscaling"
        return {
            **known,
            scaling: ScalingApi(known[scaling], parts.scaler),
            "xray": parts.traces.api(known["xray"]),
            "arc-zonal-shift": ZonalShiftApi(parts.balancers.shifts),
            "codedeploy": parts.deployments,
            "codepipeline": parts.pipelines,
            "schemas": parts.schemas,
        }

    @property
    def paths(self) -> Mapping[str, App]:
        """OTLP."""
        return {OTLP_PATH: self._parts.traces.otlp}

    def guarded(self, services: Mapping[str, App]) -> Mapping[str, App]:
        """Asking IAM about each call."""
        return beside.guarded(services, self._models)

    def metered(self, request: Request, scope: Scope, send: Send) -> Send:
        """`send`, with the answer measured and traced."""
        return self._parts.traces.weaver.around(request, scope, self._parts.signals.metered_send(request, send))

    def refused(self, request: Request) -> str:
        """The error code of a call above a request rate, or ''."""
        return self._parts.limits.rates.refused(request)

    def shut_in(self, request: Request) -> bool:
        """Whether a function's call finds no way out of its VPC."""
        caller = request.caller
        if caller is None or not caller.function or not caller.subnet_id:
            return False
        region = self._doors.zones.find(caller.zone_id).region
        return self._parts.egress.shut_in(region, caller.subnet_id, request.service)

    def caller(self, app_id: str) -> Caller | None:
        """The function or task whose process named itself so."""
        return self._parts.functions.caller(app_id) or self._parts.tasks.ecs.caller(app_id)

    # -- its life ----------------------------------------------------------------------------------------------

    async def start(self) -> App:
        """Begin: the emulator, then what listens to it; returns the emulator behind its firewall."""
        await self._backend.start()
        self._parts.start()
        return self._parts.firewall.around(with_service_exceptions(self._backend.app))

    async def reset(self) -> None:
        """Forget every resource: of ours, of the emulator, of moto."""
        await self._parts.reset()
        await self._backend.reset()
        self._doors.replication.clear()
        await self._parts.moto.reset()

    async def close(self) -> None:
        """End everything but what answers calls under way."""
        await self._parts.close()

    async def stop(self) -> None:
        """End the emulator, and whatever of its processes is left."""
        self._parts.moto.close()
        try:
            await self._backend.stop()
        finally:
            processes.reap(self._settings.environments, everything=True, grace_s=0.5)

    # -- shown to its owner ------------------------------------------------------------------------------------

    def environments(self) -> Rows:
        """The Lambda execution environments that run now."""
        return self._parts.functions.environments()

    def tasks(self) -> Rows:
        """The ECS tasks that have not stopped."""
        return self._parts.tasks.ecs.shown()

    def databases(self) -> Rows:
        """DB instances and cache nodes."""
        return self._parts.databases.shown()

    def pulse(self) -> dict[str, Any]:
        """What the front doors answered in the last five minutes."""
        return self._parts.signals.pulse.shown()

    def usage(self) -> dict[str, float]:
        """What AWS would have charged for, by meter."""
        return self._parts.signals.usage.shown()

    def names_port(self) -> int:
        """Where names are answered."""
        return self._parts.names.port

    def timings(self) -> list[Timing]:
        """How long it takes where AWS takes its time."""
        return timings(self._settings, self._doors.replication.lags)

    def hold_cpu(self, function: str, *, on: bool) -> None:
        """Hold a function's processes to the CPU share of their memory, or no longer."""
        self._parts.functions.hold_cpu(function, on=on)
