"""Compares the figures of two runs: what moved, and whether a verdict did."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from harness.measure.figures import Unit
from harness.report import words
from harness.report.run_json import RunRecord

Figure = tuple[float | None, str, Unit]
"""The number (None for words), what is shown, and the unit."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One figure in both runs; None where a run does not have it. `text` figures have no difference."""

    name: str
    before: str
    after: str
    change: float | None = None
    unit: Unit = "count"


class RunDifference(msgspec.Struct, frozen=True, kw_only=True):
    """The figures that two runs have, those that moved first told as such by `same`."""

    first: str
    second: str
    changes: list[Change]
    same: int

    def text(self) -> str:
        """A line for each figure that moved."""
        head = f"{self.first} → {self.second}: {len(self.changes)} figures moved, {self.same} did not"
        width = max((len(change.name) for change in self.changes), default=0)
        lines = [f"  {c.name:<{width}}  {c.before} → {c.after}{_signed(c)}" for c in self.changes]
        return "\n".join([head, *lines])


def diff_runs(first: RunRecord, second: RunRecord) -> RunDifference:
    """The difference of two runs, figure by figure; one that a run lacks shows as `—`."""
    before, after = dict(_figures(first)), dict(_figures(second))
    names = list(dict.fromkeys([*before, *after]))
    changes = [_change(name, before.get(name), after.get(name)) for name in names]
    moved = [change for change, name in zip(changes, names, strict=True) if before.get(name) != after.get(name)]
    return RunDifference(first=first.id, second=second.id, changes=moved, same=len(changes) - len(moved))


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
    for drill in run.drills:
        yield f"{drill.name} verdict", (None, words.VERDICT_WORDS[drill.verdict], "count")
        for objective in drill.objectives:
            yield f"{drill.name} {objective.name}", (objective.measured, words.measured(objective), objective.unit)


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
