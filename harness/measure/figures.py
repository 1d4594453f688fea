"""What is told about a drill: figures, objectives and verdicts, with the field names of run.json.

Instants here are seconds since the drill started; durations are seconds, percentiles milliseconds, ratios 0..1.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from harness.measure.failover import FailoverFigures
from harness.measure.finding import Finding
from harness.measure.method import Method

Verdict = Literal["pass", "fail", "inconclusive", "not_supported"]
Unit = Literal["s", "ratio", "count", "USD"]

_WORST_FIRST: tuple[Verdict, ...] = ("fail", "inconclusive", "not_supported", "pass")


class DrillRunFigures(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one run of a drill; None is what could not be told, and `doubts` says why.

    `rto_s` None with `recovered_s` None means: not recovered, the true value is at least `rto_at_least_s`, and
    `past_deadline` says whether it was watched until the deadline. A percentile is None where too many operations
    were never acknowledged. `duplicate` counts effects beyond the first. `phantom` counts effects that belong to
    nothing that was written, too, and `unfulfilled` what was begun without an answer and never ended. `waiting`
    messages were still in the drill's queues when it was read back: what they will do yet nobody has seen. `left`
    lists what the rollback left behind. `only_after_fault`: good answers came back no earlier than the fault was
    ended, so that `rto_s` says how long the fault was and not how fast the service recovers. `wrong` answers were
    acknowledged, and about something else than was asked. `goods_at_end` good answers in a row ended the
    observation: the residual error rate is below `residual_error` with 95 % confidence. `staleness_*` None with
    `stale_writes` > 0: so many never reached the replica. `late_*` is how late the prober sent what was due, its
    own error. `findings` are the keys behind the counts. `anomalies` counts broken promises of single stores that
    were worked beside the drill, `probes_broken` the steady-state probes that did not hold at the end.
    `amplification` is how many calls of what was broken came for each operation that was sent during the fault.
    """

    seed: int = 0
    experiment_id: str = ""
    verdict: Verdict = "inconclusive"
    fired: int = 0
    felt: bool | None = None
    fault_s: float | None = None
    healed_s: float | None = None
    recovered_s: float | None = None
    ended_s: float | None = None
    rto_s: float | None = None
    rto_interval_s: tuple[float, float] | None = None
    rto_at_least_s: float | None = None
    past_deadline: bool = False
    outage_s: float | None = None
    only_after_fault: bool = False
    rpo_s: float | None = None
    acked: int = 0
    lost: int = 0
    split_brain: int = 0
    holes: int = 0
    phantom: int = 0
    duplicate: int = 0
    unfulfilled: int = 0
    waiting: int = 0
    wrong: int = 0
    anomalies: int | None = None
    probes_broken: int | None = None
    amplification: float | None = None
    unknown: int = 0
    unknown_applied: int = 0
    operations: int = 0
    availability: float | None = None
    availability_in_fault: float | None = None
    availability_by_kind: dict[str, float] = {}
    burn_rate: float | None = None
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    detect_s: float | None = None
    detected_by: str = ""
    goods_at_end: int = 0
    residual_error: float | None = None
    staleness_p50_s: float | None = None
    staleness_p95_s: float | None = None
    staleness_max_s: float | None = None
    stale_writes: int = 0
    unseen_writes: int = 0
    late_p50_ms: float | None = None
    late_p99_ms: float | None = None
    static_stability: Literal["held", "broken", "not_asked"] = "not_asked"
    control_plane_calls: list[dict[str, Any]] = []  # as the gate recorded them
    rollback: Literal["clean", "dirty", "unknown"] = "unknown"
    left: list[str] = []
    cpu_percent: float | None = None
    failover: FailoverFigures | None = None
    findings: list[Finding] = []
    doubts: list[str] = []
    notes: list[str] = []


class ObjectiveVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """One objective, judged. `measured` is the worst of `values`, which has one value for each run.

    `measured` None with `above` set means: worse than that, how much is not known. `reason` explains
    everything but a plain pass.
    """

    name: str
    limit: float
    measured: float | None
    verdict: Verdict
    unit: Unit = "s"
    at_least: bool = False
    above: float | None = None
    reason: str = ""
    values: list[float | None] = []
    median: float | None = None
    median_interval: tuple[float, float] | None = None


class DrillRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One drill with all its runs: an entry of `drills` in run.json.

    `method` says how the figures were taken; None when the drill did not run.
    `miss_rate_bound` is the largest miss rate that the runs still allow with 95 % confidence; None when one missed.
    `reason` says why a drill did not run, or what is wrong with all of its runs.
    """

    name: str
    disruption: str
    verdict: Verdict
    runs: list[DrillRunFigures] = []
    objectives: list[ObjectiveVerdict] = []
    title: str = ""
    reason: str = ""
    method: Method | None = None
    miss_rate_bound: float | None = None


def worst(verdicts: list[Verdict]) -> Verdict:
    """The worst first: fail > inconclusive > not_supported > pass. Nothing judged is inconclusive."""
    return min(verdicts, key=_WORST_FIRST.index, default="inconclusive")
