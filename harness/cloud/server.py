"""The cloud's server process: builds the parts, listens on loopback, is ready when it answers an AWS call.

It ends with its owner unless it was started detached, and takes everything it started along.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import uvicorn

from harness import processes
from harness.clock import SystemClock
from harness.cloud import ministack_hooks
from harness.cloud.asgi import App
from harness.cloud.backends import Ministack, RemoteEndpoint
from harness.cloud.control import Control, Owner
from harness.cloud.copies.keeper import ReplicationKeeper
from harness.cloud.copies.lags import Lags
from harness.cloud.doors import Doors, publish_nowhere
from harness.cloud.evidence import Evidence
from harness.cloud.faults import RuleBook
from harness.cloud.garbage import Garbage
from harness.cloud.gate import Gate
from harness.cloud.identify import Identifier
from harness.cloud.listening import BACKLOG, listen, until_ready
from harness.cloud.patience import Patience
from harness.cloud.recorder import Recorder
from harness.cloud.settings import Announcement, CloudSettings, ServerOrder, announcement_path, write_struct
from harness.cloud.standing import Foreign, Standing
from harness.cloud.tasks.faults import TaskFaults
from harness.cloud.transport import ResettableProtocol
from harness.cloud.zones import ZoneKeeper, zones_of
from harness.errors import BlackstartError
from harness.target import Target

_OWNER_POLL_S = 0.5
_EXPIRY_POLL_S = 0.25
_STOP_TIMEOUT_S = 3.0


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

    async def run(self) -> None:
        """Serve until stopped.

        Raises:
            NotReadyError: the port is taken, or the backend does not start.
        """
        settings = self.order.settings
        listener = listen(settings.port)
        port = int(listener.getsockname()[1])
        doors, recorder = self._doors(port), Recorder(SystemClock())
        services = self.make_services(doors)
        identifier = Identifier(region=settings.regions[0], account=settings.account_id)
        standing = _standing(settings, doors, identifier, port)
        app = await standing.start()
        patience = Patience(doors.faults)
        patience.start()
        gate = Gate(
            backend=app,
            control=Control(doors, recorder, self._owner(standing, services)),
            identifier=identifier,
            rules=doors.faults,
            recorder=recorder,
            patience=patience,
            zones=doors.zones,
            meter=standing.metered,
            measured=standing.measured,
            limited=standing.refused,
            shut_in=standing.shut_in,
            services=standing.guarded({**standing.services, **services}),
            paths=standing.paths,
        )
        await self._serve(gate, listener, doors, standing, services)

    async def _serve(
        self, gate: App, listener: socket.socket, doors: Doors, standing: Standing, services: Mapping[str, Service]
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
                backlog=BACKLOG,
            )
        )
        server.install_signal_handlers = lambda: None  # type: ignore[attr-defined] # ours are set below
        loop, port = asyncio.get_running_loop(), int(listener.getsockname()[1])
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        serving = asyncio.create_task(server._serve(sockets=[listener]))  # noqa: SLF001 - without its own signal handlers
        garbage = Garbage()
        watching = [asyncio.create_task(self._watch_owner()), asyncio.create_task(_expire(doors))]
        try:
            await until_ready(port)
            garbage.begin()
            watching.append(asyncio.create_task(garbage.watch()))
            self._announce(Announcement(port=port, pid=os.getpid()))
            stopping = asyncio.create_task(self._stop.wait())
            await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
        finally:
            for task in watching:
                task.cancel()
            for service in services.values():
                await service.heal()
            await standing.close()
            server.should_exit = True
            await asyncio.gather(serving, return_exceptions=True)
            with contextlib.suppress(TimeoutError, asyncio.CancelledError):
                await asyncio.wait_for(standing.stop(), _STOP_TIMEOUT_S)

    def _doors(self, port: int) -> Doors:
        settings, clock = self.order.settings, SystemClock()
        evidence = Evidence(clock)
        zones = tuple(zone for region in settings.regions for zone in zones_of(region, settings.zones_per_region))
        target = Target(
            kind="endpoint" if settings.upstream else "embedded",
            endpoint=f"http://127.0.0.1:{port}",
            region=settings.regions[0],
            regions=settings.regions,
            account_id=settings.account_id,
            access_key="test",
            secret_key="test",  # noqa: S106 - the emulator's root key
            control_token=self.order.token,
            capabilities=settings.capabilities,
        )
        return Doors(
            faults=RuleBook(clock, evidence),
            zones=ZoneKeeper(zones, evidence),
            evidence=evidence,
            clock=clock,
            target=target,
            capabilities=settings.capabilities,
            replication=ReplicationKeeper(evidence, Lags(settings.lags)),
            tasks=TaskFaults(evidence, settings.state_dir / "tasks" / "processes"),
            publish=publish_nowhere if settings.upstream else ministack_hooks.publish_service_event,
            iam_enforced=settings.enforce_iam and not settings.upstream,
        )

    def _owner(self, standing: Standing, services: Mapping[str, Service]) -> Owner:
        async def heal_services() -> dict[str, list[str]]:
            return {f"{name} experiments": await service.heal() for name, service in services.items()}

        async def reset() -> None:
            await standing.reset()
            for service in services.values():
                service.reset()

        return Owner(
            token=self.order.token,
            standing=standing,
            heal_services=heal_services,
            reset=reset,
            stop=self._stop.set,
        )

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


def _standing(settings: CloudSettings, doors: Doors, identifier: Identifier, port: int) -> Standing:
    """What stands behind the gate. The embedded cloud is imported late: a foreign endpoint needs none of it."""
    if settings.upstream:
        return Foreign(RemoteEndpoint(settings.upstream))
    from harness.cloud.embedded import EmbeddedCloud

    return EmbeddedCloud(settings, doors, Ministack(settings, port), identifier)


async def _expire(doors: Doors) -> None:
    """End what nobody renewed, also when no call comes by to notice."""
    while True:
        await asyncio.sleep(_EXPIRY_POLL_S)
        doors.expire()
