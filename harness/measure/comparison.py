"""Whether two sets of runs really differ: an exact rank test, which knows when it cannot tell.

U test of Mann and Whitney by its exact permutation distribution, ties by midranks, two-sided: no distribution is
assumed, and a value that was never reached (infinite) has a rank like any other. With n and m runs the smallest p
there can be is 2 / C(n+m, n); where that is above alpha no outcome whatsoever would be a difference, and the answer
is "cannot tell" rather than "same". Several figures compared at once are corrected by Holm's step-down procedure.

Sources: Mann & Whitney 1947; Hodges & Lehmann 1963 (the shift); Holm 1979.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.measure.statistics import median

Answer = Literal["differs", "no difference shown", "cannot tell"]

ALPHA = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What the values of one figure before and after say.

    `p` is corrected for all figures that were compared with it. `shift` is the median of all differences, after less
    before; None where it is not finite.
    """

    answer: Answer
    p: float | None = None
    shift: float | None = None
    reason: str = ""


def compare_all(
    figures: Mapping[str, tuple[Sequence[float], Sequence[float]]], *, alpha: float = ALPHA
) -> dict[str, Comparison]:
    """Each figure's values before and after, compared; alpha holds for all of them together."""
    raw = {name: exact_p(before, after) for name, (before, after) in figures.items()}
    told: dict[str, Comparison] = {}
    worst = 0.0
    for place, name in enumerate(sorted(raw, key=lambda name: raw[name])):
        worst = max(worst, min(1.0, raw[name] * (len(raw) - place)))
        before, after = figures[name]
        told[name] = _answer(before, after, p=worst, share=len(raw), alpha=alpha)
    return {name: told[name] for name in figures}


def exact_p(before: Sequence[float], after: Sequence[float]) -> float:
    """The two-sided p of the rank sum of `after`, over every way to deal the same values into the two sets.

    Returns 1 when either is empty.
    """
    if not before or not after:
        return 1.0
    ranks = _doubled_midranks([*before, *after])
    observed = sum(ranks[len(before) :])
    ways = _ways(ranks, len(after))
    total = math.comb(len(ranks), len(after))
    middle = len(after) * (len(ranks) + 1)  # twice the expected rank sum
    extreme = sum(count for rank_sum, count in ways.items() if abs(rank_sum - middle) >= abs(observed - middle))
    return extreme / total


def smallest_p(before: int, after: int) -> float:
    """The smallest p that so many runs could ever give."""
    return min(1.0, 2.0 / math.comb(before + after, after)) if before and after else 1.0


def runs_needed(share: int = 1, *, alpha: float = ALPHA) -> int:
    """How many runs each side needs at least before a difference can show among `share` figures."""
    runs = 1
    while smallest_p(runs, runs) * share > alpha:
        runs += 1
    return runs


def _answer(before: Sequence[float], after: Sequence[float], *, p: float, share: int, alpha: float) -> Comparison:
    shift = _shift(before, after)
    if p <= alpha:
        return Comparison(answer="differs", p=p, shift=shift)
    if smallest_p(len(before), len(after)) * share > alpha:
        needed = runs_needed(share, alpha=alpha)
        return Comparison(
            answer="cannot tell",
            shift=shift,
            reason=f"{len(before)} and {len(after)} runs are too few: {needed} and {needed} are the least",
        )
    return Comparison(answer="no difference shown", p=p, shift=shift, reason="which is no proof that there is none")


def _shift(before: Sequence[float], after: Sequence[float]) -> float | None:
    if not before or not after:
        return None
    differences = [late - early for late in after for early in before if not math.isnan(late - early)]
    middle = median(differences) if differences else math.inf
    return middle if math.isfinite(middle) else None


def _doubled_midranks(values: Sequence[float]) -> list[int]:
    """Twice the rank of each value; equal values share the mean of theirs."""
    counts = Counter(values)
    rank_of: dict[float, int] = {}
    below = 0
    for value in sorted(counts):
        rank_of[value] = 2 * below + counts[value] + 1
        below += counts[value]
    return [rank_of[value] for value in values]


def _ways(ranks: Sequence[int], chosen: int) -> Counter[int]:
    """How many choices of `chosen` of the ranks have each sum."""
    ways: list[Counter[int]] = [Counter() for _ in range(chosen + 1)]
    ways[0][0] = 1
    for rank in ranks:
        for size in range(chosen, 0, -1):
            for rank_sum, count in ways[size - 1].items():
                ways[size][rank_sum + rank] += count
    return ways[chosen]
