"""RPO: how far back acknowledged writes were lost. The count of lost writes stands beside it in `history`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.measure.history import History, Write


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """`rpo_s` is None when it cannot be told; `doubt` then says why.

    `split_brain` are writes acknowledged after the fault and lost: no recovery point covers them, so they
    are counted apart from `rpo_s`.
    """

    rpo_s: float | None
    split_brain: int
    doubt: str = ""


def loss(history: History, *, fault_s: float, guard_s: float) -> Loss:
    """RPO_s = max(0, t_f - the earliest acknowledgement among the lost writes acknowledged before t_f).

    Without an acknowledged write in the last `guard_s` seconds before the fault there was nothing to lose, and
    "nothing lost" would prove nothing: RPO cannot be told.
    """
    split_brain = sum(1 for write in history.lost if _acked_s(write) > fault_s)
    if not _acked_in(history.acked, fault_s - guard_s, fault_s):
        doubt = f"no write was acknowledged in the last {guard_s:g} s before the fault"
        return Loss(rpo_s=None, split_brain=split_brain, doubt=doubt)
    earliest_s = min((_acked_s(write) for write in history.lost if _acked_s(write) <= fault_s), default=fault_s)
    return Loss(rpo_s=max(0.0, fault_s - earliest_s), split_brain=split_brain)


def _acked_in(writes: Sequence[Write], start_s: float, end_s: float) -> bool:
    return any(start_s <= _acked_s(write) <= end_s for write in writes)


def _acked_s(write: Write) -> float:
    if write.acked_s is None:
        raise ValueError(f"write {write.key!r} was never acknowledged")
    return write.acked_s
