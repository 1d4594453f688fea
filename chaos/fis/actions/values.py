"""What values action parameters may have; each refusal says what was expected.

All of them raise `ValidationException`.
"""

from __future__ import annotations

from collections.abc import Collection

from chaos.fis.errors import ValidationException
from harness.clock import parse_duration_s

LONGEST_S = 12 * 3600.0
SHORTEST_HERE_S = 1.0
"""AWS takes one minute at the least; here a second is enough, so that drills stay short (ADR 2)."""


def refuse(name: str, text: str, expected: str) -> ValidationException:
    """The refusal of a parameter's value."""
    return ValidationException(f"Invalid value '{text}' for {name}: {expected}")


def check_duration(text: str, name: str = "duration") -> float:
    """An ISO 8601 duration from one second to twelve hours; returns its seconds."""
    try:
        seconds = parse_duration_s(text) if text.startswith("P") else -1.0
    except (ValueError, OverflowError):
        seconds = -1.0
    if not SHORTEST_HERE_S <= seconds <= LONGEST_S:
        raise refuse(name, text, "an ISO 8601 duration from PT1S to PT12H")
    return seconds


def check_whole(text: str, name: str, least: int, most: int) -> int:
    """A whole number between two limits, both included."""
    if not (text.isascii() and text.isdigit() and len(text) < 12 and least <= int(text) <= most):
        raise refuse(name, text, f"a whole number from {least} to {most}")
    return int(text)


def check_percentage(text: str, name: str = "percentage") -> float:
    """A whole percentage from 1 to 100; returns the share."""
    return check_whole(text, name, 1, 100) / 100


def check_boolean(text: str, name: str) -> bool:
    """`true` or `false`."""
    if text.lower() not in {"true", "false"}:
        raise refuse(name, text, "true or false")
    return text.lower() == "true"


def check_one_of(text: str, name: str, known: Collection[str]) -> str:
    """One of the known words."""
    if text not in known:
        raise refuse(name, text, f"one of {', '.join(sorted(known))}")
    return text


def listed(text: str, name: str, most: int = 1000) -> list[str]:
    """The items of a comma-separated list, at least one."""
    items = [item.strip() for item in text.split(",") if item.strip()]
    if not items or len(items) > most:
        raise refuse(name, text, f"one to {most} items, separated by commas")
    return items


def region_name(text: str, name: str = "region") -> str:
    """The name of a region, as far as its form tells."""
    parts = text.split("-")
    if len(parts) < 3 or not parts[-1].isdigit() or not text.isascii():
        raise refuse(name, text, "a region such as us-west-2")
    return text
