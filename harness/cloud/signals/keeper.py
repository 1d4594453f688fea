"""Evaluates every alarm on time: at the end of each of its periods, or each minute for longer ones."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from harness.cloud.evidence import Evidence
from harness.cloud.signals.alarm import COMPARISONS, LOOK_BACK, Condition, Decision, decide
from harness.cloud.signals.metric_math import MathError, Points
from harness.cloud.signals.queries import Query, answer
from harness.cloud.signals.series import MetricStore
from harness.cloud.ticker import Ticker

SETTLE_S = 0.2
"""After a period's end, so that what was published in its last moments is in."""

_LOOK_S = 0.1
SHORTEST_S = 10
"""The shortest period of an alarm on AWS; every other is a multiple of it."""

_MINUTE_S = 60
_ROLL_UP_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """One alarm as it is configured now. `arn` is its identity; the last query that returns data is compared."""

    arn: str
    name: str
    state: str
    condition: Condition
    queries: Sequence[Query]
    period_s: int

    @property
    def every_s(self) -> int:
        """Seconds between evaluations: the period of a high-resolution alarm, a minute otherwise."""
        return min(self.period_s, _MINUTE_S)


class AlarmBook(Protocol):
    """Where alarms are kept."""

    def watched(self) -> list[Watched]:
        """Every alarm that can be evaluated."""
        ...

    def enter(self, arn: str, decision: Decision, at_s: float) -> bool:
        """Put an alarm into its new state and start its actions; False when it is gone."""
        ...


@dataclass(slots=True)
class AlarmKeeper:
    """A thread that decides on time. The shortest period takes `shortest_s`; one of a minute or more its own time."""

    book: AlarmBook
    store: MetricStore
    evidence: Evidence
    shortest_s: int = SHORTEST_S
    now_s: Callable[[], float] = time.time
    _evaluated: dict[str, float] = field(default_factory=dict)  # ARN → the end of the last period
    _rolled_s: float = field(init=False)
    _ticked_s: float = field(init=False)
    _ticker: Ticker = field(init=False)

    def __post_init__(self) -> None:
        self._rolled_s = self._ticked_s = self.now_s()
        self._ticker = Ticker("alarms", _LOOK_S, self._look)

    def start(self) -> None:
        """Begin."""
        self._ticker.start()

    def stop(self) -> None:
        """End; returns once nothing is being evaluated."""
        self._ticker.stop(wait=True)

    def tick(self, now_s: float) -> None:
        """Evaluate every alarm whose time has come."""
        alarms = [self._at_pace(alarm) for alarm in self.book.watched()]
        self._evaluated = {alarm.arn: self._evaluated.get(alarm.arn, 0.0) for alarm in alarms}
        for alarm in alarms:
            end_s = (now_s - SETTLE_S) // alarm.every_s * alarm.every_s
            if end_s > self._evaluated[alarm.arn]:
                self._evaluated[alarm.arn] = end_s
                self._evaluate(alarm, end_s)

    def _at_pace(self, alarm: Watched) -> Watched:
        """The alarm with its periods as long as they take here."""
        if self.shortest_s == SHORTEST_S or alarm.period_s >= _MINUTE_S:
            return alarm
        queries = [replace(query, period_s=query.period_s * self.shortest_s // SHORTEST_S) for query in alarm.queries]
        return replace(alarm, queries=queries, period_s=alarm.period_s * self.shortest_s // SHORTEST_S)

    def _look(self) -> None:
        now_s = self.now_s()
        if (now_s - SETTLE_S) // self.shortest_s == (self._ticked_s - SETTLE_S) // self.shortest_s:
            return
        self._ticked_s = now_s
        self.tick(now_s)
        if now_s - self._rolled_s > _ROLL_UP_S:
            self._rolled_s = now_s
            self.store.roll_up(now_s)

    def _evaluate(self, alarm: Watched, end_s: float) -> None:
        try:
            points = evaluation_range(alarm, self.store, end_s)
        except MathError as error:
            logging.getLogger(__name__).warning("alarm %s: %s", alarm.name, error)
            return
        decision = decide(points, alarm.condition, current=alarm.state)
        if decision.state != alarm.state and self.book.enter(alarm.arn, decision, end_s):
            self.evidence.add(
                "alarm",
                name=alarm.name,
                arn=alarm.arn,
                state=decision.state,
                before=alarm.state,
                period_ended_s=end_s,
            )


def evaluation_range(alarm: Watched, store: MetricStore, end_s: float) -> list[float | None]:
    """The data points of the periods that end at `end_s`, oldest first; None where there is none.

    Raises:
        MathError: an expression of the alarm cannot be evaluated.
    """
    count = alarm.condition.periods + LOOK_BACK
    start_s = end_s - count * alarm.period_s
    found = answer(alarm.queries, store, start_s=start_s, end_s=end_s, aligned=False)
    shown = [query.id for query in alarm.queries if query.return_data] or [alarm.queries[-1].id]
    points: Points = found[shown[-1]]
    return [points.get(start_s + at * alarm.period_s) for at in range(count)]


def is_supported(comparison: str) -> bool:
    """False for comparisons with an anomaly detection band."""
    return comparison in COMPARISONS
