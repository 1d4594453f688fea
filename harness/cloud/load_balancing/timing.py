"""How long Elastic Load Balancing takes: every constant with its source."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BalancerTiming:
    """Durations of one cloud's load balancers, in seconds.

    Args:
        detection_s: from a zone's loss of power until clients no longer meet the load balancer's node there. ELB
            takes a node out of DNS when it is unhealthy, and its records live for 60 s
            (https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/how-elastic-load-balancing-works.html);
            we take the project's `detection`, so that drills stay short.
        health_interval_s: between two health checks of a target; 0 takes what the target group says (5 to 300 s,
            30 by default, https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html).
        deregistration_s: how long a target drains at the most; None takes the group's
            `deregistration_delay.timeout_seconds` (300 s by default).
    """

    detection_s: float = 3.0
    health_interval_s: float = 0.0
    deregistration_s: float | None = None


CONNECT_S = 10.0
"""A load balancer that gets no connection to a target for so long answers 504.
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html"""

IDLE_S = 60.0
"""`idle_timeout.timeout_seconds` by default: no answer for so long is a 504.
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html"""

DRAIN_S = 300.0
"""`deregistration_delay.timeout_seconds` by default.
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html"""
