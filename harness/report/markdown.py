"""`summary.md`: the run in one screen, for a pull request or a job summary."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.measure.figures import DrillRecord
from harness.measure.finding import Finding
from harness.report import words
from harness.report.coverage import Row, coverage, services
from harness.report.run_json import RunRecord
from harness.report.scenarios import Case

_MOST_FOUND = 5
"""Keys of evidence told for each run; run.json has more of them."""


def render_markdown(run: RunRecord, cases: Sequence[Case] = ()) -> str:
    """The summary; `cases` are the scenarios."""
    verdict = f"{words.VERDICT_MARKS[run.verdict]} {words.VERDICT_WORDS[run.verdict]}"
    lines = [
        f"# {verdict}: {_plain(words.headline(run))}",
        "",
        f"Run `{run.id}` on target `{run.target}`, seed {run.seed}, {run.started}. Exit code {run.exit_code}.",
        "",
        *_problems(run),
        *_objectives(run.drills),
        *_drills(run.drills),
        *_failovers(run.drills),
        *_cost(run),
        *_other_parts(run),
        *_timings(run),
        *_coverage(cases),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _problems(run: RunRecord) -> list[str]:
    lines = [
        f"- **{_plain(f'{p.where}: {p.what}' if p.where else p.what)}**" + (f" {_plain(p.hint)}" if p.hint else "")
        for p in run.problems
    ]
    return ["## Problems", "", *lines, ""] if lines else []


def _objectives(drills: Sequence[DrillRecord]) -> list[str]:
    rows = [
        (
            drill.name,
            words.title(objective) + (f" ({remark})" if (remark := words.remark(objective, drill)) else ""),
            words.limit(objective),
            words.measured(objective),
            f"{words.VERDICT_MARKS[objective.verdict]} {words.VERDICT_WORDS[objective.verdict]}",
        )
        for drill in drills
        for objective in drill.objectives
    ]
    return _table("Objectives", ("drill", "objective", "target", "measured", "verdict"), rows)


def _drills(drills: Sequence[DrillRecord]) -> list[str]:
    rows = [
        (
            f"{drill.name} {number}" if len(drill.runs) > 1 else drill.name,
            words.rto(run),
            words.interval(run.rto_interval_s),
            words.seconds(run.rpo_s) if run.rpo_s is not None else "—",
            f"{run.acked:,}",
            str(run.lost),
            str(run.duplicate),
            str(run.unknown),
            words.share(run.availability) if run.availability is not None else "—",
            f"{run.fired:,}",
            run.rollback,
        )
        for drill in drills
        for number, run in enumerate(drill.runs, 1)
    ]
    heads = ("drill", "RTO", "between", "RPO", "acked", "lost", "duplicate", "unknown", "availability", "fired")
    lines = _table("Drills", (*heads, "rollback"), rows)
    told = [
        f"- {drill.name}: {words.VERDICT_WORDS[drill.verdict]}. {_plain(words.drill_sentence(drill))}"
        for drill in drills
        if drill.verdict != "pass"
    ]
    told += [f"- {drill.name}: {proof}" for drill in drills if (proof := words.proven(drill))]
    told += [
        f"- {drill.name}: {found.kind} `{_plain(found.key)}`{_at(found)}: {_plain(found.detail)}"
        for drill in drills
        for run in drill.runs
        for found in run.findings[:_MOST_FOUND]
    ]
    return [*lines, *told, ""] if told else lines


def _failovers(drills: Sequence[DrillRecord]) -> list[str]:
    lines = []
    for drill in drills:
        for over in (run.failover for run in drill.runs if run.failover is not None):
            split = words.failover_split(over)
            lines += [f"- {drill.name}: RTO {split or 'not reached'}"]
            lines += [f"    - {_plain(line)}" for line in words.failover_story(over)]
    return ["## Failover", "", *lines, ""] if lines else []


def _cost(run: RunRecord) -> list[str]:
    if run.cost is None:
        return []
    of_load = {line.name: line.cost for line in run.cost.load.lines} if run.cost.load else {}
    rows = [
        (line.title, words.used(line), words.money(line.cost), words.money(of_load.get(line.name, 0.0)))
        for line in run.cost.run.lines
    ]
    lines = _table("Cost on AWS", ("meter", "used", "run", "load"), rows)
    told = [words.cost_sentence(run.cost), f"Not in it: {run.cost.run.left_out}."]
    told += [f"No price is known of: {', '.join(run.cost.run.unpriced)}."] if run.cost.run.unpriced else []
    return [*lines, *(f"{_plain(line)}\n" for line in told)]


def _at(found: Finding) -> str:
    return f" at {found.at_s:.3f} s" if found.at_s is not None else ""


def _other_parts(run: RunRecord) -> list[str]:
    lines = []
    if run.scenarios is not None:
        s = run.scenarios
        lines.append(
            f"- Scenarios: {s.passed} passed, {s.failed} failed, {s.skipped} skipped, "
            f"{s.not_supported} not supported here"
        )
        lines += [f"  - failed: `{name}`" for name in s.failures]
    if run.load is not None:
        load = run.load
        lines.append(
            f"- Load: {load.users} users ({load.shape}), {load.requests:,} requests, {load.failures} failed, "
            f"{load.rps:.1f}/s, p50 {words.milliseconds(load.p50_ms)}, p95 {words.milliseconds(load.p95_ms)}, "
            f"p99 {words.milliseconds(load.p99_ms)}"
        )
        lines += [f"  - {words.load_limit(limit)}" for limit in load.limits]
    if run.deploy is not None:
        again = f", unchanged again in {words.seconds(run.deploy.noop_s)}" if run.deploy.noop_s is not None else ""
        lines.append(
            f"- Deployment: {run.deploy.resources} resources in {words.seconds(run.deploy.create_s)} "
            f"({run.deploy.engine} engine){again}"
        )
    if run.calibration is not None:
        lines.append(f"- {words.accuracy(run.calibration)}")
    if run.machine is not None:
        memory = run.machine.memory_bytes / 2**30
        lines.append(f"- Machine: {run.machine.cpus} cores, {memory:.1f} GiB, {run.machine.system}")
    return ["## Also", "", *lines] if lines else []


def _timings(run: RunRecord) -> list[str]:
    rows = [(one.name, one.value, one.setting, one.source) for one in run.timings]
    table = _table("How long this cloud takes", ("what", "value", "setting", "source"), rows)
    return ["", *table] if table else []


def _coverage(cases: Sequence[Case]) -> list[str]:
    rows = coverage(cases)
    cells = [(s, ", ".join(_suite(row) for row in rows if row.service == s)) for s in services(rows)]
    return ["", *_table("Coverage", ("AWS service", "scenarios (cases, how they ended)"), cells)] if cells else []


def _suite(row: Row) -> str:
    mark = next((mark for verdict, mark in words.VERDICT_MARKS.items() if verdict == row.outcome), "·")
    return f"{mark} {row.suite} ({row.cases}{', not seen' if row.unseen else ''})"


def _table(title: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    body = [f"| {' | '.join(_cell(cell) for cell in row)} |" for row in rows]
    if not body:
        return []
    return [f"## {title}", "", f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}", *body, ""]


def _cell(text: str) -> str:
    return _plain(text).replace("|", "\\|")


def _plain(text: str) -> str:
    """One line that Markdown shows as it is."""
    return " ".join(text.split()).replace("<", "&lt;")
