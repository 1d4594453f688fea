"""What Route 53 uses of ministack: its hosted zones, records and health checks, of every account.

Every name is pinned by `tests/contract/test_ministack_hooks.py`.
"""

from __future__ import annotations

from typing import Any

from harness.cloud.databases.emulated import ServiceAnswer, ServiceCall, wrap_service
from harness.cloud.dns.records import Record, normal, read_record
from harness.cloud.signals.emulated import in_scope

__all__ = ["ServiceAnswer", "ServiceCall", "wrap_service"]


def keep_what_is_put() -> None:
    """Let a health check keep its children and its checkers' regions, whose names ministack loses."""
    from ministack.services import route53

    parse = route53._parse_health_check_config  # noqa: SLF001 - this file is the seam into ministack's Route 53

    def parsed(element: Any) -> dict[str, Any]:
        found: dict[str, Any] = parse(element)
        for name in ("ChildHealthChecks", "Regions"):
            listed = route53._find(element, name)  # noqa: SLF001
            if listed is not None:
                found[name] = [one.text or "" for one in listed]
        return found

    route53._parse_health_check_config = parsed  # noqa: SLF001


def zones() -> list[tuple[str, list[Record]]]:
    """Every hosted zone's name with its records; private ones too: who asks here is inside."""
    from ministack.services import route53

    records = dict(route53._records._data)  # noqa: SLF001
    return [
        (normal(str(zone["name"])), [read_record(one) for one in records.get(key) or ()])
        for key, zone in list(route53._zones._data.items())  # noqa: SLF001
    ]


def health_checks() -> dict[str, dict[str, Any]]:
    """The configuration of every health check by its id."""
    from ministack.services import route53

    return {str(one["id"]): one["config"] for _, one in list(route53._health_checks._data.items())}  # noqa: SLF001


def zone_name(zone: str) -> str:
    """The name of one of the caller's hosted zones; '' when there is none."""
    from ministack.services import route53

    found = route53._zones.get(zone) or {}  # noqa: SLF001
    return normal(str(found.get("name") or ""))


def alarm_state(account: str, region: str, name: str) -> str:
    """The state of an alarm; INSUFFICIENT_DATA when there is none."""
    from ministack.services import cloudwatch

    with in_scope(account, region):
        alarm = cloudwatch._alarms.get(name)  # noqa: SLF001
    return str(alarm["StateValue"]) if alarm is not None else "INSUFFICIENT_DATA"


def answered(root: str, body: str) -> ServiceAnswer:
    """An answer of our own; `body` is XML."""
    space = "https://route53.amazonaws.com/doc/2013-04-01/"
    text = f'<?xml version="1.0" encoding="UTF-8"?><{root} xmlns="{space}">{body}</{root}>'
    return 200, {"Content-Type": "text/xml"}, text.encode()


def refused(code: str, message: str, status: int = 404) -> ServiceAnswer:
    """A refusal of our own."""
    from ministack.services import route53

    found: ServiceAnswer = route53._error_response(code, message, status)  # noqa: SLF001
    return found
