"""What a query may call of single values; `aggregates` has those of many. Pure.

A value is None, a number, a string, an `Instant`, or a JSON structure; None where a field is missing.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-operations-functions.html
"""

from __future__ import annotations

import calendar
import ipaddress
import math
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec


class Instant(int):
    """Milliseconds since 1970, shown as Insights shows a time."""

    __slots__ = ()

    def __str__(self) -> str:
        at = datetime.fromtimestamp(self // 1000, UTC)
        return f"{at:%Y-%m-%d %H:%M:%S}.{self % 1000:03d}"


def number(value: Any) -> float | int | None:
    """A value as a number; None when it is none. True is 1, as Insights has it."""
    if isinstance(value, int | float):
        return value
    if isinstance(value, str):
        try:
            found = float(value)
        except ValueError:
            return None
        return int(found) if found.is_integer() and abs(found) < 2**53 else found
    return None


def text(value: Any) -> str:
    """A value as Insights shows it: numbers with four decimals at the most."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else f"{value:.4f}".rstrip("0").rstrip(".")
    if isinstance(value, dict | list):
        return msgspec.json.encode(value).decode()
    return str(value)


def floor_ms(at_ms: float, period_s: float) -> Instant:
    """The beginning of the stretch of `period_s` that an instant falls into."""
    period_ms = max(int(period_s * 1000), 1)
    return Instant(int(at_ms) // period_ms * period_ms)


def _numeric(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of numbers: None when one is missing, or it has no answer."""

    def call(*values: Any) -> Any:
        numbers = [number(value) for value in values]
        if any(value is None for value in numbers):
            return None
        try:
            return function(*numbers)
        except (ValueError, ZeroDivisionError, OverflowError):
            return None

    return call


def _textual(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of a string and more: None when the first is missing."""
    return lambda value, *more: None if value is None else function(text(value), *more)


def _substr(value: str, start: Any, length: Any = None) -> str:
    first = int(number(start) or 0)
    return value[first:] if length is None else value[first : first + int(number(length) or 0)]


def _coalesce(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def _json(value: str) -> Any:
    try:
        return msgspec.json.decode(value)
    except msgspec.DecodeError:
        return None


def _address(version: int | None) -> Callable[[Any], bool]:
    def valid(value: Any) -> bool:
        try:
            found = ipaddress.ip_address(text(value))
        except ValueError:
            return False
        return version in {None, found.version}

    return valid


def _in_subnet(version: int | None) -> Callable[[Any, Any], bool]:
    def inside(value: Any, subnet: Any) -> bool:
        try:
            network = ipaddress.ip_network(text(subnet), strict=False)
            return version in {None, network.version} and ipaddress.ip_address(text(value)) in network
        except ValueError:
            return False

    return inside


def _date(step: Callable[[float, float], float]) -> Callable[[Any, Any], Instant | None]:
    def rounded(at_ms: Any, period_s: Any) -> Instant | None:
        instant = number(at_ms)
        return None if instant is None else Instant(int(step(instant, float(period_s))))

    return rounded


def _ceil_ms(at_ms: float, period_s: float) -> float:
    floor = floor_ms(at_ms, period_s)
    return floor if floor == at_ms else floor + period_s * 1000


SCALARS: Final[Mapping[str, tuple[Callable[..., Any], int, int]]] = {
    # name in lower case → function, fewest and most arguments
    "abs": (_numeric(abs), 1, 1),
    "ceil": (_numeric(math.ceil), 1, 1),
    "floor": (_numeric(math.floor), 1, 1),
    "greatest": (_numeric(max), 1, 99),
    "least": (_numeric(min), 1, 99),
    "log": (_numeric(math.log), 1, 1),
    "sqrt": (_numeric(math.sqrt), 1, 1),
    "if": (lambda test, then, other: then if test else other, 3, 3),
    "ispresent": (lambda value: value is not None, 1, 1),
    "coalesce": (_coalesce, 1, 99),
    "isempty": (lambda value: value is None or value == "", 1, 1),
    "isblank": (lambda value: value is None or not text(value).strip(), 1, 1),
    "concat": (lambda *values: "".join(map(text, values)), 1, 99),
    "ltrim": (_textual(lambda value, chars=None: value.lstrip(chars)), 1, 2),
    "rtrim": (_textual(lambda value, chars=None: value.rstrip(chars)), 1, 2),
    "trim": (_textual(lambda value, chars=None: value.strip(chars)), 1, 2),
    "strlen": (_textual(len), 1, 1),
    "toupper": (_textual(str.upper), 1, 1),
    "tolower": (_textual(str.lower), 1, 1),
    "substr": (_textual(_substr), 2, 3),
    "replace": (_textual(lambda value, old, new: value.replace(text(old), text(new))), 3, 3),
    "strcontains": (_textual(lambda value, inner: int(text(inner) in value)), 2, 2),
    "jsonparse": (_textual(_json), 1, 1),
    "jsonstringify": (lambda value: msgspec.json.encode(value).decode(), 1, 1),
    "isvalidip": (_address(None), 1, 1),
    "isvalidipv4": (_address(4), 1, 1),
    "isvalidipv6": (_address(6), 1, 1),
    "isipinsubnet": (_in_subnet(None), 2, 2),
    "isipv4insubnet": (_in_subnet(4), 2, 2),
    "isipv6insubnet": (_in_subnet(6), 2, 2),
    "datefloor": (_date(floor_ms), 2, 2),
    "dateceil": (_date(_ceil_ms), 2, 2),
    "frommillis": (_numeric(Instant), 1, 1),
    "tomillis": (_numeric(int), 1, 1),
    "now": (lambda: int(time.time()), 0, 0),
}


def bin_of(period_s: float) -> Callable[[Any], Instant | None]:
    """`bin(5m)` for one period, of an event's time in milliseconds; months and longer follow the calendar."""
    if period_s < 2592000:
        period_ms = max(int(period_s * 1000), 1)
        return lambda at_ms: None if at_ms is None else Instant(at_ms - at_ms % period_ms)
    months = round(period_s / 2592000) if period_s < 31536000 else 12 * round(period_s / 31536000)

    def month(at_ms: Any) -> Instant | None:
        if at_ms is None:
            return None
        at = datetime.fromtimestamp(at_ms / 1000, UTC)
        whole = (at.year * 12 + at.month - 1) // months * months
        return Instant(calendar.timegm((whole // 12, whole % 12 + 1, 1, 0, 0, 0)) * 1000)

    return month
