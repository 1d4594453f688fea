"""The result of a run on a terminal: the verdict, the objectives, and where the reports are."""

from __future__ import annotations

from pathlib import Path

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from harness.measure.figures import DrillRecord, Verdict
from harness.report import words
from harness.report.run_json import RunRecord

_STYLES: dict[Verdict, str] = {
    "pass": "green",
    "fail": "red",
    "inconclusive": "yellow",
    "not_supported": "dim",
}


def render_terminal(run: RunRecord, folder: Path | None = None) -> RenderableType:
    """What `blackstart run` shows at its end; on no terminal rich prints it as plain lines."""
    parts: list[RenderableType] = [_parts(run)]
    if any(drill.objectives for drill in run.drills):
        parts.append(_objectives(run))
    for drill in run.drills:
        parts.append(_told(f"{drill.name}: {words.drill_sentence(drill)}", drill.verdict))
        if len(drill.runs) > 1:
            parts += [Text(f"  {text}", style="dim") for text in _over_runs(drill)]
    for problem in run.problems:
        where = f"{problem.where}: " if problem.where else ""
        parts.append(Text(f"✗ {where}{problem.what}", style="red"))
        if problem.hint:
            parts.append(Text(f"  → {problem.hint}"))
    if run.calibration is not None:
        parts.append(Text(words.accuracy(run.calibration), style="dim"))
    style = f"bold {_STYLES[run.verdict]}"
    verdict = Text(f"{words.VERDICT_MARKS[run.verdict]} {words.VERDICT_WORDS[run.verdict]}", style=style)
    verdict.append(f"  {words.headline(run)}", style="default not bold")
    parts += [Text(""), verdict]
    if folder is not None:
        parts.append(Text(f"  report: {folder / 'report.html'}", style="dim", no_wrap=True, overflow="ignore"))
    return Group(*parts)


def _objectives(run: RunRecord) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim", title_justify="left")
    for head in ("drill", "objective"):
        table.add_column(head, no_wrap=head == "drill")
    for head in ("target", "measured"):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for drill in run.drills:
        for number, objective in enumerate(drill.objectives):
            remark = words.remark(objective, drill)
            reason = f" [dim]{escape(remark)}[/]" if remark else ""
            table.add_row(
                escape(drill.name) if number == 0 else "",
                f"{escape(words.title(objective))}{reason}",
                words.limit(objective),
                words.measured(objective),
                _mark(objective.verdict),
            )
    return table


def _over_runs(drill: DrillRecord) -> list[str]:
    """What several runs say together: how many passed, what that proves, and each measured value."""
    passed = sum(run.verdict == "pass" for run in drill.runs)
    told = [f"{passed} of {len(drill.runs)} runs passed. {words.proven(drill)}".rstrip()]
    told += [f"{words.title(one)}: {words.spread(one)}" for one in drill.objectives if len(set(one.values)) > 1]
    return told


def _parts(run: RunRecord) -> Table:
    table = Table.grid(padding=(0, 3, 0, 0))
    if run.deploy is not None:
        table.add_row("[dim]deploy[/]", f"{run.deploy.resources} resources in {words.seconds(run.deploy.create_s)}")
    if run.scenarios is not None:
        s = run.scenarios
        rest = [f"{s.failed} failed"] if s.failed else []
        rest += [f"{s.skipped} skipped"] if s.skipped else []
        rest += [f"{s.not_supported} not supported here"] if s.not_supported else []
        table.add_row("[dim]scenarios[/]", ", ".join([f"{s.passed} passed", *rest]))
        for name in s.failures:
            table.add_row("", f"[red]✗ {escape(name)}[/]")
    if run.load is not None:
        table.add_row(
            "[dim]load[/]",
            f"{run.load.requests:,} requests, {run.load.failures} failed, {run.load.rps:.0f}/s, "
            f"p95 {words.milliseconds(run.load.p95_ms)}, p99 {words.milliseconds(run.load.p99_ms)}",
        )
        for limit in run.load.limits:
            table.add_row("", Text(words.load_limit(limit), style="green" if limit.held else "red"))
    if run.cost is not None:
        table.add_row("[dim]cost on AWS[/]", escape(words.cost_sentence(run.cost)))
    return table


def _told(sentence: str, verdict: Verdict) -> Text:
    return Text(f"{words.VERDICT_MARKS[verdict]} {sentence}", style=_STYLES[verdict])


def _mark(verdict: Verdict) -> str:
    return f"[{_STYLES[verdict]}]{words.VERDICT_MARKS[verdict]} {words.VERDICT_WORDS[verdict]}[/]"
