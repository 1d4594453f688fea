"""What the harness measures where the truth is known: its error is told beside every figure it takes."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from harness.measure.journal import Operation
from harness.measure.method import Method
from harness.measure.recovery import Samples, recovery


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """Errors of RTO in milliseconds, one for each known outage of `outage_s`; positive is measured too long.

    `late_*` is how late the prober sent what was due, at `rate` requests a second.
    """

    rate: float
    outage_s: float
    errors_ms: list[float]
    late_p50_ms: float
    late_p99_ms: float

    @property
    def error_ms(self) -> float:
        """The largest error either way: what an RTO of this run may be off by."""
        return max(abs(error_ms) for error_ms in self.errors_ms)


def known_errors(
    operations: Sequence[Operation], outages: Sequence[tuple[float, float]], *, rest_s: float
) -> list[float | None]:
    """RTO as measured less the true length, in seconds, for each outage; None where no recovery was seen.

    Each outage is measured as a drill is: fault instant, windows, hold. It is watched for `rest_s` after its end.
    """
    method = Method(latency_limit_s=rest_s, window_s=rest_s / 3, hold_s=rest_s / 2, baseline_s=0.0)
    samples = Samples(
        scheduled_s=[o.scheduled_s for o in operations],
        ended_s=[o.ended_s for o in operations],
        good=method.goods(operations),
    )
    errors: list[float | None] = []
    for down_s, up_s in outages:
        found = recovery(samples, fault_s=down_s, end_s=up_s + rest_s, method=method)
        felt = found.felt and found.rto_s is not None
        errors.append(found.rto_s - (up_s - down_s) if felt and found.rto_s is not None else None)
    return errors
