"""The cloud's server process: builds the parts, listens on loopback, is ready when it answers an AWS call.

It ends with its owner unless it was started detached, and takes everything it started along.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import functools
import gc
import http.client
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

import psutil
import uvicorn

from harness import processes
from harness.clock import SystemClock
from harness.cloud import ministack_hooks
from harness.cloud.asgi import App, Scope, Send
from harness.cloud.automation.service import Automations
from harness.cloud.backends import Backend, Ministack, RemoteEndpoint
from harness.cloud.backups import emulated as backups
from harness.cloud.backups.item_history import ItemHistories
from harness.cloud.backups.service import BackupService
from harness.cloud.call import Caller
from harness.cloud.control import Control, Owner
from harness.cloud.copies import emulated as copies
from harness.cloud.copies.keeper import ReplicationKeeper
from harness.cloud.copies.lags import Lags
from harness.cloud.copies.measuring import CopyMetrics
from harness.cloud.delivery.emulated import Delivery
from harness.cloud.deployments.api import CodeDeployApi
from harness.cloud.deployments.deployments import Deployments
from harness.cloud.deployments.records import Records
from harness.cloud.doors import Doors, publish_nowhere
from harness.cloud.egress import Egress
from harness.cloud.evidence import Evidence
from harness.cloud.faults import RuleBook
from harness.cloud.gate import Gate, Meter
from harness.cloud.identify import Identifier, Request
from harness.cloud.lambda_errors import with_service_exceptions
from harness.cloud.limits.emulated import Limits
from harness.cloud.limits.requests import KEYED
from harness.cloud.links import Place
from harness.cloud.logs.emulated import LogsDesk
from harness.cloud.loop_thread import LoopThread
from harness.cloud.moto_services import MotoHost
from harness.cloud.patience import Patience
from harness.cloud.pipes.emulated import Pipes
from harness.cloud.private_network import PrivateNetwork
from harness.cloud.pulse import Pulse
from harness.cloud.recorder import Recorder
from harness.cloud.schedules.emulated import Schedules
from harness.cloud.schemas import emulated as schemas
from harness.cloud.schemas.api import SchemasApi
from harness.cloud.settings import Announcement, ServerOrder, announcement_path, write_struct
from harness.cloud.signals.service_metrics import MEASURED
from harness.cloud.signals.station import SignalStation
from harness.cloud.tasks.faults import TaskFaults
from harness.cloud.timings import Timing, timings
from harness.cloud.traces.otlp import PATH as OTLP_PATH
from harness.cloud.traces.station import TraceStation
from harness.cloud.transport import ResettableProtocol
from harness.cloud.waf.emulated import Firewall
from harness.cloud.zones import ZoneKeeper, zones_of
from harness.errors import BlackstartError, NotReadyError
from harness.target import EMBEDDED, ENDPOINT, Target

_OWNER_POLL_S = 0.5
_EXPIRY_POLL_S = 0.25
_READY_TIMEOUT_S = 20.0

_COLLECT_EVERY = (50_000, 20, 20)
"""When Python looks for garbage in cycles. Its defaults (700, 10, 10) cost a call in ten of its time here, and what
start-up made is frozen: it stays, and looking through it again and again would cost as much."""


class Service(Protocol):
    """An extra service behind the gate, such as FIS."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        ...

    async def heal(self) -> list[str]:
        """End everything it has in force; returns what that was."""
        ...

    def reset(self) -> None:
        """Forget everything it was given; called after `heal`."""
        ...


MakeServices = Callable[[Doors], Mapping[str, Service]]
"""Joins extra services by botocore's name; the cloud itself knows none of them."""


@dataclass(slots=True)
class Server:
    """One cloud. `run` returns when it was asked to stop or its owner is gone."""

    order: ServerOrder
    make_services: MakeServices
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _listener: socket.socket | None = None
    _pool: Any = None  # a FunctionPool; imported late, it is not needed in front of a foreign endpoint
    _databases: Any = None  # Databases; imported late, for the same reason
    _tasks: Any = None  # Tasks; imported late, for the same reason
    _balancers: Any = None  # Balancers; likewise
    _names: Any = None  # Route53; likewise
    _beside: LoopThread = field(default_factory=lambda: LoopThread("beside the gate"))
    _moto: MotoHost | None = None
    _signals: SignalStation | None = None
    _histories: ItemHistories | None = None
    _backups: BackupService | None = None
    _delivery: Delivery | None = None
    _logs: LogsDesk | None = None
    _traces: TraceStation | None = None
    _schedules: Schedules | None = None
    _pipes: Pipes | None = None
    _schemas: SchemasApi | None = None
    _automations: Automations | None = None
    _limits: Limits | None = None
    _deployments: CodeDeployApi | None = None
    _provisioned: Any = None  # ProvisionedConcurrency; imported late, like the pool

    async def run(self) -> None:
        """Serve until stopped.

        Raises:
            NotReadyError: the port is taken, or the backend does not start.
        """
        settings = self.order.settings
        self._listener = _listen(settings.port)
        port = int(self._listener.getsockname()[1])
        backend: Backend = RemoteEndpoint(settings.upstream) if settings.upstream else Ministack(settings, port)
        doors, recorder = self._doors(port)
        services = self.make_services(doors)
        identifier = self._identifier()
        if not settings.upstream:
            self._signals = SignalStation(doors.evidence, Pulse(doors.clock))
            self._delivery = Delivery.install(doors.target, self._signals.flow)
            self._logs = LogsDesk(self._signals.store, self._delivery.invoke)
            self._logs.install()
            self._pipes = Pipes.install(doors.target)
            self._schemas = SchemasApi(schemas.install(doors.publish), identifier.models, schemas.bus_exists)
            self._traces = TraceStation.install((settings.account_id, settings.regions[0]))
            self._install_functions(doors, self._signals, self._traces)
            self._schedules = Schedules.install(doors.target)
            self._install_databases(doors, self._signals)
            self._install_tasks(doors, self._signals)
            self._automations = Automations.install(doors.target, settings.registry.parent / "automations")
            self._deployments = self._code_deploy(doors)
            self._moto = MotoHost(identifier.models)
            self._install_copies(doors, self._signals)
            self._histories = backups.install()
            self._limits = Limits.install(settings.quotas, throttled=self._signals.metrics.throttled)
            self._backups = BackupService.install(doors, settings.state_dir / "backups")
        await backend.start()
        if self._signals is not None and self._delivery is not None:
            self._signals.start(self._delivery.invoke)
        patience = Patience(doors.faults)
        patience.start()
        gate = Gate(
            backend=self._behind_firewall(with_service_exceptions(backend.app)),
            control=Control(doors, recorder, self._owner(backend, services, doors)),
            identifier=identifier,
            rules=doors.faults,
            recorder=recorder,
            patience=patience,
            zones=doors.zones,
            meter=self._meter(),
            measured=MEASURED | KEYED if self._signals else frozenset(),
            limited=self._limits.rates.refused if self._limits else _unlimited,
            services={**self._emulated_services(), **self._own_services(), **services},
            paths={OTLP_PATH: self._traces.otlp} if self._traces else {},
        )
        await self._serve(gate, backend, doors, services, port)

    def _behind_firewall(self, app: App) -> App:
        if self._signals is None:
            return app
        firewall = Firewall(app, self._signals.store)
        firewall.install()
        return firewall

    def _meter(self) -> Meter:
        signals, traces = self._signals, self._traces
        if signals is None or traces is None:
            return _unmetered
        return lambda request, scope, send: traces.weaver.around(request, scope, signals.metered_send(request, send))

    def _emulated_services(self) -> dict[str, App]:
        """What is answered beside ministack, where this cloud is one."""
        from harness.cloud.tasks.scaling_api import ScalingApi

        if self._moto is None or self._traces is None:
            return {}
        known: dict[str, App] = dict(self._moto.services())
        scaling = "application-autoscaling"
        if self._tasks is not None:
            known[scaling] = ScalingApi(known[scaling], self._tasks.scaler)
        return {**known, "xray": self._traces.api(known["xray"])}

    async def _serve(
        self, gate: App, backend: Backend, doors: Doors, services: Mapping[str, Service], port: int
    ) -> None:
        server = uvicorn.Server(
            uvicorn.Config(
                gate,
                http=ResettableProtocol,
                ws="wsproto",
                loop="uvloop",
                lifespan="off",
                log_level="warning",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                date_header=False,  # the backend dates its answers; two dates are one too many
                timeout_graceful_shutdown=3,
                backlog=2048,
            )
        )
        server.install_signal_handlers = lambda: None  # type: ignore[attr-defined] # ours are set below
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        serving = asyncio.create_task(server._serve(sockets=[self._listener]))  # type: ignore[list-item] # noqa: SLF001 - without its own signal handlers
        watching = [asyncio.create_task(self._watch_owner()), asyncio.create_task(_expire(doors))]
        try:
            await _until_ready(port)
            gc.set_threshold(*_COLLECT_EVERY)
            gc.freeze()
            self._announce(Announcement(port=port, pid=os.getpid()))
            stopping = asyncio.create_task(self._stop.wait())
            await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
        finally:
            for task in watching:
                task.cancel()
            await self._wind_down(server, serving, backend, services)

    async def _wind_down(
        self, server: uvicorn.Server, serving: asyncio.Task[None], backend: Backend, services: Mapping[str, Service]
    ) -> None:
        for service in services.values():
            await service.heal()
        for part in (self._delivery, self._backups, self._logs, self._traces, self._schedules, self._pipes):
            if part is not None:
                part.close()
        if self._signals is not None:
            await asyncio.to_thread(self._signals.stop)
        if self._deployments is not None:
            await asyncio.to_thread(self._deployments.reset)
        if self._tasks is not None:
            await asyncio.to_thread(self._tasks.close)
            await asyncio.to_thread(self._balancers.close)
            await asyncio.to_thread(self._names.close)
        if self._pool is not None:
            self._provisioned.close()
            await asyncio.to_thread(self._pool.close)
        if self._automations is not None:
            await asyncio.to_thread(self._automations.reset)
        if self._databases is not None:
            await asyncio.to_thread(self._databases.close)
        await asyncio.to_thread(self._beside.stop)
        server.should_exit = True
        await asyncio.gather(serving, return_exceptions=True)
        if self._moto is not None:
            self._moto.close()
        with contextlib.suppress(TimeoutError, asyncio.CancelledError):
            await asyncio.wait_for(backend.stop(), 3)
        processes.reap(self.order.settings.registry.parent / "environments", everything=True, grace_s=0.5)

    def _doors(self, port: int) -> tuple[Doors, Recorder]:
        settings, clock = self.order.settings, SystemClock()
        evidence = Evidence(clock)
        zones = tuple(zone for region in settings.regions for zone in zones_of(region, settings.zones_per_region))
        capabilities = ENDPOINT if settings.upstream else EMBEDDED
        target = Target(
            kind="endpoint" if settings.upstream else "embedded",
            endpoint=f"http://127.0.0.1:{port}",
            region=settings.regions[0],
            regions=settings.regions,
            account_id=settings.account_id,
            access_key="test",
            secret_key="test",  # noqa: S106 - the emulator's root key
            control_token=self.order.token,
            capabilities=capabilities,
        )
        doors = Doors(
            faults=RuleBook(clock, evidence),
            zones=ZoneKeeper(zones, evidence),
            evidence=evidence,
            clock=clock,
            target=target,
            capabilities=capabilities,
            replication=ReplicationKeeper(evidence, Lags(settings.lags)),
            tasks=TaskFaults(evidence, settings.state_dir / "tasks" / "processes"),
            publish=publish_nowhere if settings.upstream else ministack_hooks.publish_service_event,
            iam_enforced=settings.enforce_iam and not settings.upstream,
        )
        return doors, Recorder(clock)

    def _identifier(self) -> Identifier:
        settings = self.order.settings
        identifier = Identifier(region=settings.regions[0], account=settings.account_id)
        if not settings.upstream:
            identifier.callers = self._caller
            identifier.roles = ministack_hooks.role_of_session
            identifier.streams = ministack_hooks.stream_of_iterator
            identifier.apis = ministack_hooks.region_of_api
        return identifier

    def _install_functions(self, doors: Doors, signals: SignalStation, traces: TraceStation) -> None:
        from harness.cloud import provisioned_concurrency
        from harness.cloud.functions.emulated import MinistackEmulator, install
        from harness.cloud.functions.pool import FunctionPool

        settings = self.order.settings
        self._pool = FunctionPool(
            folder=settings.state_dir / "lambda",
            registry=settings.registry.parent / "environments",
            endpoint=str(doors.target.endpoint),
            detection_s=settings.detection_s,
            zones=doors.zones,
            rules=doors.faults,
            evidence=doors.evidence,
            clock=doors.clock,
            emulator=MinistackEmulator(),
            xray_daemon=traces.daemon.address,
        )
        doors.zones.add_resident(self._pool)
        doors.zones.add_resident(Egress(doors.faults, partial(ministack_hooks.ways_out, settings.account_id)))
        self._provisioned = provisioned_concurrency.install(self._pool)
        install(self._pool, lambda execute: signals.metered_execute(traces.weaver.traced_execute(execute)))

    def _install_copies(self, doors: Doors, signals: SignalStation) -> None:
        loop, keeper = asyncio.get_running_loop(), doors.replication

        def schedule(delay_s: float, call: Callable[[], None]) -> None:
            loop.call_soon_threadsafe(loop.call_later, delay_s, call)

        keeper.schedule, keeper.lost = schedule, doors.zones.lost
        keeper.watches = CopyMetrics(signals.store, schedule)
        doors.zones.links.populations.append(partial(self._whereabouts, doors.zones))
        keeper.cut_between = doors.zones.links.cut_between
        doors.zones.links.on_healed.append(keeper.look_again)
        doors.zones.add_resident(keeper)
        copies.install(keeper)

    def _install_databases(self, doors: Doors, signals: SignalStation) -> None:
        from harness.cloud.databases.databases import Databases

        self._databases = Databases.install(self.order.settings, doors, signals.store)

    def _whereabouts(self, zones: ZoneKeeper) -> Iterator[tuple[int, Place]]:
        """The processes that run users' code, and where they are."""
        for one in self._environments():
            yield one["pid"], zones.find(one["zone"]).place(one["subnet"])
        for one in self._tasks.ecs.shown() if self._tasks is not None else ():
            yield from ((pid, zones.find(one["zone"]).place(one["subnet"])) for pid in one["pids"])

    def _install_tasks(self, doors: Doors, signals: SignalStation) -> None:
        from harness.cloud.databases.certificate import server_context
        from harness.cloud.dns.route53 import Route53
        from harness.cloud.dns.timing import DnsTiming
        from harness.cloud.load_balancing.balancers import Balancers
        from harness.cloud.load_balancing.metrics import BalancerMetrics
        from harness.cloud.load_balancing.timing import BalancerTiming
        from harness.cloud.tasks.tasks import Tasks

        settings, network = self.order.settings, PrivateNetwork()
        self._balancers = Balancers(
            zones=doors.zones,
            network=network,
            thread=self._beside,
            timing=BalancerTiming(
                detection_s=settings.detection_s,
                health_interval_s=settings.health_interval_s,
                deregistration_s=settings.deregistration_s,
            ),
            metrics=BalancerMetrics(signals.store),
            tls=functools.cache(lambda: server_context(settings.state_dir / "balancers" / "tls")),
        )
        self._balancers.install()
        self._names = Route53(
            thread=self._beside,
            timing=DnsTiming(health_interval_s=settings.health_interval_s, alias_ttl_s=settings.alias_ttl_s),
            metrics=signals.store,
            account=settings.account_id,
            region=settings.regions[0],
            gate_port=int(str(doors.target.endpoint).rpartition(":")[2]),
            balancer_passes=self._balancers.passes,
            wanted_port=settings.names_port,
        )
        self._names.install()
        self._tasks = Tasks.install(settings, doors, network=network, thread=self._beside, metrics=signals.store)
        self._tasks.site.target_groups = self._balancers

    def _code_deploy(self, doors: Doors) -> CodeDeployApi:
        records, minute_s = Records(), self.order.settings.deployment_minute_s
        running = Deployments(records=records, target=doors.target, publish=doors.publish, minute_s=minute_s)
        return CodeDeployApi(records, running)

    def _own_services(self) -> dict[str, App]:
        """Services that no emulator has and that act on what runs here."""
        from harness.cloud.load_balancing.zonal_shift_api import ZonalShiftApi

        if self._balancers is None or self._schemas is None or self._deployments is None:
            return {}
        shifts = ZonalShiftApi(self._balancers.shifts)
        return {"arc-zonal-shift": shifts, "codedeploy": self._deployments, "schemas": self._schemas}

    def _owner(self, backend: Backend, services: Mapping[str, Service], doors: Doors) -> Owner:
        async def heal_services() -> dict[str, list[str]]:
            return {f"{name} experiments": await service.heal() for name, service in services.items()}

        async def reset() -> None:
            for part in (self._deployments, self._pool, self._databases, self._tasks, self._balancers, self._names):
                if part is not None:
                    await asyncio.to_thread(part.reset)
            if self._histories is not None:
                self._histories.clear()
            if self._backups is not None:
                await asyncio.to_thread(self._backups.reset)
            if self._delivery is not None:
                self._delivery.invocations.clear()
            if self._traces is not None:
                self._traces.store.clear()
            if self._limits is not None:
                self._limits.forget()
            if self._schedules is not None and self._pipes is not None:
                self._schedules.forget()
                self._pipes.runner.forget()
            if self._automations is not None:
                await asyncio.to_thread(self._automations.reset)
            await backend.reset()
            doors.replication.clear()
            for service in (*services.values(), *([self._schemas] if self._schemas else [])):
                service.reset()
            if self._moto is not None:
                await self._moto.reset()

        return Owner(
            token=self.order.token,
            environments=self._environments,
            usage=lambda: self._signals.usage.shown() if self._signals is not None else {},
            hold_cpu=lambda function, on: self._pool.hold_cpu(function, on=on) if self._pool is not None else None,
            names_port=lambda: self._names.port if self._names is not None else 0,
            timings=lambda: [] if self.order.settings.upstream else self._timings(doors),
            tasks=lambda: self._tasks.ecs.shown() if self._tasks is not None else [],
            databases=lambda: self._databases.shown() if self._databases is not None else [],
            pulse=lambda: self._signals.pulse.shown() if self._signals is not None else {"services": {}},
            heal_services=heal_services,
            reset=reset,
            stop=self._stop.set,
        )

    def _timings(self, doors: Doors) -> list[Timing]:
        return timings(self.order.settings, doors.replication.lags)

    def _environments(self) -> list[dict[str, Any]]:  # JSON
        return self._pool.environments() if self._pool is not None else []

    def _caller(self, app_id: str) -> Caller | None:
        if self._pool is None:
            return None
        found: Caller | None = self._pool.caller(app_id) or self._tasks.ecs.caller(app_id)
        return found

    async def _watch_owner(self) -> None:
        """A server that is not detached ends with the process that started it."""
        if self.order.settings.detached:
            return
        while processes.is_running(self.order.owner_pid, self.order.owner_started):  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(_OWNER_POLL_S)
        self._stop.set()

    def _announce(self, announcement: Announcement) -> None:
        write_struct(announcement_path(self.order.settings.state_dir), announcement)


def serve(order: ServerOrder, make_services: MakeServices) -> int:
    """Run a server to its end; what keeps it from starting is announced to the owner. Returns the exit code."""
    import uvloop

    try:
        uvloop.run(Server(order, make_services).run())
    except BlackstartError as error:
        said = Announcement(error=error.what, where=error.where, hint=error.hint)
        write_struct(announcement_path(order.settings.state_dir), said)
        return error.exit_code
    return 0


def _listen(port: int) -> socket.socket:
    """A listening socket on loopback.

    Raises:
        NotReadyError: the port is taken; says by whom, as far as that can be known.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise NotReadyError(
                f"port {port} is taken{_holder(port)}",
                where=f"127.0.0.1:{port}",
                hint="blackstart down, or set another [embedded] port in blackstart.toml",
            ) from error
        raise NotReadyError(f"cannot listen: {error.strerror}", where=f"127.0.0.1:{port}") from error
    return listener


def _holder(port: int) -> str:
    with contextlib.suppress(psutil.Error):
        for connection in psutil.net_connections("tcp4"):
            if connection.laddr and connection.laddr.port == port and connection.status == psutil.CONN_LISTEN:
                name = psutil.Process(connection.pid).name() if connection.pid else "another process"
                return f" by {name} (pid {connection.pid})"
    return ""


async def _until_ready(port: int) -> None:
    """Return once an AWS call is answered over the wire: an open port is not a ready cloud.

    Raises:
        NotReadyError: it is not.
    """
    status, deadline_s = 0, time.monotonic() + _READY_TIMEOUT_S
    while time.monotonic() < deadline_s:
        status = await asyncio.to_thread(_ask_who_we_are, port)
        if 0 < status < 500:
            return
        await asyncio.sleep(0.02)
    raise NotReadyError(
        f"the backend answers {status} to sts:GetCallerIdentity", hint="is the endpoint an AWS emulator?"
    )


def _ask_who_we_are(port: int) -> int:
    """The status of sts:GetCallerIdentity; 0 when nobody answers."""
    scope = "Credential=test/20260101/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=0"
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Authorization": f"AWS4-HMAC-SHA256 {scope}",
    }
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_READY_TIMEOUT_S)
    try:
        connection.request("POST", "/", "Action=GetCallerIdentity&Version=2011-06-15", headers)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def _unmetered(_request: Request, _scope: Scope, send: Send) -> Send:
    return send


def _unlimited(_request: Request) -> str:
    return ""


async def _expire(doors: Doors) -> None:
    """End what nobody renewed, also when no call comes by to notice."""
    while True:
        await asyncio.sleep(_EXPIRY_POLL_S)
        doors.expire()
