"""When the rules of a backup plan are due, and what its selections are about. Pure.

Source: https://docs.aws.amazon.com/aws-backup/latest/devguide/creating-a-backup-plan.html
"""

from __future__ import annotations

import datetime as dt
import fnmatch
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

NextFire = Callable[[str, dt.datetime], dt.datetime | None]
"""The first instant after another that a `cron(...)` expression names; None when it never does."""

DEFAULT_SCHEDULE = "cron(0 5 ? * * *)"
"""What a rule without a schedule has: 5 a.m. UTC."""

Shown = Mapping[str, Any]  # the API's JSON


@dataclass(frozen=True, slots=True)
class Due:
    """A rule of a plan that is due."""

    plan: Shown
    rule: Shown


@dataclass(slots=True)
class Timetable:
    """Remembers up to when plans were looked at. `due` is called now and then."""

    next_fire: NextFire
    _since: dict[str, dt.datetime] = field(default_factory=dict)

    def due(self, plans: Iterable[Shown], now: dt.datetime) -> Iterator[Due]:
        """The rules whose instant came since the last look; a plan's first look is its creation."""
        for plan in plans:
            since = self._since.get(plan["BackupPlanId"], dt.datetime.fromtimestamp(plan["CreationDate"], dt.UTC))
            self._since[plan["BackupPlanId"]] = now
            for rule in plan["BackupPlan"].get("Rules", ()):
                at = self.next_fire(rule.get("ScheduleExpression") or DEFAULT_SCHEDULE, since)
                if at is not None and at <= now:
                    yield Due(plan, rule)


def selected(selection: Shown, resources: Mapping[str, Mapping[str, str]]) -> list[str]:
    """The ARNs of `resources` (ARN → tags) that a selection is about: named, by pattern, or by a tag."""
    found = []
    for arn, tags in resources.items():
        named = any(fnmatch.fnmatchcase(arn, pattern) for pattern in selection.get("Resources") or ())
        tagged = any(
            tags.get(one["ConditionKey"].removeprefix("aws:ResourceTag/")) == one["ConditionValue"]
            for one in selection.get("ListOfTags") or ()
        )
        out = any(fnmatch.fnmatchcase(arn, pattern) for pattern in selection.get("NotResources") or ())
        if (named or tagged) and not out:
            found.append(arn)
    return found
