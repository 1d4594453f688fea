"""The two doors through which effects reach the cloud, handed to extra services such as FIS.

A new FIS action opens one of these and nothing else: fault rules in the gate, or the zone keeper.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.clock import Clock
from harness.cloud.evidence import Evidence
from harness.cloud.faults import RuleBook
from harness.cloud.zones import ZoneKeeper
from harness.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """What an extra service may use. `target` is the cloud itself as an outside SDK client sees it.

    `capabilities` says what this gate can do; a reverse proxy before a foreign endpoint has no
    `zones` and no `lambda-zones`.
    """

    faults: RuleBook
    zones: ZoneKeeper
    evidence: Evidence
    clock: Clock
    target: Target
    capabilities: frozenset[str]
