"""What stands behind the gate: the embedded cloud, or nothing of ours in front of a foreign endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from harness.cloud.asgi import App, Scope, Send
from harness.cloud.backends import Backend
from harness.cloud.call import Caller
from harness.cloud.identify import Request
from harness.cloud.timings import Timing

Rows = list[dict[str, Any]]  # JSON for the control API


class Standing(Protocol):
    """What the server starts, puts behind the gate, shows to its owner, and ends."""

    @property
    def services(self) -> Mapping[str, App]:
        """What is answered beside the backend, by botocore's name of the service."""
        ...

    @property
    def paths(self) -> Mapping[str, App]:
        """What is posted to by path and unsigned."""
        ...

    @property
    def measured(self) -> frozenset[str]:
        """Services of which each call's resource is to be read."""
        ...

    def guarded(self, services: Mapping[str, App]) -> Mapping[str, App]:
        """The same services, where IAM is enforced asking it about each call."""
        ...

    def metered(self, request: Request, scope: Scope, send: Send) -> Send:
        """`send`, with the answer measured and traced."""
        ...

    def refused(self, request: Request) -> str:
        """The error code of a call above a request rate, or ''."""
        ...

    def shut_in(self, request: Request) -> bool:
        """Whether a function's call finds no way out of its VPC."""
        ...

    def caller(self, app_id: str) -> Caller | None:
        """Whose process named itself so."""
        ...

    async def start(self) -> App:
        """Begin; returns what answers each call that nothing in `services` takes.

        Raises:
            NotReadyError: it does not start.
        """
        ...

    async def reset(self) -> None:
        """Forget every resource."""
        ...

    async def close(self) -> None:
        """End everything that it started, but what still answers calls under way."""
        ...

    async def stop(self) -> None:
        """End what answers calls."""
        ...

    def environments(self) -> Rows:
        """The Lambda execution environments that run now."""
        ...

    def tasks(self) -> Rows:
        """The ECS tasks that have not stopped."""
        ...

    def databases(self) -> Rows:
        """DB instances and cache nodes."""
        ...

    def pulse(self) -> dict[str, Any]:
        """See `harness/cloud/pulse.py`."""
        ...

    def usage(self) -> dict[str, float]:
        """What AWS would have charged for, by meter."""
        ...

    def names_port(self) -> int:
        """Where names are answered; 0 where none are."""
        ...

    def timings(self) -> list[Timing]:
        """How long it takes where AWS takes its time."""
        ...

    def hold_cpu(self, function: str, *, on: bool) -> None:
        """Hold a function's processes to the CPU share of their memory, or no longer."""
        ...


class Foreign:
    """A foreign endpoint: it answers, and shows nothing of itself."""

    services: Mapping[str, App] = {}
    paths: Mapping[str, App] = {}
    measured: frozenset[str] = frozenset()

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def guarded(self, services: Mapping[str, App]) -> Mapping[str, App]:
        """As they are."""
        return services

    def metered(self, _request: Request, _scope: Scope, send: Send) -> Send:
        """As it is."""
        return send

    def refused(self, _request: Request) -> str:
        """Nothing."""
        return ""

    def shut_in(self, _request: Request) -> bool:
        """No."""
        return False

    def caller(self, _app_id: str) -> Caller | None:
        """Nobody's."""
        return None

    async def start(self) -> App:
        """Reach it."""
        await self._backend.start()
        return self._backend.app

    async def reset(self) -> None:
        """Ask it to forget."""
        await self._backend.reset()

    async def close(self) -> None:
        """Nothing of ours runs."""

    async def stop(self) -> None:
        """Let go of it."""
        await self._backend.stop()

    def environments(self) -> Rows:
        """None of ours."""
        return []

    tasks = databases = environments

    def pulse(self) -> dict[str, Any]:
        """Not counted."""
        return {"services": {}}

    def usage(self) -> dict[str, float]:
        """Not metered."""
        return {}

    def names_port(self) -> int:
        """None."""
        return 0

    def timings(self) -> list[Timing]:
        """Its own business."""
        return []

    def hold_cpu(self, function: str, *, on: bool) -> None:
        """Nothing of ours runs."""
