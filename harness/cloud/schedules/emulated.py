"""The schedules that ministack keeps, fired by us: it knows no time zones, no roles, and looks every ten seconds."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from harness.cloud.delivery.emulated import put_message
from harness.cloud.schedules.delivery import Delivery
from harness.cloud.schedules.due import is_once, next_due_s
from harness.cloud.sessions import RoleSession
from harness.cloud.ticker import Ticker
from harness.target import Target

LOOK_EVERY_S = 0.5
Key = tuple[str, str, str]
"""Account, region, `group/name`."""


@dataclass(slots=True, kw_only=True)
class Schedules:
    """Looks through the schedules and fires what is due. `last` is when each was last looked at or fired."""

    target: Target
    delivery: Delivery
    last: dict[Key, float] = field(default_factory=dict)
    _fired: set[Key] = field(default_factory=set)
    _ticker: Ticker = field(init=False)

    def __post_init__(self) -> None:
        self._ticker = Ticker("schedules", LOOK_EVERY_S, lambda: self.look(time.time()))

    @classmethod
    def install(cls, target: Target) -> Schedules:
        """Take over the firing."""
        from ministack.services import scheduler

        found = cls(target=target, delivery=Delivery(send=_send, endpoint=str(target.endpoint)))
        scheduler._tick_schedules = lambda: None  # noqa: SLF001
        found._ticker.start()
        return found

    def close(self) -> None:
        """Fire no more."""
        self._ticker.stop()
        self.delivery.stopped.set()

    def forget(self) -> None:
        """The cloud was reset."""
        self.last.clear()
        self._fired.clear()

    def look(self, now_s: float) -> None:
        """Fire what has become due since the last look."""
        from ministack.services import scheduler

        for key, schedule in list(scheduler._schedules._data.items()):  # noqa: SLF001
            if schedule.get("State") == "ENABLED" and self._due(key, schedule, now_s):
                self._fire(key, schedule)
                if is_once(schedule["ScheduleExpression"]) and schedule.get("ActionAfterCompletion") == "DELETE":
                    scheduler._schedules._data.pop(key, None)  # noqa: SLF001
                    self._fired.discard(key)

    def _due(self, key: Key, schedule: Mapping[str, Any], now_s: float) -> bool:
        from ministack.services import scheduler

        begin, end = (scheduler._to_epoch(schedule.get(name)) for name in ("StartDate", "EndDate"))  # noqa: SLF001
        if key in self._fired or (begin is not None and now_s < begin) or (end is not None and now_s > end):
            return False
        expression = str(schedule["ScheduleExpression"])
        since_s = self.last.setdefault(key, float(schedule.get("CreationDate") or now_s))
        due_s = next_due_s(
            expression, str(schedule.get("ScheduleExpressionTimezone") or ""), since_s=since_s, next_match=_cron
        )
        if due_s is None or due_s > now_s:
            return False
        self.last[key] = now_s
        if is_once(expression):
            self._fired.add(key)
        return True

    def _fire(self, key: Key, schedule: Mapping[str, Any]) -> None:
        account, region, _ = key
        role = str((schedule.get("Target") or {}).get("RoleArn", ""))
        name = str(schedule.get("Name", "schedule"))
        session = RoleSession(role=role, account=account, region=region, name=name)
        self.delivery.start(schedule, session.clients(self.target))


def _send(queue: str, text: str, told: Mapping[str, str]) -> None:
    put_message(queue, text, {name: {"DataType": "String", "StringValue": value} for name, value in told.items()})


def _cron(expression: str, local: datetime) -> datetime | None:
    """The cron arithmetic of ministack, on the local clock of the schedule's zone."""
    from ministack.services import eventbridge

    fields = eventbridge._parse_cron_fields(expression)  # noqa: SLF001
    if fields is None:
        return None
    found = eventbridge._cron_next_fire(fields, local.replace(tzinfo=UTC))  # noqa: SLF001
    return None if found is None else found.replace(tzinfo=None)
