"""How long Route 53 takes: every constant with its source."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsTiming:
    """Durations of one cloud's DNS, in seconds.

    Args:
        health_interval_s: between two requests of a health check; 0 takes its `RequestInterval` (30 or 10 s,
            https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-creating-values.html).
        alias_ttl_s: how long an alias to a load balancer may be cached: 60 s
            (https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resource-record-sets-choosing-alias-non-alias.html).
    """

    health_interval_s: float = 0.0
    alias_ttl_s: float = 60.0


REQUEST_INTERVAL_S, FAILURE_THRESHOLD = 30.0, 3
"""Defaults of a health check, same page."""

CONNECT_S, RESPOND_S, TCP_S = 4.0, 2.0, 10.0
"""HTTP: connected within four seconds, answered within two more. TCP: connected within ten.
https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html"""

SEARCHED_BYTES = 5120
"""A search string is looked for at the beginning of the body, same page."""

ALARM_LOOK_S = 1.0
"""How often the alarm of a health check is looked at. AWS follows the alarm's data stream and gives no figure."""

DEFAULT_TTL_S = 300
"""Of a record without a TTL: what the console suggests."""
