"""The limits of one cloud, joined: what they throttle, and what they publish."""

from __future__ import annotations

from dataclasses import dataclass

from harness.cloud.limits.emulated import Limits
from harness.cloud.limits.requests import RequestRates
from harness.cloud.limits.table_metrics import TableMetrics
from harness.cloud.limits.tables import TableLimits
from harness.cloud.settings import CloudSettings
from harness.cloud.signals.station import SignalStation
from harness.cloud.usage.emulated import table_counter


@dataclass(slots=True, kw_only=True)
class LimitStation:
    """Built once a server by `install`."""

    limits: Limits
    tables: TableLimits

    @classmethod
    def install(cls, settings: CloudSettings, signals: SignalStation) -> LimitStation:
        """Put them in the emulator's way."""
        quotas, by_second = settings.quotas, settings.table_scaling_period_s < 60
        limits = Limits.install(quotas, throttled=signals.metrics.throttled)
        metrics = TableMetrics(signals.store, resolution_s=1 if by_second else 60)
        tables = TableLimits(quotas=quotas, metrics=metrics, counted=table_counter(signals.usage))
        tables.install()
        signals.metrics.gauges.append(tables.look)
        signals.metrics.every_s = settings.gauges_every_s
        return cls(limits=limits, tables=tables)

    @property
    def rates(self) -> RequestRates:
        """Asked by the gate."""
        return self.limits.rates

    def forget(self) -> None:
        """Nothing was ever used."""
        self.limits.forget()
        self.tables.throughput.forget()
