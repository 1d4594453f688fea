"""Watches the CloudWatch alarms of a stack during a drill: when the first of them would have told somebody.

An alarm's change is noted when it is seen, so time to detect is an upper bound, as far off as two looks are apart.
CloudWatch's own timestamps are wall-clock and never compared with the journal's clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from harness.clock import Clock
from harness.measure import journal as names
from harness.measure.journal import JournalWriter

LOOK_EVERY_S = 0.5


@dataclass(slots=True, kw_only=True)
class AlarmWatch:
    """`wanted` are the alarms that must exist; with none every alarm of the region is watched."""

    client: Any  # boto3's CloudWatch client
    journal: JournalWriter
    clock: Clock
    wanted: Sequence[str] = ()
    _states: dict[str, str] = field(default_factory=dict)
    _looked_s: float = 0.0

    def begin(self) -> None:
        """Note which alarms there are, and which are in ALARM already. A target without CloudWatch notes nothing."""
        try:
            self._states = self._now()
        except (ClientError, BotoCoreError):
            return
        missing = sorted(set(self.wanted) - set(self._states))
        self._note(names.ALARMS_WATCHED, names=sorted(self._states), missing=missing)
        for alarm, state in self._states.items():
            if state == "ALARM":
                self._note(names.ALARM, alarm=alarm, state=state)

    def look(self) -> None:
        """Note every alarm that changed since the last look; does nothing within `LOOK_EVERY_S` of one."""
        if not self._states or self.clock.now_s() - self._looked_s < LOOK_EVERY_S:
            return
        self._looked_s = self.clock.now_s()
        try:
            found = self._now()
        except (ClientError, BotoCoreError) as error:
            self._note(names.CHECK_FAILED, check="alarms", error=f"{type(error).__name__}: {error}")
            self._states = {}
            return
        for alarm, state in found.items():
            if state != self._states.get(alarm):
                self._note(names.ALARM, alarm=alarm, state=state)
        self._states = found

    def _now(self) -> dict[str, str]:
        pages = self.client.get_paginator("describe_alarms").paginate()
        found = {
            alarm["AlarmName"]: str(alarm["StateValue"])
            for page in pages
            for alarm in (*page.get("MetricAlarms", ()), *page.get("CompositeAlarms", ()))
        }
        return {name: state for name, state in found.items() if not self.wanted or name in self.wanted}

    def _note(self, name: str, /, **detail: Any) -> None:
        self.journal.event(name, self.clock.now_s(), **detail)
