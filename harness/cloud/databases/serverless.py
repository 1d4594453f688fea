"""Aurora Serverless v2: how many capacity units what an instance uses amounts to. Nothing is scaled here. Pure.

https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2.how-it-works.html
"""

from __future__ import annotations

import math

BYTES = 2 << 30
"""Memory of one unit, about."""

CORES = 0.25
"""What goes with it: the memory-optimized classes have 8 GiB for each core."""

STEP = 0.5


def capacity_units(cores: float, memory_bytes: float, least: float, most: float) -> float:
    """The units that give so many busy cores and so much memory, by half units, within the cluster's bounds.

    >>> capacity_units(0.01, 50 << 20, 0.5, 16.0), capacity_units(1.1, 50 << 20, 0.5, 16.0)
    (0.5, 4.5)
    >>> capacity_units(9.0, 0, 0.5, 16.0)
    16.0
    """
    asked = max(cores / CORES, memory_bytes / BYTES)
    return min(most, max(least, math.ceil(asked / STEP) * STEP))
