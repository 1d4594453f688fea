"""Containers that do not listen where they are told: on `$PORT`, as all of them share this machine's ports."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import psutil

from harness.cloud.tasks.container import Container


def ports_that_are_wrong(container: Container, ports: Collection[int], backends: Mapping[int, int]) -> str | None:
    """None once the container listens wherever it should, else what is wrong; '' while it listens nowhere.

    Args:
        container: with its processes.
        ports: its container ports.
        backends: container port → where on this machine its process must listen.
    """
    wanted = {backends[port]: port for port in ports if port in backends}
    if not wanted:
        return None
    heard = _listened(container)
    missing = sorted(set(wanted) - heard)
    if not missing:
        return None
    others = ", ".join(map(str, sorted(heard - set(wanted))))
    port = missing[0]
    variable = "PORT" if len(wanted) == 1 else f"PORT_{wanted[port]}"
    return others and (
        f"it listens on {others}, not on ${variable} ({port}), which stands for its containerPort {wanted[port]}: "
        f"let it take its port from ${variable}"
    )


def _listened(container: Container) -> set[int]:
    found: set[int] = set()
    for process in container.family():
        try:
            found |= {one.laddr.port for one in process.net_connections("tcp") if one.status == psutil.CONN_LISTEN}
        except psutil.Error:
            continue  # it has ended
    return found
