"""An emulator in a container, for machines with a Docker engine: started, ready when it answers an AWS call, removed.

The containers are testcontainers' own, so that its reaper removes them when this process is killed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import NotReadyError, NotSupportedError
from harness.target import Target, endpoint_target

if TYPE_CHECKING:
    from testcontainers.core.container import DockerContainer

PORT = 4566
IMAGE = "ministackorg/ministack:1.5.33"
_POLL_S = 0.25
_LOG_BYTES = 600
_GONE = frozenset({"exited", "dead"})


@dataclass(frozen=True, slots=True, kw_only=True)
class EmulatorContainer:
    """Which image, and how long it may take to be ready.

    `token` is what LocalStack's images ask for since March 2026; they exit with code 55 without one.
    """

    image: str = IMAGE
    token: str = ""
    ready_s: float = 60.0

    @classmethod
    def from_environment(cls) -> EmulatorContainer:
        """`EMULATOR_IMAGE` and `LOCALSTACK_AUTH_TOKEN`, the variables of docker-compose.yml."""
        return cls(image=os.environ.get("EMULATOR_IMAGE") or IMAGE, token=os.environ.get("LOCALSTACK_AUTH_TOKEN", ""))


@contextmanager
def emulator_container(wanted: EmulatorContainer, *, regions: Sequence[str]) -> Iterator[Target]:
    """The emulator as an endpoint target, on a free port of this machine; removed afterwards, whatever happens.

    Raises:
        NotSupportedError: no Docker engine answers, or testcontainers is not installed.
        NotReadyError: the container ended, or did not answer an AWS call in time; says what it printed last.
    """
    container = _container(wanted)
    try:
        container.start()
        url = f"http://{container.get_container_host_ip()}:{container.get_exposed_port(PORT)}"
        target = endpoint_target(url, regions=regions)
        _wait_until_it_answers(container, target, wanted)
        yield target
    finally:
        container.stop()


def _container(wanted: EmulatorContainer) -> DockerContainer:
    try:
        from docker.errors import DockerException
        from testcontainers.core.container import DockerContainer
    except ImportError as error:
        raise NotSupportedError(
            "testcontainers is not installed", where="container", hint="pip install 'blackstart[containers]'"
        ) from error
    try:
        container = DockerContainer(wanted.image, ports=[PORT])
    except DockerException as error:
        raise NotSupportedError(
            "no Docker engine answers", where="container", hint="start one, or use the embedded target: it needs none"
        ) from error
    container.with_envs(GATEWAY_PORT=str(PORT), BIND_HOST="0.0.0.0")  # inside the container
    if wanted.token:
        container.with_env("LOCALSTACK_AUTH_TOKEN", wanted.token)
    return container


def _wait_until_it_answers(container: DockerContainer, target: Target, wanted: EmulatorContainer) -> None:
    """Ready means that it answers an AWS call, not that its port is open."""
    from botocore.exceptions import BotoCoreError, ClientError

    sts = target.client("sts", retries={"total_max_attempts": 1})  # this loop asks again
    running = container.get_wrapped_container()
    until_s = time.monotonic() + wanted.ready_s
    while True:
        with suppress(BotoCoreError, ClientError):
            sts.get_caller_identity()
            return
        running.reload()
        if running.status in _GONE or time.monotonic() > until_s:
            said = running.logs(tail=20)[-_LOG_BYTES:].decode(errors="replace").strip()
            raise NotReadyError(
                f"the container is {running.status} and answers no AWS call; it printed:\n{said}",
                where=wanted.image,
                hint="LocalStack's images need a token: set LOCALSTACK_AUTH_TOKEN" if not wanted.token else "",
            )
        time.sleep(_POLL_S)
