"""What every database of one cloud shares."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.clock import Clock
from harness.cloud.copies.lags import Lags
from harness.cloud.databases.endpoint import EndpointHost
from harness.cloud.databases.template import Template
from harness.cloud.databases.timing import Timing
from harness.cloud.evidence import Evidence
from harness.cloud.zones import ZoneKeeper


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """`folder` holds everything the databases write; `registry` their process records."""

    folder: Path
    registry: Path
    zones: ZoneKeeper
    evidence: Evidence
    clock: Clock
    timing: Timing
    lags: Lags
    endpoints: EndpointHost
    template: Template
