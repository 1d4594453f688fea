"""The parts of the embedded cloud: each built and hooked into the emulator, emptied, and ended, in order."""

from __future__ import annotations

import asyncio
from functools import partial

from harness.cloud import provisioned_concurrency, subnets
from harness.cloud.automation.service import Automations
from harness.cloud.backups import emulated as backups
from harness.cloud.backups.service import BackupService
from harness.cloud.builds.emulated import Builds
from harness.cloud.builds.pipelines import PipelinesApi
from harness.cloud.copies import emulated as copies
from harness.cloud.databases.databases import Databases
from harness.cloud.delivery.emulated import Delivery
from harness.cloud.deployments.api import CodeDeployApi
from harness.cloud.dns.route53 import Route53
from harness.cloud.doors import Doors
from harness.cloud.egress import Egress
from harness.cloud.expiry.reaper import Reaper
from harness.cloud.functions import emulated as functions
from harness.cloud.identify import Identifier
from harness.cloud.limits.station import LimitStation
from harness.cloud.load_balancing.balancers import Balancers
from harness.cloud.logs.emulated import LogsDesk
from harness.cloud.loop_thread import LoopThread
from harness.cloud.moto_services import MotoHost
from harness.cloud.pipes.emulated import Pipes
from harness.cloud.private_network import PrivateNetwork
from harness.cloud.pulse import Pulse
from harness.cloud.scaling.services import DIMENSION, ScaledServices
from harness.cloud.scaling.tables import DIMENSIONS, scaled_tables
from harness.cloud.scaling.tracking import Pace, Scaler
from harness.cloud.schedules.emulated import Schedules
from harness.cloud.schemas import emulated as schemas
from harness.cloud.schemas.api import SchemasApi
from harness.cloud.settings import CloudSettings
from harness.cloud.signals.station import SignalStation
from harness.cloud.tasks.tasks import Tasks
from harness.cloud.traces.station import TraceStation
from harness.cloud.usage.budgets import Budgets
from harness.cloud.waf.emulated import Firewall


class Parts:
    """All of ours that runs in the cloud's process. Build it before the emulator starts, on the loop that serves.

    The order of building counts where parts wrap the same operation: the last one is asked first.
    """

    def __init__(self, settings: CloudSettings, doors: Doors, identifier: Identifier) -> None:
        self.signals = SignalStation(doors.evidence, Pulse(doors.clock), shortest_alarm_s=settings.shortest_alarm_s)
        store = self.signals.store
        self.delivery = Delivery.install(doors.target, self.signals.flow)
        self.logs = LogsDesk(store, self.delivery.invoke)
        self.logs.install()
        self.pipes = Pipes.install(doors.target)
        self.schemas = SchemasApi(schemas.install(doors.publish), identifier.models, schemas.bus_exists)
        self.traces = TraceStation.install((settings.account_id, settings.regions[0]))
        self.functions = functions.pool_of(settings, doors, self.traces.daemon.address)
        self.provisioned = provisioned_concurrency.install(self.functions)
        weaver = self.traces.weaver
        functions.install(self.functions, lambda run: self.signals.metered_execute(weaver.traced_execute(run)))
        self.egress = Egress(doors.faults, partial(subnets.ways_out, settings.account_id))
        doors.zones.add_resident(self.egress)
        self.schedules = Schedules.install(doors.target)
        self.databases = Databases.install(settings, doors, store)
        self.firewall = Firewall(store)
        self.firewall.install()
        network, self.beside = PrivateNetwork(), LoopThread("beside the gate")
        self.balancers = Balancers.install(
            settings, doors, network=network, thread=self.beside, store=store, guard=self.firewall.guard
        )
        self.names = Route53.install(
            settings, doors, thread=self.beside, metrics=store, balancer_passes=self.balancers.passes
        )
        self.tasks = Tasks.install(settings, doors, network=network, thread=self.beside, metrics=store)
        self.tasks.site.target_groups = self.balancers
        self.automations = Automations.install(doors.target, settings.state_dir / "automations")
        self.deployments = CodeDeployApi.install(settings, doors, self.tasks.ecs)
        self.builds = Builds.install(settings, doors)
        self.moto = MotoHost(identifier.models)
        self.pipelines = PipelinesApi(doors.target, self.moto.services()["codepipeline"])
        copies.install(doors, store)
        self.limits = LimitStation.install(settings, self.signals)
        self.budgets = Budgets.install(self.signals.usage, doors.target)
        self.histories = backups.install()
        self.backups = BackupService.install(doors, settings.state_dir / "backups")
        self.scaler = _scaler(settings, self)
        self.reaper = Reaper.install(settings, store)

    def start(self) -> None:
        """Begin what looks by itself; the emulator answers by now."""
        self.signals.start(self.delivery.invoke)
        self.reaper.start()

    async def reset(self) -> None:
        """Forget every resource: first what runs, then what is recorded of it."""
        for ending in (
            self.pipelines.reset,
            self.builds.reset,
            self.deployments.reset,
            self.functions.reset,
            self.databases.reset,
            self.tasks.reset,
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

    async def close(self) -> None:
        """End everything that runs; calls under way are still answered."""
        for part in (self.reaper, self.delivery, self.backups, self.logs, self.traces, self.schedules, self.pipes):
            part.close()
        for ending in (
            self.budgets.stop,
            self.scaler.stop,
            self.signals.stop,
            self.pipelines.reset,
            self.builds.reset,
            self.deployments.reset,
            self.tasks.close,
            self.balancers.close,
            self.names.close,
            self.provisioned.close,
            self.functions.close,
            self.automations.reset,
            self.databases.close,
            self.beside.stop,
        ):
            await asyncio.to_thread(ending)


def _scaler(settings: CloudSettings, parts: Parts) -> Scaler:
    """Scales what ECS and DynamoDB have."""
    ecs, tables = parts.tasks.ecs, parts.limits.tables.tables
    services = ScaledServices(ecs.desired_count, ecs.scale, Pace(in_periods=settings.scale_in_periods))
    return Scaler(
        store=parts.signals.store,
        period_s=settings.scaling_period_s,
        kinds={DIMENSION: services, **scaled_tables(tables.provisioned, tables.provision)},
        periods_s=dict.fromkeys(DIMENSIONS, settings.table_scaling_period_s),
    )
