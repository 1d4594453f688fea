"""Steady state before the fault, and recovery after it: RTO with the interval that the probe rate allows.

The functions take two parallel sequences: the scheduled instants of the operations, sorted upwards, and whether
each was good. Windows start at each scheduled instant and are half open.

Sources: docs/measures.md defines the terms; Davidovič, "Incident Metrics in SRE", shows why a single recovery
time says little and why values are never averaged here.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from harness.measure.method import Method

DOWN_IN_A_ROW = 3
"""So many bad operations of one kind in a row, over a window at least, are no chance: that kind is down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What the operations after the fault say. Durations in seconds, instants on the journal's clock.

    `recovered_s` is t_up, None when it was never reached or not held for long enough. Then `rto_s` is None and
    the true value is at least `at_least_s` (censored). `past_deadline` says that it was watched until the deadline
    and not back by then. `felt` is false when every operation was good. `down` are the kinds of operation that were
    down to the end, whatever the others did.
    """

    felt: bool
    at_least_s: float
    recovered_s: float | None = None
    rto_s: float | None = None
    rto_interval_s: tuple[float, float] | None = None
    outage_s: float | None = None
    past_deadline: bool = False
    down: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Operations as recovery sees them: when each was due, when it ended, whether it was good, and of which kind."""

    scheduled_s: Sequence[float]
    ended_s: Sequence[float]
    good: Sequence[bool]
    kind: Sequence[str] = ()


def recovery(samples: Samples, *, fault_s: float, end_s: float, method: Method) -> Recovery:
    """When the service was back after the fault at `fault_s`, seen until `end_s`.

    t_up is the scheduled instant of the first good operation at or after the fault from which every window of
    `window_s` that ends within the observation has a good ratio of at least theta. It counts only when
    `hold_s` more were observed and it came within `deadline_s`. Operations in flight at the fault instant can
    make it felt, but do not move t_up. While one kind of operation is still down (`DOWN_IN_A_ROW`) the service is not
    back, although there may be so few of it that the ratio says nothing.
    """
    first, last = bisect_left(samples.scheduled_s, fault_s), bisect_left(samples.scheduled_s, end_s)
    in_flight = [i for i in range(first) if samples.ended_s[i] >= fault_s and not samples.good[i]]
    bad = [samples.scheduled_s[i] for i in (*in_flight, *range(first, last)) if not samples.good[i]]
    if not bad:
        return _not_felt(fault_s, end_s, method)
    index = _first_lasting_good(samples, first, last, end_s=end_s, method=method)
    if index is None:
        return _not_back(end_s - fault_s, method)
    back_s = downtimes(samples, index, last, end_s=end_s, window_s=method.window_s)
    if down := tuple(sorted(kind for kind, instant in back_s.items() if instant is None)):
        return _not_back(end_s - fault_s, method, down)
    recovered_s = max([samples.scheduled_s[index], *(instant for instant in back_s.values() if instant is not None)])
    rto_s = recovered_s - fault_s
    if recovered_s + method.hold_s > end_s or rto_s > method.deadline_s:
        return _not_back(rto_s, method)
    bad_before = [instant for instant in bad if instant < recovered_s]
    return Recovery(
        felt=True,
        at_least_s=rto_s,
        recovered_s=recovered_s,
        rto_s=rto_s,
        rto_interval_s=(max(0.0, max(bad_before, default=fault_s) - fault_s), rto_s),
        outage_s=recovered_s - min(bad_before, default=recovered_s),
    )


def _not_back(at_least_s: float, method: Method, down: tuple[str, ...] = ()) -> Recovery:
    return Recovery(
        felt=True,
        at_least_s=min(at_least_s, method.deadline_s),
        past_deadline=at_least_s >= method.deadline_s,
        down=down,
    )


def _not_felt(fault_s: float, end_s: float, method: Method) -> Recovery:
    if end_s - fault_s < method.hold_s:
        return Recovery(felt=False, at_least_s=0.0)
    return Recovery(
        felt=False, at_least_s=0.0, recovered_s=fault_s, rto_s=0.0, rto_interval_s=(0.0, 0.0), outage_s=0.0
    )


def _first_lasting_good(samples: Samples, first: int, last: int, *, end_s: float, method: Method) -> int | None:
    """The first good operation in [first, last) from which every full window holds; None when there is none."""
    instants, good = samples.scheduled_s, samples.good
    bad_until = [0, *accumulate(0 if good[i] else 1 for i in range(first, last))]
    found: int | None = None
    window_end = last
    for index in range(last - 1, first - 1, -1):
        limit_s = instants[index] + method.window_s
        if limit_s <= end_s:
            while window_end > index + 1 and instants[window_end - 1] >= limit_s:
                window_end -= 1
            bad = bad_until[window_end - first] - bad_until[index - first]
            if bad > (1.0 - method.theta) * (window_end - index) + 1e-9:
                break
        if good[index]:
            found = index
    return found


def downtimes(samples: Samples, first: int, last: int, *, end_s: float, window_s: float) -> dict[str, float | None]:
    """The kinds that were down in [first, last), each with when it was back the last time; None when it was not.

    Down is bad `DOWN_IN_A_ROW` times in a row or more, from the first of them to the next good one (or to `end_s`) a
    window at least: what is rare cannot hide behind what is frequent.
    """
    rows: dict[str, list[float]] = defaultdict(list)
    found: dict[str, float | None] = {}
    for index in range(first, last) if samples.kind else ():
        kind, row = samples.kind[index], rows[samples.kind[index]]
        if not samples.good[index]:
            row.append(samples.scheduled_s[index])
            continue
        if len(row) >= DOWN_IN_A_ROW and samples.scheduled_s[index] - row[0] >= window_s:
            found[kind] = samples.scheduled_s[index]
        row.clear()
    still = {k: None for k, row in rows.items() if len(row) >= DOWN_IN_A_ROW and end_s - row[0] >= window_s}
    return {**found, **still}


def unsteady(samples: Samples, *, start_s: float | None, end_s: float | None, method: Method) -> str:
    """Why [start_s, end_s) is not a steady state, or '' when it is one."""
    if start_s is None or end_s is None:
        return "no baseline was taken"
    length_s = end_s - start_s
    if length_s < method.baseline_s - 1e-6:
        return f"the baseline lasted {length_s:.1f} s of the {method.baseline_s:g} s it needs"
    first, last = bisect_left(samples.scheduled_s, start_s), bisect_left(samples.scheduled_s, end_s)
    if first == last:
        return "no operation ran during the baseline"
    good = sum(samples.good[first:last])
    ratio = good / (last - first)
    if ratio < method.theta - 1e-12:
        return (
            f"the baseline was not steady: {good} of {last - first} operations were good "
            f"({ratio:.2%}, {method.theta:.2%} needed)"
        )
    if down := sorted(downtimes(samples, first, last, end_s=end_s, window_s=method.window_s)):
        return (
            f"the baseline was not steady: {', '.join(down)} was down, though so rare that the ratio does not show it"
        )
    silent = silence(samples, start_s=start_s, end_s=end_s, longest_s=method.window_s)
    return f"during the baseline {silent}" if silent else ""


def silence(samples: Samples, *, start_s: float, end_s: float, longest_s: float) -> str:
    """Where in [start_s, end_s) the prober scheduled nothing for more than `longest_s`; '' when nowhere.

    A prober that stops sees no errors: what it did not ask cannot be called good.
    """
    first, last = bisect_left(samples.scheduled_s, start_s), bisect_left(samples.scheduled_s, end_s)
    instants = [start_s, *samples.scheduled_s[first:last], end_s]
    gap_s, at_s = max((later - earlier, earlier) for earlier, later in pairwise(instants))
    if gap_s <= longest_s:
        return ""
    return f"the prober sent nothing for {gap_s:.1f} s, from {at_s - start_s:.1f} s on"
