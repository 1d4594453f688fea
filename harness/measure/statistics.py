"""Percentiles, intervals and bounds that hold for small samples and for any distribution."""

from __future__ import annotations

import math
from collections.abc import Sequence


def percentile(ordered: Sequence[float], share: float) -> float:
    """The nearest-rank percentile of values sorted upwards: the smallest with at least `share` of them at or below.

    Nearest rank never invents a value that was not observed.

    Raises:
        ValueError: no values, or `share` outside (0, 1].
    """
    if not ordered:
        raise ValueError("no percentile of nothing")
    if not 0.0 < share <= 1.0:
        raise ValueError(f"share {share} is outside (0, 1]")
    return ordered[math.ceil(share * len(ordered) - 1e-9) - 1]


def median(values: Sequence[float]) -> float:
    """The middle value, or the mean of the two middle ones.

    Raises:
        ValueError: no values.
    """
    if not values:
        raise ValueError("no median of nothing")
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def median_interval(values: Sequence[float], *, confidence: float = 0.95) -> tuple[float, float] | None:
    """The narrowest symmetric pair of order statistics that holds the median with at least `confidence`.

    Distribution-free: the number of values below the true median is Binomial(n, 1/2). None when even the
    smallest and the largest value cannot give that confidence (n ≤ 5 for 95 %).

    Source: Conover, Practical Nonparametric Statistics, 3rd ed., section 3.2.
    """
    ordered = sorted(values)
    count = len(ordered)
    found: tuple[float, float] | None = None
    below = 0.0  # P(fewer than `rank` of n values lie below the median)
    for rank in range(1, count // 2 + 1):
        below += math.comb(count, rank - 1) / 2.0**count
        if 1.0 - 2.0 * below < confidence:
            break
        found = (ordered[rank - 1], ordered[count - rank])
    return found


def miss_rate_bound(trials: int, *, alpha: float = 0.05) -> float:
    """The largest miss rate, in 0..1, that `trials` drills without a miss still allow with confidence 1 - alpha.

    1 - alpha^(1/n): n=5 → 45 %, 10 → 26 %, 29 → 10 %, 59 → 5 %.

    Source: exact (Clopper-Pearson) binomial bound at zero events; "rule of three" is its approximation.

    Raises:
        ValueError: fewer than one trial.
    """
    if trials < 1:
        raise ValueError("no bound without a trial")
    return float(1.0 - alpha ** (1.0 / trials))


def residual_error_bound(goods: int, *, alpha: float = 0.05) -> float:
    """The largest error rate, in 0..1, that `goods` good answers in a row still allow with confidence 1 - alpha.

    The other way round of `goods_needed`: the same exact bound as `miss_rate_bound`, for answers instead of drills.
    """
    return miss_rate_bound(goods, alpha=alpha) if goods else 1.0


def goods_needed(error_rate: float, *, alpha: float = 0.05) -> int:
    """How many good answers in a row claim a residual error rate below `error_rate` with confidence 1 - alpha.

    ln alpha / ln(1 - p), rounded up: p = 1 % → 299.

    Raises:
        ValueError: `error_rate` outside (0, 1).
    """
    if not 0.0 < error_rate < 1.0:
        raise ValueError(f"error rate {error_rate} is outside (0, 1)")
    return math.ceil(math.log(alpha) / math.log(1.0 - error_rate))


def finite(value: float) -> float | None:
    """The value, or None in place of an infinite one or NaN: JSON has neither."""
    return value if math.isfinite(value) else None
