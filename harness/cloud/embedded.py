"""The embedded cloud: every part that stands behind the gate, joined."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from harness import processes
from harness.cloud import ministack_hooks, provisioned_concurrency
from harness.cloud.asgi import App, Scope, Send
from harness.cloud.automation.service import Automations
from harness.cloud.backends import Backend
from harness.cloud.backups import emulated as backups
from harness.cloud.backups.item_history import ItemHistories
from harness.cloud.backups.service import BackupService
from harness.cloud.builds.emulated import Builds
from harness.cloud.builds.pipelines import PipelinesApi
from harness.cloud.call import Caller
from harness.cloud.copies import emulated as copies
from harness.cloud.copies.measuring import CopyMetrics
from harness.cloud.databases.certificate import server_context
from harness.cloud.databases.databases import Databases
from harness.cloud.delivery.emulated import Delivery
from harness.cloud.deployments.api import CodeDeployApi
from harness.cloud.deployments.deployments import Deployments
from harness.cloud.deployments.records import Records
from harness.cloud.deployments.services import services_of
from harness.cloud.dns.route53 import Route53
from harness.cloud.dns.timing import DnsTiming
from harness.cloud.doors import Doors
from harness.cloud.egress import Egress
from harness.cloud.expiry import emulated as expiry
from harness.cloud.expiry.reaper import Reaper
from harness.cloud.functions import emulated as functions
from harness.cloud.functions.pool import FunctionPool
from harness.cloud.functions.provisioned import ProvisionedConcurrency
from harness.cloud.identify import Identifier, Request
from harness.cloud.lambda_errors import with_service_exceptions
from harness.cloud.limits.requests import KEYED
from harness.cloud.limits.station import LimitStation
from harness.cloud.links import Place
from harness.cloud.load_balancing.balancers import Balancers
from harness.cloud.load_balancing.metrics import BalancerMetrics
from harness.cloud.load_balancing.timing import BalancerTiming
from harness.cloud.load_balancing.zonal_shift_api import ZonalShiftApi
from harness.cloud.logs.emulated import LogsDesk
from harness.cloud.loop_thread import LoopThread
from harness.cloud.moto_services import MotoHost
from harness.cloud.pipes.emulated import Pipes
from harness.cloud.private_network import PrivateNetwork
from harness.cloud.pulse import Pulse
from harness.cloud.scaling.api import ScalingApi
from harness.cloud.scaling.services import DIMENSION, ScaledServices
from harness.cloud.scaling.tables import DIMENSIONS, scaled_tables
from harness.cloud.scaling.tracking import Scaler
from harness.cloud.schedules.emulated import Schedules
from harness.cloud.schemas import emulated as schemas
from harness.cloud.schemas.api import SchemasApi
from harness.cloud.settings import CloudSettings
from harness.cloud.signals.service_metrics import MEASURED
from harness.cloud.signals.station import SignalStation
from harness.cloud.standing import Rows
from harness.cloud.tasks.ecs import Ecs
from harness.cloud.tasks.tasks import Tasks
from harness.cloud.timings import Timing, timings
from harness.cloud.traces.otlp import PATH as OTLP_PATH
from harness.cloud.traces.station import TraceStation
from harness.cloud.usage.budgets import Budgets
from harness.cloud.waf.emulated import Firewall


@dataclass(slots=True, kw_only=True)
class EmbeddedCloud:
    """What `Standing` is where this process is the cloud. Everything is installed before the backend starts."""

    settings: CloudSettings
    doors: Doors
    backend: Backend
    beside: LoopThread
    signals: SignalStation
    delivery: Delivery
    logs: LogsDesk
    pipes: Pipes
    schemas: SchemasApi
    traces: TraceStation
    egress: Egress
    functions: FunctionPool
    provisioned: ProvisionedConcurrency
    schedules: Schedules
    data: Databases
    firewall: Firewall
    balancers: Balancers
    names: Route53
    containers: Tasks
    automations: Automations
    deployments: CodeDeployApi
    builds: Builds
    budgets: Budgets
    pipelines: PipelinesApi
    moto: MotoHost
    histories: ItemHistories
    limits: LimitStation
    scaler: Scaler
    reaper: Reaper
    backups: BackupService
    measured: frozenset[str] = MEASURED | KEYED

    @classmethod
    def install(
        cls, settings: CloudSettings, doors: Doors, backend: Backend, identifier: Identifier
    ) -> EmbeddedCloud:
        """Build every part and hook it into the emulator. Call it on the event loop that will serve.

        The order counts where parts wrap the same operation: the last one is asked first.
        """
        signals = SignalStation(doors.evidence, Pulse(doors.clock))
        delivery = Delivery.install(doors.target, signals.flow)
        logs = LogsDesk(signals.store, delivery.invoke)
        logs.install()
        pipes = Pipes.install(doors.target)
        discovered = SchemasApi(schemas.install(doors.publish), identifier.models, schemas.bus_exists)
        traces = TraceStation.install((settings.account_id, settings.regions[0]))
        network, beside = PrivateNetwork(), LoopThread("beside the gate")
        pool, provisioned = _functions(settings, doors, signals, traces)
        egress = Egress(doors.faults, partial(ministack_hooks.ways_out, settings.account_id))
        doors.zones.add_resident(egress)
        schedules = Schedules.install(doors.target)
        databases = Databases.install(settings, doors, signals.store)
        firewall = Firewall(signals.store)
        firewall.install()
        balancers = _balancers(settings, doors, network, beside, signals)
        balancers.guard = firewall.guard
        names = _names(settings, doors, balancers, beside, signals)
        tasks = Tasks.install(settings, doors, network=network, thread=beside, metrics=signals.store)
        tasks.site.target_groups = balancers
        automations = Automations.install(doors.target, settings.registry.parent / "automations")
        deployments = _code_deploy(settings, doors, tasks.ecs)
        builds = _builds(settings, doors)
        moto = MotoHost(identifier.models)
        _copies(doors, signals)
        limits = LimitStation.install(settings, signals)
        made = cls(
            settings=settings,
            doors=doors,
            backend=backend,
            beside=beside,
            signals=signals,
            delivery=delivery,
            logs=logs,
            pipes=pipes,
            schemas=discovered,
            traces=traces,
            egress=egress,
            functions=pool,
            provisioned=provisioned,
            schedules=schedules,
            data=databases,
            firewall=firewall,
            balancers=balancers,
            names=names,
            containers=tasks,
            automations=automations,
            deployments=deployments,
            builds=builds,
            budgets=_budgets(doors, signals),
            pipelines=PipelinesApi(doors.target, moto.services()["codepipeline"]),
            moto=moto,
            histories=backups.install(),
            limits=limits,
            scaler=_scaler(settings, signals, tasks, limits),
            reaper=_reaper(settings, signals),
            backups=BackupService.install(doors, settings.state_dir / "backups"),
        )
        doors.zones.links.populations.append(made.whereabouts)
        identifier.callers = made.caller
        identifier.roles = ministack_hooks.role_of_session
        identifier.streams = ministack_hooks.stream_of_iterator
        identifier.apis = ministack_hooks.region_of_api
        return made

    def whereabouts(self) -> Iterator[tuple[int, Place]]:
        """The processes that run users' code, and where they are."""
        zones = self.doors.zones
        for one in self.environments():
            yield one["pid"], zones.find(one["zone"]).place(one["subnet"])
        for one in self.tasks():
            yield from ((pid, zones.find(one["zone"]).place(one["subnet"])) for pid in one["pids"])

    # -- behind the gate ---------------------------------------------------------------------------------------

    @property
    def services(self) -> Mapping[str, App]:
        """What ministack lacks, and what no emulator has and acts on what runs here."""
        known: dict[str, App] = dict(self.moto.services())
        scaling = "application-autoscaling"
        return {
            **known,
            scaling: ScalingApi(known[scaling], self.scaler),
            "xray": self.traces.api(known["xray"]),
            "arc-zonal-shift": ZonalShiftApi(self.balancers.shifts),
            "codedeploy": self.deployments,
            "codepipeline": self.pipelines,
            "schemas": self.schemas,
        }

    @property
    def paths(self) -> Mapping[str, App]:
        """OTLP."""
        return {OTLP_PATH: self.traces.otlp}

    def metered(self, request: Request, scope: Scope, send: Send) -> Send:
        """`send`, with the answer measured and traced."""
        return self.traces.weaver.around(request, scope, self.signals.metered_send(request, send))

    def refused(self, request: Request) -> str:
        """The error code of a call above a request rate, or ''."""
        return self.limits.rates.refused(request)

    def shut_in(self, request: Request) -> bool:
        """Whether a function's call finds no way out of its VPC."""
        caller = request.caller
        if caller is None or not caller.function or not caller.subnet_id:
            return False
        return self.egress.shut_in(self.doors.zones.find(caller.zone_id).region, caller.subnet_id, request.service)

    def caller(self, app_id: str) -> Caller | None:
        """The function or task whose process named itself so."""
        return self.functions.caller(app_id) or self.containers.ecs.caller(app_id)

    # -- its life ----------------------------------------------------------------------------------------------

    async def start(self) -> App:
        """Begin: the emulator, then what listens to it; returns the emulator behind its firewall."""
        await self.backend.start()
        self.signals.start(self.delivery.invoke)
        self.reaper.start()
        return self.firewall.around(with_service_exceptions(self.backend.app))

    async def reset(self) -> None:
        """Forget every resource: first what runs, then what is recorded of it."""
        for ending in (
            self.pipelines.reset,
            self.builds.reset,
            self.deployments.reset,
            self.functions.reset,
            self.data.reset,
            self.containers.reset,
            self.balancers.reset,
            self.names.reset,
            self.backups.reset,
            self.automations.reset,
        ):
            await asyncio.to_thread(ending)
        for forgetting in (
            self.histories.clear,
            self.delivery.invocations.clear,
            self.traces.store.clear,
            self.scaler.targets.clear,
            self.firewall.samples.clear,
            self.limits.forget,
            self.schedules.forget,
            self.pipes.runner.forget,
            self.schemas.reset,
        ):
            forgetting()
        await self.backend.reset()
        self.doors.replication.clear()
        await self.moto.reset()

    async def close(self) -> None:
        """End everything but what answers calls under way."""
        for part in (self.reaper, self.delivery, self.backups, self.logs, self.traces, self.schedules, self.pipes):
            part.close()
        for ending in (
            self.budgets.stop,
            self.scaler.stop,
            self.signals.stop,
            self.pipelines.reset,
            self.builds.reset,
            self.deployments.reset,
            self.containers.close,
            self.balancers.close,
            self.names.close,
            self.provisioned.close,
            self.functions.close,
            self.automations.reset,
            self.data.close,
            self.beside.stop,
        ):
            await asyncio.to_thread(ending)

    async def stop(self) -> None:
        """End the emulator, and whatever of its processes is left."""
        self.moto.close()
        try:
            await self.backend.stop()
        finally:
            processes.reap(self.settings.registry.parent / "environments", everything=True, grace_s=0.5)

    # -- shown to its owner ------------------------------------------------------------------------------------

    def environments(self) -> Rows:
        """The Lambda execution environments that run now."""
        return self.functions.environments()

    def tasks(self) -> Rows:
        """The ECS tasks that have not stopped."""
        return self.containers.ecs.shown()

    def databases(self) -> Rows:
        """DB instances and cache nodes."""
        return self.data.shown()

    def pulse(self) -> dict[str, Any]:
        """What the front doors answered in the last five minutes."""
        return self.signals.pulse.shown()

    def usage(self) -> dict[str, float]:
        """What AWS would have charged for, by meter."""
        return self.signals.usage.shown()

    def names_port(self) -> int:
        """Where names are answered."""
        return self.names.port

    def timings(self) -> list[Timing]:
        """How long it takes where AWS takes its time."""
        return timings(self.settings, self.doors.replication.lags)

    def hold_cpu(self, function: str, *, on: bool) -> None:
        """Hold a function's processes to the CPU share of their memory, or no longer."""
        self.functions.hold_cpu(function, on=on)


def _functions(
    settings: CloudSettings, doors: Doors, signals: SignalStation, traces: TraceStation
) -> tuple[FunctionPool, ProvisionedConcurrency]:
    pool = FunctionPool(
        folder=settings.state_dir / "lambda",
        registry=settings.registry.parent / "environments",
        endpoint=str(doors.target.endpoint),
        detection_s=settings.detection_s,
        zones=doors.zones,
        rules=doors.faults,
        evidence=doors.evidence,
        clock=doors.clock,
        emulator=functions.MinistackEmulator(),
        xray_daemon=traces.daemon.address,
    )
    doors.zones.add_resident(pool)
    provisioned = provisioned_concurrency.install(pool)
    functions.install(pool, lambda execute: signals.metered_execute(traces.weaver.traced_execute(execute)))
    return pool, provisioned


def _balancers(
    settings: CloudSettings, doors: Doors, network: PrivateNetwork, beside: LoopThread, signals: SignalStation
) -> Balancers:
    balancers = Balancers(
        zones=doors.zones,
        network=network,
        thread=beside,
        timing=BalancerTiming(
            detection_s=settings.detection_s,
            health_interval_s=settings.health_interval_s,
            deregistration_s=settings.deregistration_s,
        ),
        metrics=BalancerMetrics(signals.store),
        tls=functools.cache(lambda: server_context(settings.state_dir / "balancers" / "tls")),
    )
    balancers.install()
    return balancers


def _scaler(settings: CloudSettings, signals: SignalStation, tasks: Tasks, limits: LimitStation) -> Scaler:
    services = ScaledServices(tasks.ecs.desired_count, tasks.ecs.scale)
    kinds = {DIMENSION: services, **scaled_tables(limits.tables.tables.provisioned, limits.tables.tables.provision)}
    periods_s = dict.fromkeys(DIMENSIONS, settings.table_scaling_period_s)
    return Scaler(store=signals.store, period_s=settings.scaling_period_s, kinds=kinds, periods_s=periods_s)


def _builds(settings: CloudSettings, doors: Doors) -> Builds:
    builds = Builds(
        target=doors.target,
        folder=settings.state_dir / "builds",
        registry=settings.registry.parent / "environments",
        publish=doors.publish,
    )
    builds.install()
    return builds


def _reaper(settings: CloudSettings, signals: SignalStation) -> Reaper:
    expiry.install()
    return Reaper(store=signals.store, ttl_delay_s=settings.ttl_delay_s, day_s=settings.lifecycle_day_s)


def _budgets(doors: Doors, signals: SignalStation) -> Budgets:
    budgets = Budgets(signals.usage, doors.target)
    budgets.install()
    return budgets


def _code_deploy(settings: CloudSettings, doors: Doors, ecs: Ecs) -> CodeDeployApi:
    records, minute_s = Records(), settings.deployment_minute_s
    running = Deployments(records=records, target=doors.target, publish=doors.publish, minute_s=minute_s)
    running.platforms["ECS"] = partial(services_of, ecs)
    return CodeDeployApi(records, running)


def _copies(doors: Doors, signals: SignalStation) -> None:
    """Let copies between regions take their time, in the order of this event loop."""
    loop, zones, keeper = asyncio.get_running_loop(), doors.zones, doors.replication

    def schedule(delay_s: float, call: Callable[[], None]) -> None:
        loop.call_soon_threadsafe(loop.call_later, delay_s, call)

    keeper.schedule, keeper.lost = schedule, zones.lost
    keeper.watches = CopyMetrics(signals.store, schedule)
    keeper.cut_between = zones.links.cut_between
    zones.links.on_healed.append(keeper.look_again)
    zones.add_resident(keeper)
    copies.install(keeper)


def _names(
    settings: CloudSettings, doors: Doors, balancers: Balancers, beside: LoopThread, signals: SignalStation
) -> Route53:
    names = Route53(
        thread=beside,
        timing=DnsTiming(health_interval_s=settings.health_interval_s, alias_ttl_s=settings.alias_ttl_s),
        metrics=signals.store,
        account=settings.account_id,
        region=settings.regions[0],
        gate_port=int(str(doors.target.endpoint).rpartition(":")[2]),
        balancer_passes=balancers.passes,
        wanted_port=settings.names_port,
    )
    names.install()
    return names
