"""The `time` and `null` packages: instants that are kept, pauses, and resources that only depend on something."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from harness.deploy.providers.local_type import LocalType
from harness.deploy.providers.resource import CheckError, Context, Invoke, Properties

_UNITS_S = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


class NullResource(LocalType):
    """null:index/resource:Resource; a change of its triggers makes a new one."""

    token: ClassVar = "null:index/resource:Resource"
    replace_on: ClassVar = frozenset({"triggers"})

    def create(self, context: Context, inputs: Properties) -> tuple[str, Properties]:
        """A number as id."""
        del context
        return str(uuid.uuid4().int >> 65), dict(inputs)


class Sleep(LocalType):
    """time:index/sleep:Sleep: a pause before what depends on it is created, and after it is gone."""

    token: ClassVar = "time:index/sleep:Sleep"
    replace_on: ClassVar = frozenset({"triggers"})

    def check(self, context: Context, inputs: Properties, olds: Properties | None) -> Properties:
        """Durations are Go's: `90s`, `1m30s`."""
        given = super().check(context, inputs, olds)
        for key in ("createDuration", "destroyDuration"):
            if isinstance(given.get(key), str) and _seconds(given[key]) is None:
                raise CheckError([(key, "is not a duration such as 30s or 1m30s")])
        return given

    def create(self, context: Context, inputs: Properties) -> tuple[str, Properties]:
        """Wait; the id is the instant."""
        del context
        time.sleep(_seconds(inputs.get("createDuration") or "0s") or 0.0)
        return _text(_now()), dict(inputs)

    def delete(self, context: Context, resource_id: str, state: Properties) -> None:
        """Wait."""
        del context, resource_id
        time.sleep(_seconds(state.get("destroyDuration") or "0s") or 0.0)


class Static(LocalType):
    """time:index/static:Static: the instant of its creation, or the one given."""

    token: ClassVar = "time:index/static:Static"
    replace_on: ClassVar = frozenset({"rfc3339", "triggers"})

    def create(self, context: Context, inputs: Properties) -> tuple[str, Properties]:
        """The id is the instant."""
        del context
        return self._kept(inputs)

    def adopt(self, context: Context, resource_id: str) -> Properties:
        """The id is the instant."""
        del context
        return self._kept({"rfc3339": resource_id})[1]

    def _kept(self, inputs: Properties) -> tuple[str, Properties]:
        moment = _moment(inputs["rfc3339"]) if inputs.get("rfc3339") else _now()
        return _text(moment), {**inputs, "rfc3339": _text(moment), **_parts(moment)}


class Offset(LocalType):
    """time:index/offset:Offset: an instant and a distance from it."""

    token: ClassVar = "time:index/offset:Offset"
    replace_on: ClassVar = frozenset({"baseRfc3339", "triggers"})

    def create(self, context: Context, inputs: Properties) -> tuple[str, Properties]:
        """The id is the base."""
        base = _moment(inputs["baseRfc3339"]) if inputs.get("baseRfc3339") else _now()
        return _text(base), self.update(context, _text(base), {}, inputs)

    def update(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> Properties:
        """Another distance from the same base."""
        del context, olds
        base = _moment(resource_id)
        months = int(news.get("offsetMonths") or 0) + 12 * int(news.get("offsetYears") or 0)
        rest = {
            unit: int(news.get(f"offset{unit.capitalize()}") or 0) for unit in ("days", "hours", "minutes", "seconds")
        }
        moment = _months_later(base, months) + timedelta(**rest)
        return {**news, "baseRfc3339": resource_id, "rfc3339": _text(moment), **_parts(moment)}


def _months_later(moment: datetime, months: int) -> datetime:
    """Go's AddDate: a day that the month does not have runs over into the next."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    return moment.replace(year=year, month=month + 1, day=1) + timedelta(days=moment.day - 1)


def _seconds(duration: str) -> float | None:
    found = re.findall(r"(\d+(?:\.\d+)?)(ns|us|ms|s|m|h)", duration)
    whole = "".join(number + unit for number, unit in found)
    return sum(float(number) * _UNITS_S[unit] for number, unit in found) if found and whole == duration else None


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _parts(moment: datetime) -> Properties:
    units = ("year", "month", "day", "hour", "minute", "second")
    return {**{unit: getattr(moment, unit) for unit in units}, "unix": int(moment.timestamp())}


RESOURCES = (NullResource(), Offset(), Sleep(), Static())
INVOKES: Mapping[str, Invoke] = {}
