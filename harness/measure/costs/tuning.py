"""Memory against time against cost of one function, from what its invocations were billed. Pure."""

from __future__ import annotations

import re
import statistics
from collections.abc import Sequence

import msgspec

from harness.measure.costs.prices import PriceList

_REPORT = re.compile(
    r"\tDuration: ([\d.]+) ms\tBilled Duration: (\d+) ms\tMemory Size: (\d+) MB\tMax Memory Used: (\d+) MB"
)


class Invoked(msgspec.Struct, frozen=True, kw_only=True):
    """One warm invocation, as its REPORT line says it. `error` is the function's error type, '' when it answered."""

    duration_ms: float
    billed_ms: int
    used_mb: int
    error: str = ""


class TuningRow(msgspec.Struct, frozen=True, kw_only=True):
    """One memory size. Figures are None where every invocation failed; `cost` is of a million, in dollars.

    `cpu_share` is of one vCPU, what this memory buys on AWS; `held` says that the processes were held to it here.
    """

    memory_mb: int
    cpu_share: float
    held: bool
    invocations: int
    failed: int
    error: str = ""
    median_ms: float | None = None
    fastest_ms: float | None = None
    slowest_ms: float | None = None
    used_mb: int | None = None
    cost: float | None = None


class Tuning(msgspec.Struct, frozen=True, kw_only=True):
    """A tuned function: a row for each size; which is cheapest, fastest, and best by cost times time."""

    function: str
    prices_of: str
    rows: list[TuningRow]
    cheapest_mb: int | None = None
    fastest_mb: int | None = None
    balanced_mb: int | None = None
    cpu_is_scaled: bool = True


def read_report(log: str, error: str = "") -> Invoked | None:
    """The figures of the REPORT line in a log's tail; None when there is none."""
    found = _REPORT.search(log)
    if found is None:
        return None
    return Invoked(duration_ms=float(found[1]), billed_ms=int(found[2]), used_mb=int(found[4]), error=error)


def row_of(
    memory_mb: int, invoked: Sequence[Invoked], prices: PriceList, *, cpu_share: float, held: bool
) -> TuningRow:
    """The row of one size. What failed costs on AWS too, but says nothing about the function: it is only counted."""
    good = [one for one in invoked if not one.error]
    failed = [one for one in invoked if one.error]
    known = TuningRow(
        memory_mb=memory_mb,
        cpu_share=cpu_share,
        held=held,
        invocations=len(invoked),
        failed=len(failed),
        error=failed[0].error if failed else "",
    )
    if not good:
        return known
    gb_s = statistics.fmean(one.billed_ms for one in good) / 1000 * memory_mb / 1024
    each = gb_s * prices.prices["lambda.gb_seconds"].tiers[0][1] + prices.prices["lambda.requests"].tiers[0][1]
    return msgspec.structs.replace(
        known,
        median_ms=statistics.median(one.duration_ms for one in good),
        fastest_ms=min(one.duration_ms for one in good),
        slowest_ms=max(one.duration_ms for one in good),
        used_mb=max(one.used_mb for one in good),
        cost=each * 1_000_000,
    )


def tuning_of(function: str, rows: Sequence[TuningRow], prices: PriceList, *, cpu_is_scaled: bool) -> Tuning:
    """The whole, with the sizes to choose from; a size where anything failed is not one of them."""
    sound = [row for row in rows if row.median_ms is not None and row.cost is not None and not row.failed]

    def best(of: str) -> int | None:
        keys = {
            "cost": lambda row: (row.cost, row.median_ms),
            "time": lambda row: (row.median_ms, row.cost),
            "both": lambda row: (row.cost * row.median_ms, row.cost),
        }
        return min(sound, key=keys[of]).memory_mb if sound else None

    return Tuning(
        function=function,
        prices_of=prices.as_of,
        rows=list(rows),
        cheapest_mb=best("cost"),
        fastest_mb=best("time"),
        balanced_mb=best("both"),
        cpu_is_scaled=cpu_is_scaled,
    )
