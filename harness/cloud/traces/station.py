"""The traces of one cloud, joined: the store, what fills it, and what answers from it."""

from __future__ import annotations

from dataclasses import dataclass

from harness.cloud.asgi import App
from harness.cloud.traces import emulated
from harness.cloud.traces.daemon import Daemon
from harness.cloud.traces.otlp import OtlpReceiver
from harness.cloud.traces.service import XRay
from harness.cloud.traces.store import TraceStore
from harness.cloud.traces.weaving import Weaver


@dataclass(slots=True)
class TraceStation:
    """Built once a server by `install`; `close` ends it."""

    store: TraceStore
    weaver: Weaver
    daemon: Daemon
    otlp: OtlpReceiver

    @classmethod
    def install(cls, home: tuple[str, str]) -> TraceStation:
        """Weave traces through the emulator and listen for SDKs. Segments without a known trace belong to `home`."""
        store = TraceStore()
        station = cls(store, emulated.install(store), Daemon(store, home), OtlpReceiver(store, home))
        station.daemon.start()
        return station

    def api(self, configuration: App) -> XRay:
        """The X-Ray API; `configuration` answers what is no trace."""
        return XRay(self.store, configuration)

    def close(self) -> None:
        """End."""
        self.daemon.close()
