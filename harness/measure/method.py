"""How the figures of a drill are taken: what a good operation is, and the lengths of windows and holds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.errors import ConfigError
from harness.measure.journal import Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """The terms on which a journal is judged; the defaults are those of docs/measures.md.

    Args:
        latency_limit_s: an answer later than this after its scheduled instant is not good.
        theta: the good ratio, in 0..1, that counts as working.
        window_s: length of the sliding windows in which the ratio is taken.
        hold_s: how long it must keep working before it counts as recovered.
        deadline_s: not recovered this long after the fault means not recovered at all.
        baseline_s: the shortest steady state that is accepted.
        rpo_guard_s: an acknowledged write must exist this close before the fault, or RPO cannot be told.
        must_be_felt: a fault that no operation felt makes the drill inconclusive.
        must_recover_in_fault: good answers that come back only once the fault was ended are no recovery: the RTO
            is then known to be longer than the fault, and no more (docs/decisions/0003).
    """

    latency_limit_s: float = 1.0
    theta: float = 0.99
    window_s: float = 2.0
    hold_s: float = 10.0
    deadline_s: float = 60.0
    baseline_s: float = 10.0
    rpo_guard_s: float = 1.0
    must_be_felt: bool = False
    must_recover_in_fault: bool = True

    def __post_init__(self) -> None:
        if not 0.0 < self.theta <= 1.0:
            raise ConfigError(f"theta {self.theta} is outside (0, 1]", where="method.theta")
        for name in ("latency_limit_s", "window_s", "hold_s", "deadline_s", "rpo_guard_s"):
            value = getattr(self, name)
            if value <= 0.0:
                raise ConfigError(f"{name} of {value} is not a positive duration", where=f"method.{name}")
        if self.hold_s < self.window_s:
            raise ConfigError(
                f"a hold of {self.hold_s:g} s is shorter than a window of {self.window_s:g} s",
                where="method.hold_s",
                hint="hold at least as long as one window, otherwise recovery rests on no full window",
            )

    def good(self, operation: Operation) -> bool:
        """True when the operation was acknowledged, in time, with the right content."""
        return self.goods((operation,))[0]

    def goods(self, operations: Iterable[Operation]) -> list[bool]:
        """Whether each was acknowledged, in time, with the right content."""
        limit_s = self.latency_limit_s
        return [o.outcome == "ok" and o.valid and o.ended_s - o.scheduled_s <= limit_s for o in operations]
