"""How figures are written for people, the same in every report."""

from __future__ import annotations

from typing import Final

from harness.counting import counted
from harness.measure.calibration import Calibration
from harness.measure.costs.bill import BillLine
from harness.measure.failover import FailoverFigures
from harness.measure.figures import DrillRecord, DrillRunFigures, ObjectiveVerdict, Unit, Verdict, worst
from harness.measure.load_limits import LoadLimit
from harness.report.run_json import CostRecord, RunRecord

VERDICT_WORDS: Final[dict[Verdict, str]] = {
    "pass": "PASS",
    "fail": "FAIL",
    "inconclusive": "INCONCLUSIVE",
    "not_supported": "NOT SUPPORTED",
}

VERDICT_MARKS: Final[dict[Verdict, str]] = {"pass": "✓", "fail": "✗", "inconclusive": "?", "not_supported": "—"}
"""A shape beside every colour: nobody has to tell red from green."""

OBJECTIVE_TITLES: Final = {
    "rto": "RTO",
    "rpo": "RPO",
    "availability": "Availability",
    "availability_in_fault": "Availability during the fault",
    "lost": "Acknowledged writes lost",
    "duplicates": "Duplicate effects",
    "phantom": "Phantom writes",
    "anomalies": "Broken promises of stores",
    "unfulfilled": "Writes left unfinished",
    "unknown": "Writes with unknown outcome",
    "wrong": "Answers about something else",
    "probes": "Steady-state probes that do not hold at the end",
    "amplification": "Calls of what was broken for each operation",
    "p50": "Latency p50",
    "p95": "Latency p95",
    "p99": "Latency p99",
    "detect": "Time to detect",
    "staleness": "Staleness of the replica",
    "static_stability": "Control-plane calls during recovery",
}

DISRUPTION_TITLES: Final = {
    "AZ": "Availability zone",
    "Region": "Region",
    "Software": "Software",
    "Hardware": "Hardware",
}

_MILLI_BELOW_S = 1.0


def quantity(value: float, unit: Unit) -> str:
    """A value with its unit: `3.00 s`, `250 ms`, `99.95 %`, `12`."""
    if unit == "s":
        return seconds(value)
    if unit == "ratio":
        return share(value)
    if unit == "USD":
        return money(value)
    return f"{value:,.0f}"


def seconds(value: float) -> str:
    """Seconds as `0 s`, `250 ms`, `3.00 s`, `12.5 s` or `4 min 10 s`; the steps are where rounding moves over."""
    if value == 0:
        return "0 s"
    if value < 0.9995:
        return f"{value * 1000:.0f} ms"
    if value < 9.995:
        return f"{value:.2f} s"
    if value < 119.95:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest} s"


def money(value: float) -> str:
    """Dollars with four figures that count: `$18.67`, `$0.000125`, `$0`."""
    if value == 0:
        return "$0"
    return f"${value:,.2f}" if abs(value) >= 1 else f"${float(f'{value:.3g}'):.10f}".rstrip("0")


def used(line: BillLine) -> str:
    """What a meter showed: `12,345 requests`, `0.125 GB-s`."""
    number = f"{line.quantity:,.0f}" if line.quantity >= 100 else f"{line.quantity:.3g}"
    return f"{number} {line.unit}"


def load_limit(limit: LoadLimit) -> str:
    """A limit of the load and whether it held: `✗ FAIL p95 1,247 ms (≤ 200 ms)`."""
    verdict: Verdict = "pass" if limit.held else "fail"
    if limit.name.endswith("failures"):
        told = f"{limit.name} {limit.measured * 100:.2f} % (≤ {limit.limit * 100:g} %)"
    else:
        told = f"{limit.name} {milliseconds(limit.measured)} (≤ {limit.limit:g} ms)"
    return f"{VERDICT_MARKS[verdict]} {VERDICT_WORDS[verdict]} {told}"


def cost_sentence(cost: CostRecord) -> str:
    """What the run costs, in one line."""
    parts = [f"the run {money(cost.run.total)}"]
    if cost.load is not None and cost.month is not None:
        parts.append(f"its load {money(cost.load.total)}")
        free = money(cost.month.after_free)
        parts.append(f"a month at the load's pace {money(cost.month.total)} ({free} after the free tier)")
    return f"{', '.join(parts)}; AWS's prices of {cost.run.as_of}"


def limit_seconds(value: float) -> str:
    """A limit as a person set it: `30 s`, `0 s`, `250 ms`."""
    return f"{value * 1000:g} ms" if 0 < value < _MILLI_BELOW_S else f"{value:g} s"


def share(value: float) -> str:
    """A ratio in percent. Rounds down, so that 99.999 % never reads as 100 %."""
    return f"{int(value * 10000 + 1e-9) / 100:.2f} %"


def measured(objective: ObjectiveVerdict) -> str:
    """What was measured: a value, `> 60.0 s`, or `—` when nothing can be said."""
    if objective.measured is not None:
        return quantity(objective.measured, objective.unit)
    return f"> {quantity(objective.above, objective.unit)}" if objective.above is not None else "—"


def limit(objective: ObjectiveVerdict) -> str:
    """The limit with its direction: `≤ 30 s`, `≥ 99 %`, `0`."""
    sign = "≥" if objective.at_least else "≤"
    if objective.unit == "s":
        return f"{sign} {limit_seconds(objective.limit)}"
    if objective.unit == "ratio":
        return f"{sign} {objective.limit * 100:g} %"
    return f"{objective.limit:g}" if objective.limit == 0 else f"{sign} {objective.limit:g}"


def title(objective: ObjectiveVerdict) -> str:
    """The objective's name for people."""
    return OBJECTIVE_TITLES.get(objective.name, objective.name)


def rto(run: DrillRunFigures) -> str:
    """The RTO of one run: `3.00 s`, `not felt` (which counts as 0 s), `> 60.0 s` or `—`."""
    if run.only_after_fault and run.healed_s is not None and run.fault_s is not None:
        return f"> {seconds(run.healed_s - run.fault_s)}"
    if run.felt is False and run.rto_s == 0:
        return "not felt"
    if run.rto_s is not None:
        return seconds(run.rto_s)
    return "—" if run.rto_at_least_s is None else f"> {seconds(run.rto_at_least_s)}"


def interval(low_high: tuple[float, float] | None) -> str:
    """An interval in seconds, as `2.98 … 3.00 s`."""
    return "—" if low_high is None else f"{low_high[0]:.2f} … {low_high[1]:.2f} s"


def milliseconds(value: float | None) -> str:
    """Milliseconds, or `∞` where too many answers never came."""
    if value is None:
        return "∞"
    return f"{value:,.0f} ms" if value >= 10 else f"{value:.1f} ms"


def headline(run: RunRecord) -> str:
    """One sentence that says what the verdict means."""
    objectives = [objective for drill in run.drills for objective in drill.objectives]
    missed = sum(objective.verdict == "fail" for objective in objectives)
    failed = run.scenarios.failed if run.scenarios is not None else 0
    if any(figures.rollback == "dirty" for drill in run.drills for figures in drill.runs):
        return "A drill left something behind after its rollback."
    if run.verdict == "fail":
        parts = [counted(missed, "objective missed", "objectives missed")] if missed else []
        parts += [counted(failed, "scenario failed", "scenarios failed")] if failed else []
        over = sum(not limit.held for limit in run.load.limits) if run.load is not None else 0
        parts += [counted(over, "limit of the load exceeded", "limits of the load exceeded")] if over else []
        return f"{' and '.join(parts) or 'The run failed'}."
    if run.verdict == "pass":
        parts = [counted(run.scenarios.passed, "scenario", "scenarios") + " passed"] if run.scenarios else []
        parts += [f"{counted(len(objectives), 'objective', 'objectives')} met"] if objectives else []
        drills = sum(drill.verdict == "pass" for drill in run.drills)
        among = f" in {counted(drills, 'drill', 'drills')}" if objectives else ""
        return f"{', '.join(parts) or 'Everything asked for passed'}{among}."
    if run.problems:
        return f"The run could not be completed: {run.problems[0].what}"
    return "Nothing failed, and yet something could not be proven."


def drill_sentence(drill: DrillRecord) -> str:
    """What happened in a drill, in one sentence."""
    if not drill.runs:
        return drill.reason or "The drill did not run."
    run = drill.runs[worst_run(drill)]
    where = "" if len(drill.runs) == 1 else f"Worst of {len(drill.runs)} runs: "
    if drill.reason:
        return f"{where}{drill.reason[:1].upper()}{drill.reason[1:]}."
    missed = [objective.name.replace("_", " ") for objective in drill.objectives if objective.verdict == "fail"]
    if missed:  # a doubt about another objective must not hide it
        return f"{where}Missed: {', '.join(missed)}. {_story(run)}"
    if run.doubts and run.verdict != "fail":
        return f"{where}{run.doubts[0][:1].upper()}{run.doubts[0][1:]}."
    return f"{where}{_story(run)}"


def _story(run: DrillRunFigures) -> str:
    """What the fault did, and whether the service came back."""
    effects = f"{counted(run.fired, 'effect', 'effects')} of the fault fired"
    if run.felt is False:
        return f"{effects}, and no request of the workload felt it."
    if run.recovered_s is None:
        return f"{effects}, and the service was not back while it was watched."
    if run.only_after_fault:
        return f"{effects}; good answers came back only once it was ended."
    return f"{effects}; good answers were back after {rto(run)} and stayed."


def worst_run(drill: DrillRecord) -> int:
    """Which of the runs was the worst, from 0: the gravest verdict, then the slowest recovery."""
    gravest = worst([run.verdict for run in drill.runs])
    return max(range(len(drill.runs)), key=lambda n: (drill.runs[n].verdict == gravest, _slowness(drill.runs[n])))


def failover_split(over: FailoverFigures) -> str:
    """Where the RTO went: `16.7 s = detection 15.4 s + procedure 0 s + names 1.36 s`; '' while it is not known."""
    parts = {"detection": over.detection_s, "procedure": over.procedure_s, "names": over.names_s}
    known = {name: value for name, value in parts.items() if value is not None}
    if not known:
        return ""
    return f"{seconds(sum(known.values()))} = " + " + ".join(f"{name} {seconds(v)}" for name, v in known.items())


def failover_story(over: FailoverFigures) -> list[str]:
    """What happened of a failover and when, one line each."""
    told = []
    if over.protected_s is not None:
        told.append((-over.protected_s, "the data was last protected"))
    if over.name_moved_s is not None:
        told.append((over.name_moved_s, "the front door's name leads elsewhere"))
    if over.begun_s is not None:
        told.append((over.begun_s, f"procedure {over.procedure} begins: {over.trigger}"))
    told += [
        (step.at_s, step.name + (f", {seconds(step.took_s)}" if step.took_s is not None else ""))
        for step in over.steps
    ]
    if over.ended_s is not None:
        told.append((over.ended_s, "procedure ended"))
    return [f"{at_s:+.1f} s: {text}" for at_s, text in sorted(told)]


def worst_rto(drill: DrillRecord) -> str:
    """The longest recovery over all runs."""
    if not drill.runs:
        return "—"
    return rto(max(drill.runs, key=_slowness))


def _slowness(run: DrillRunFigures) -> tuple[bool, float]:
    """Runs without a recovery are the slowest, whatever the bound."""
    return run.rto_s is None or run.only_after_fault, run.rto_s or run.rto_at_least_s or 0.0


def tile_note(drill: DrillRecord) -> str:
    """What the figure on a drill's tile is, and the data loss beside it."""
    if not drill.runs:
        return drill.reason or "did not run"
    lost = sum(run.lost for run in drill.runs)
    acked = sum(run.acked for run in drill.runs)
    kind = "RTO" if len(drill.runs) == 1 else f"worst RTO of {len(drill.runs)} runs"
    return f"{kind}; {lost} of {acked:,} acknowledged writes lost"


def residual(run: DrillRunFigures) -> str:
    """What the good answers at the end of the observation allow to claim; '' for none."""
    if not run.goods_at_end or run.residual_error is None:
        return ""
    return (
        f"The last {run.goods_at_end:,} requests were all good: with 95 % confidence fewer than "
        f"{run.residual_error * 100:.2g} % still fail."
    )


def accuracy(found: Calibration) -> str:
    """The measurement error, and how it was found."""
    outages = counted(len(found.errors_ms), "known outage", "known outages")
    return (
        f"Measurement error ±{found.error_ms:.0f} ms, from {outages} of {seconds(found.outage_s)} at "
        f"{found.rate:g} requests a second; the prober itself was {found.late_p50_ms:.1f} ms late (p50), "
        f"{found.late_p99_ms:.1f} ms (p99)."
    )


def proven(drill: DrillRecord) -> str:
    """What runs without a miss allow to claim about the next one; '' for none."""
    if drill.miss_rate_bound is None:
        return ""
    runs = counted(len(drill.runs), "run", "runs")
    return f"Zero misses in {runs}: with 95 % confidence the miss rate is below {drill.miss_rate_bound * 100:.0f} %."


def staleness(run: DrillRunFigures) -> str:
    """The staleness of the replica: p50, p95 and the worst."""
    if not run.stale_writes:
        return "—"
    told = (run.staleness_p50_s, run.staleness_p95_s, run.staleness_max_s)
    return " / ".join("∞" if value is None else seconds(value) for value in told)


def remark(objective: ObjectiveVerdict, drill: DrillRecord) -> str:
    """Why the objective has its verdict, unless the drill's own doubts say so already."""
    told = {doubt for run in drill.runs for doubt in run.doubts}
    return "" if objective.reason in told else objective.reason


def spread(objective: ObjectiveVerdict) -> str:
    """Every value of an objective over several runs, and the median with its distribution-free interval."""
    values = ", ".join("—" if value is None else quantity(value, objective.unit) for value in objective.values)
    if objective.median is None:
        return f"worst of {values}"
    middle = f"median {quantity(objective.median, objective.unit)}"
    if objective.median_interval is not None:
        low, high = (quantity(value, objective.unit) for value in objective.median_interval)
        middle += f" (95 %: {low} to {high})"
    return f"worst of {values}; {middle}"
