"""A drill: run as often as asked, each run judged by its finished journal. See `drill_run.py` for what a run is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from chaos.drill_file import Drill
from chaos.drill_run import DrillRun, Tell
from chaos.failover.standby import Standby, put_up
from chaos.repeats import Repeats
from chaos.stores import NEEDS
from harness.errors import BlackstartError
from harness.load.workload import check_operations, check_placeholders
from harness.measure.figures import DrillRecord, worst
from harness.measure.journal import JournalWriter, journal_path, read_journal
from harness.measure.verdict import RunJudgement, drill_record, judge, not_supported_record
from harness.stack import RunningStack
from harness.target import Target


def run_drill(
    stack: RunningStack,
    drill: Drill,
    repeats: Repeats,
    *,
    folder: Path,
    on_event: Tell = lambda _text: None,
    on_run: Tell = lambda _text: None,
) -> DrillRecord:
    """Run a drill as often as asked, with derived seeds; every fault is healed when this returns or raises.

    A run that could not be made ends it: the record has the runs before it, says why, and is no pass.

    Args:
        stack: what is drilled.
        drill: the drill.
        repeats: how often, and from which seed.
        folder: where the journals go.
        on_event: is told what happens right now.
        on_run: is told of each run of several what it found.

    Raises:
        ConfigError: the workload asks for outputs that the stack does not have.
        BlackstartError: the cloud stopped answering.
        KeyboardInterrupt: Ctrl-C, after healing.
    """
    lacking = _not_supported(stack, drill)
    if lacking:
        return not_supported_record(drill.name, drill.disruption, title=drill.title, reason=lacking)
    if drill.standby is None:
        _check(stack, drill)
    judgements: list[RunJudgement] = []
    for number in range(1, repeats.runs + 1):
        at = f"run {number} of {repeats.runs}: " if repeats.runs > 1 else ""
        path = journal_path(folder, drill.name, number)
        try:
            with JournalWriter(path) as writer:
                tell = _prefixed(at, on_event)
                standby = _standby(stack, drill, folder / f"standby-{drill.name}-{number}", tell)
                ready = stack if standby is None else standby.stack
                DrillRun(ready, drill, repeats, number, folder, writer, tell, standby).run()
        except BlackstartError as error:
            if not judgements:
                raise
            return _broken_off(drill, judgements, f"{at}{error}")
        judgements.append(
            judge(read_journal(path), drill.objectives, drill.method, not_supported=_unseen(stack.target))
        )
        if at:
            on_run(at + _in_short(judgements[-1]))
    return drill_record(drill.name, drill.disruption, judgements, method=drill.method, title=drill.title)


def _check(stack: RunningStack, drill: Drill) -> None:
    check_operations(list(drill.operations), stack.outputs, where=str(drill.path))
    check_placeholders(drill.role, stack.outputs, where=f"{drill.path} experiment.role")


def _standby(stack: RunningStack, drill: Drill, folder: Path, tell: Tell) -> Standby | None:
    """The standby that the drill asks for, up; what it sends is checked against both stacks' outputs."""
    if drill.standby is None:
        return None
    check_placeholders(drill.standby.region, stack.outputs, where=f"{drill.path} standby.region")
    for key, value in drill.standby.config.items():
        check_placeholders(value, stack.outputs, where=f"{drill.path} standby.config {key}")
    made = put_up(stack, drill.standby, beside=drill.path.parent, folder=folder, tell=tell)
    try:
        _check(made.stack, drill)
    except BlackstartError:
        made.take_down()
        raise
    return made


def _prefixed(at: str, tell: Tell) -> Tell:
    return lambda text: tell(at + text)


def _broken_off(drill: Drill, judgements: Sequence[RunJudgement], reason: str) -> DrillRecord:
    """What the runs before a broken one found: a miss stays a miss, and everything else is open."""
    record = drill_record(
        drill.name, drill.disruption, judgements, method=drill.method, title=drill.title, reason=reason
    )
    verdict = worst([record.verdict, "inconclusive"])
    return msgspec.structs.replace(record, verdict=verdict, miss_rate_bound=None)


def _in_short(judgement: RunJudgement) -> str:
    """One run in a line: verdict, RTO, and the first reason where it did not pass."""
    figures = judgement.figures
    rto = "" if figures.rto_s is None else f", RTO {figures.rto_s:.2f} s"
    why = next(
        (f"{o.name}: {o.reason or 'missed'}" for o in judgement.objectives if o.verdict == judgement.verdict), ""
    )
    return f"{judgement.verdict}{rto}" + ("" if judgement.verdict == "pass" or not why else f" ({why})")


def _not_supported(stack: RunningStack, drill: Drill) -> str:
    """Why this target cannot run the drill, by the name of what it lacks; '' when it can."""
    lacking = sorted({NEEDS[store] for store in drill.stores if store in NEEDS} - stack.target.capabilities)
    if lacking:
        return f"target {stack.target.kind} has no {', '.join(lacking)}"
    pages = stack.target.client("fis").get_paginator("list_actions").paginate()
    able = {action["id"] for page in pages for action in page["actions"]}
    wanted = {action.get("actionId", "") for action in drill.template["actions"].values()}
    missing = sorted(wanted - able)
    return f"target {stack.target.kind} has no action {', '.join(missing)}" if missing else ""


def _unseen(target: Target) -> frozenset[str]:
    """Objectives that nobody can judge there: only a gate of ours sees the calls that everybody makes."""
    return frozenset() if target.control_url else frozenset({"static_stability"})
