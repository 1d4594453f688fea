"""How long a drill watches after its fault: until all is well again and somebody was told, or it is too late."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from chaos.drill_file import Drill
from harness.clock import Clock
from harness.measure.detection import first_alarm, has_cleared
from harness.measure.journal import Journal
from harness.measure.machine import quiet_s
from harness.measure.recovery import recovery
from harness.measure.taking import samples_of

_LOOK_S = 1.0
_MOST_PATIENCE = 4.0
"""So many times its limit something is waited for on a crowded machine; what is missed by then stays open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """Of one run. `read` gives the journal so far; `watch` looks around until an instant of the clock."""

    drill: Drill
    clock: Clock
    read: Callable[[], Journal]
    watch: Callable[[float], str]
    tell: Callable[[str], None]

    @property
    def least_s(self) -> float:
        """How long is watched whatever is seen: the hold, and the window that ends it."""
        return self.drill.method.hold_s + self.drill.method.window_s

    def await_recovery(self, fault_s: float, *, failed_over: Callable[[], bool]) -> None:
        """Watch until it is back and has failed over where it must, at most up to the deadline and a hold."""
        until_s = fault_s + self.drill.method.deadline_s + self.least_s
        while self.clock.now_s() < until_s and not (failed_over() and self._recovered(fault_s)):
            self.watch(self.clock.now_s() + _LOOK_S)

    def await_alarm(self, fault_s: float) -> None:
        """Where somebody has to be told, watch until they are, and until their alarm is OK again if it must be."""
        detect_s = self.drill.objectives.detect_s or 0.0
        while self.patient(fault_s, detect_s) and first_alarm(self.read(), fault_s) is None:
            self.watch(self.clock.now_s() + _LOOK_S)
        self._await_clear(fault_s)

    def patient(self, since_s: float, limit_s: float) -> bool:
        """Whether it is too early to say that nothing came within the limit: a crowded machine takes longer."""
        waited_s = self.clock.now_s() - since_s
        if waited_s >= _MOST_PATIENCE * limit_s:
            return False
        return waited_s < limit_s or quiet_s(self.read(), since_s, since_s + waited_s) <= limit_s

    def _await_clear(self, fault_s: float) -> None:
        """Where the drill asks for it, watch until the alarm that told is OK again, or it is too late for that."""
        until_s, told = self.clock.now_s() + self.drill.clears_within_s, first_alarm(self.read(), fault_s)
        while told is not None and self.clock.now_s() < until_s and not has_cleared(self.read(), told):
            self.tell(f"waiting for {told.detail.get('alarm')} to be OK again")
            self.watch(min(until_s, self.clock.now_s() + _LOOK_S))

    def _recovered(self, fault_s: float) -> bool:
        """Whether what was answered until now shows a recovery that held."""
        end_s = self.clock.now_s() - self.drill.timeout_s
        samples = samples_of(self.read(), self.drill.method)
        return recovery(samples, fault_s=fault_s, end_s=end_s, method=self.drill.method).recovered_s is not None
