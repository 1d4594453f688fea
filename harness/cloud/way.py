"""The way of one TCP connection through the links of the cloud, for the sockets that we listen on ourselves."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from harness.cloud.links import Links, Passage, Place


@dataclass(slots=True)
class Way:
    """Who is at the other end is looked up when a link is disturbed: that looks at every process of the cloud."""

    links: Links
    ports: tuple[int, int]
    """The client's and this end's."""
    destination: Place
    _passage: Passage | None = None
    _looking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def take(self) -> None:
        """Return once what is sent now, in either direction, is through."""
        if not self.links.disturbed:
            return
        async with self._looking:
            if self._passage is None:
                source = await asyncio.to_thread(self.links.whereabouts, *self.ports)
                self._passage = Passage(self.links, source, self.destination)
        await self._passage.take()
