"""ECS of one cloud, built here and joined to the emulator and to the zones."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

from harness import processes
from harness.cloud.doors import Doors
from harness.cloud.loop_thread import LoopThread
from harness.cloud.private_network import PrivateNetwork
from harness.cloud.settings import CloudSettings
from harness.cloud.signals.series import MetricStore
from harness.cloud.tasks import emulated
from harness.cloud.tasks.ecs import Ecs
from harness.cloud.tasks.images import Images
from harness.cloud.tasks.site import Site
from harness.cloud.tasks.timing import TaskTiming
from harness.cloud.tasks.usage import UsageMeter
from harness.cloud.tasks.warden import Warden

_LOOKS = 6
"""How often in a period of service auto scaling the tasks' use is looked at."""

_SOONEST_S = 0.5
"""Each look walks the processes of every task."""


@dataclass(slots=True, kw_only=True)
class Tasks:
    """What the server starts and ends. Nothing runs before the first task."""

    site: Site
    ecs: Ecs
    usage: UsageMeter

    @classmethod
    def install(
        cls,
        settings: CloudSettings,
        doors: Doors,
        *,
        network: PrivateNetwork,
        thread: LoopThread,
        metrics: MetricStore,
    ) -> Tasks:
        """Build everything; from now on ECS drives real processes, and zones reach them."""
        folder = settings.state_dir / "tasks"
        registry = folder / "processes"
        site = Site(
            registry=registry,
            endpoint=str(doors.target.endpoint),
            zones=doors.zones,
            evidence=doors.evidence,
            clock=doors.clock,
            timing=TaskTiming(detection_s=settings.detection_s, start_s=settings.task_start_s),
            images=Images(settings.images),
            network=network,
            thread=thread,
            publish=doors.publish,
            warden=Warden(registry),
        )
        ecs = Ecs(site)
        usage = UsageMeter(store=metrics, tasks=lambda: list(ecs.tasks.values()), every_s=_look_every_s(settings))
        made = cls(site=site, ecs=ecs, usage=usage)
        usage.start()
        doors.tasks.find = made.ecs.tasks.get
        emulated.take_over(made.ecs.operations(), site.lock)
        doors.zones.add_resident(made.ecs)
        return made

    def reset(self) -> None:
        """End every task and forget every service."""
        self.ecs.reset()

    def close(self) -> None:
        """End everything for good."""
        self.usage.stop()
        self.ecs.close()
        processes.reap(self.site.registry, everything=True, grace_s=0.0)
        shutil.rmtree(self.site.registry.parent, ignore_errors=True)


def _look_every_s(settings: CloudSettings) -> float:
    """A short period gets two looks, a longer one more."""
    period_s = settings.scaling_period_s
    return max(period_s / _LOOKS, min(period_s / 2, _SOONEST_S))
