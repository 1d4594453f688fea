"""Private addresses of the cloud's VPCs, and where on loopback what has one can be reached.

On AWS a task in a subnet has an address of that subnet. Here it has one too, which every API shows; what connects to
it inside the cloud (a load balancer, a health check) looks it up here.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from weakref import WeakValueDictionary

from harness.cloud.links import Place
from harness.cloud.zones import Zone

_RESERVED = 4
"""The first four addresses of a subnet are AWS's: https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html."""

NO_VPC_CIDR = "172.31.0.0/16"
"""The default VPC's."""


class Interface(Protocol):
    """What an address leads to: the network interface of a task."""

    @property
    def zone(self) -> Zone:
        """Where it is."""
        ...

    @property
    def place(self) -> Place:
        """The same as an end of a flow."""
        ...

    @property
    def dark(self) -> bool:
        """True while its zone has no power: nothing answers there."""
        ...

    def answers(self, port: int) -> bool:
        """False while nothing that is sent to the port arrives: no power, or a black hole."""
        ...

    def port_of(self, port: int) -> int:
        """Where on 127.0.0.1 its port can be reached; 0 when it has no such port."""
        ...


@dataclass(slots=True)
class PrivateNetwork:
    """The addresses in use. Safe from any thread."""

    carried: MutableMapping[int, socket.socket] = field(default_factory=WeakValueDictionary)
    """Local port → the socket of a load balancer to a target: it has felt the links where it was opened."""
    _taken: dict[str, Interface | None] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def attach(self, cidr: str, make: Callable[[str], Interface]) -> str:
        """Give what `make` returns for it the next free address of the network; returns the address."""
        with self._lock:
            address = next(
                str(one)
                for number, one in enumerate(ipaddress.ip_network(cidr, strict=False))
                if number >= _RESERVED and str(one) not in self._taken
            )
            self._taken[address] = None
        self._taken[address] = make(address)
        return address

    def open_socket(self, address: tuple[Any, ...]) -> socket.socket:
        """A socket for a connection of a load balancer; `address` is one of getaddrinfo's answers."""
        family, kind, number, *_ = address
        made = socket.socket(family, kind, number)
        if family == socket.AF_INET and address[4][0].startswith("127."):
            made.bind(("127.0.0.1", 0))
            self.carried[int(made.getsockname()[1])] = made
        return made

    def detach(self, address: str) -> None:
        """Free an address; may be repeated."""
        with self._lock:
            self._taken.pop(address, None)

    def find(self, address: str) -> Interface | None:
        """What has the address; None when nothing of ours has."""
        return self._taken.get(address)
