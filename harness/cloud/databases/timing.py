"""How long AWS takes: every constant of the databases with its source. Settings may change them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Durations of one cloud's databases and caches, in seconds.

    Args:
        detection_s: from a writer's death until failover begins. AWS gives only the whole: "service is typically
            restored in less than 60 seconds, and often less than 30 seconds"
            (https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Concepts.AuroraHighAvailability.html).
            We take the project's `detection`, so that drills stay short.
        dns_s: from a change of roles until an endpoint's name leads to the new instance. Aurora's records live for
            five seconds
            (https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/AuroraPostgreSQL.BestPractices.FastFailover.html
            asks clients to cache no longer than that).
    """

    detection_s: float = 3.0
    dns_s: float = 5.0
