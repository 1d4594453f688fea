"""Compares the figures of two runs: what moved, whether a verdict did, and whether the stacks really differ."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import msgspec

from harness.measure.comparison import Answer, Comparison, compare_all
from harness.measure.figures import ObjectiveVerdict, Unit
from harness.report import words
from harness.report.run_json import CostRecord, RunRecord

Figure = tuple[float | None, str, Unit]
"""The number (None for words), what is shown, and the unit."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One figure in both runs; None where a run does not have it. `text` figures have no difference."""

    name: str
    before: str
    after: str
    change: float | None = None
    unit: Unit = "count"


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """What all runs of a drill say about one objective; `p` is corrected for all figures that were compared."""

    name: str
    answer: Answer
    before: list[float | None]
    after: list[float | None]
    p: float | None = None
    shift: float | None = None
    unit: Unit = "count"
    reason: str = ""


class RunDifference(msgspec.Struct, frozen=True, kw_only=True):
    """The figures that moved between two runs; `same` counts those that did not.

    `findings` say whether the objectives really differ: a figure moves between any two runs.
    """

    first: str
    second: str
    changes: list[Change]
    same: int
    findings: list[Difference] = []

    def text(self) -> str:
        """A line for each figure that moved."""
        head = f"{self.first} → {self.second}: {len(self.changes)} figures moved, {self.same} did not"
        width = max((len(change.name) for change in self.changes), default=0)
        lines = [f"  {c.name:<{width}}  {c.before} → {c.after}{_signed(c)}" for c in self.changes]
        return "\n".join([head, *lines, *self._answers()])

    def _answers(self) -> list[str]:
        if not self.findings:
            return []
        width = max(len(finding.name) for finding in self.findings)
        lines = [f"  {finding.name:<{width}}  {_said(finding)}" for finding in self.findings]
        return ["do they really differ? (exact rank test over all runs, 5 % for all figures together)", *lines]


def diff_runs(first: RunRecord, second: RunRecord) -> RunDifference:
    """The difference of two runs, figure by figure; one that a run lacks shows as `—`."""
    before, after = dict(_figures(first)), dict(_figures(second))
    names = list(dict.fromkeys([*before, *after]))
    changes = [_change(name, before.get(name), after.get(name)) for name in names]
    moved = [change for change, name in zip(changes, names, strict=True) if before.get(name) != after.get(name)]
    return RunDifference(
        first=first.id,
        second=second.id,
        changes=moved,
        same=len(changes) - len(moved),
        findings=_findings(first, second),
    )


def _findings(first: RunRecord, second: RunRecord) -> list[Difference]:
    """Every objective that both have and that is not the same in every single run."""
    before, after = _objectives(first), _objectives(second)
    pairs = {name: (before[name], after[name]) for name in before if name in after}
    known = {name: (_values(a), _values(b)) for name, (a, b) in pairs.items() if len({*_values(a), *_values(b)}) > 1}
    told = compare_all({name: pair for name, pair in known.items() if not any(map(math.isnan, (*pair[0], *pair[1])))})
    unclear = Comparison(answer="cannot tell", reason="not every run could be measured")
    return [
        Difference(
            name=name,
            answer=told.get(name, unclear).answer,
            before=pairs[name][0].values,
            after=pairs[name][1].values,
            p=told.get(name, unclear).p,
            shift=told.get(name, unclear).shift,
            unit=pairs[name][0].unit,
            reason=told.get(name, unclear).reason,
        )
        for name in known
    ]


def _objectives(run: RunRecord) -> Mapping[str, ObjectiveVerdict]:
    return {f"{drill.name} {objective.name}": objective for drill in run.drills for objective in drill.objectives}


def _values(objective: ObjectiveVerdict) -> list[float]:
    """Every run's value; worse than any where it was never reached, not a number where it could not be told."""
    never = math.nan if objective.above is None else -math.inf if objective.at_least else math.inf
    return [never if value is None else value for value in objective.values]


def _said(finding: Difference) -> str:
    parts: list[str] = [finding.answer]
    if finding.shift is not None:
        sign = "+" if finding.shift >= 0 else "-"
        parts.append(f"{sign}{words.quantity(abs(finding.shift), finding.unit)} in the middle")
    if finding.p is not None:
        parts.append(f"p = {finding.p:.2g}")
    return ", ".join(parts) + (f" ({finding.reason})" if finding.reason else "")


def _figures(run: RunRecord) -> Iterator[tuple[str, Figure]]:
    """Every figure that can be compared, by name."""
    yield "verdict", (None, words.VERDICT_WORDS[run.verdict], "count")
    if run.deploy is not None:
        yield "deploy create", (run.deploy.create_s, words.seconds(run.deploy.create_s), "s")
        yield "deploy resources", (run.deploy.resources, str(run.deploy.resources), "count")
    if run.scenarios is not None:
        yield "scenarios passed", (run.scenarios.passed, str(run.scenarios.passed), "count")
        yield "scenarios failed", (run.scenarios.failed, str(run.scenarios.failed), "count")
    if run.load is not None:
        yield "load rate", (run.load.rps, f"{run.load.rps:.1f}/s", "count")
        yield "load p95", (run.load.p95_ms / 1000, words.milliseconds(run.load.p95_ms), "s")
        yield "load failures", (run.load.failures, str(run.load.failures), "count")
    if run.cost is not None:
        yield from _costs(run.cost)
    for drill in run.drills:
        yield f"{drill.name} verdict", (None, words.VERDICT_WORDS[drill.verdict], "count")
        for objective in drill.objectives:
            yield f"{drill.name} {objective.name}", (objective.measured, words.measured(objective), objective.unit)


def _costs(cost: CostRecord) -> Iterator[tuple[str, Figure]]:
    """The load's bill, meter by meter, where there was a load: two runs differ in it by what was changed."""
    shown = cost.load or cost.run
    part = "load" if cost.load is not None else "run"
    yield f"cost of the {part}", (shown.total, words.money(shown.total), "USD")
    if cost.month is not None:
        yield "cost of a month at this pace", (cost.month.total, words.money(cost.month.total), "USD")
    for line in shown.lines:
        yield f"cost: {line.title}", (line.cost, f"{words.money(line.cost)} for {words.used(line)}", "USD")


def _change(name: str, before: Figure | None, after: Figure | None) -> Change:
    numbers = [side[0] for side in (before, after) if side is not None and side[0] is not None]
    return Change(
        name=name,
        before=before[1] if before else "—",
        after=after[1] if after else "—",
        change=numbers[1] - numbers[0] if len(numbers) == len((before, after)) else None,
        unit=(after or before or (None, "", "count"))[2],
    )


def _signed(change: Change) -> str:
    if change.change is None:
        return ""
    sign = "+" if change.change >= 0 else "-"
    return f"  ({sign}{words.quantity(abs(change.change), change.unit)})"
