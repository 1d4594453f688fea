"""junit.xml, summary.md, the terminal and the difference of two runs."""

import io
from xml.etree.ElementTree import fromstring

import msgspec
import pytest
from rich.console import Console

from harness.measure.figures import DrillRunFigures, ObjectiveVerdict
from harness.measure.method import Method
from harness.measure.objectives import DrillObjectives
from harness.measure.scripted import Outage, Script, play
from harness.measure.verdict import drill_record, judge
from harness.report import words
from harness.report.diff import diff_runs
from harness.report.junit import merge_junit
from harness.report.markdown import render_markdown
from harness.report.run_json import RunRecord, build_run
from harness.report.terminal import render_terminal


def _cases(finished) -> dict[str, str]:
    root = fromstring(merge_junit(finished.run, finished.folder / "logs" / "scenarios.xml"))  # noqa: S314 - our own
    outcomes = {}
    for case in root.iter("testcase"):
        kinds = [child.tag for child in case] or ["passed"]
        outcomes[f"{case.get('classname')}::{case.get('name')}"] = kinds[0]
    return outcomes


def test_junit_has_a_case_for_each_scenario_and_each_objective(red) -> None:
    told = _cases(red)
    assert told["scenarios.test_orders::test_happy_path"] == "passed"
    assert told["scenarios.test_orders::test_poison"] == "failure"
    assert told["scenarios.test_web::test_web"] == "skipped"
    assert told["drills.zone-loss::rto"] == "failure"
    assert told["drills.zone-loss::duplicates"] == "passed"
    assert told["drills.zone-loss::rollback"] == "passed"
    assert told["drills.lambda-errors::rto"] == "error"
    assert told["drills.gray::drill"] == "skipped"
    assert told["run::not_ready"] == "error"


def test_junit_counts_what_it_holds(red) -> None:
    root = fromstring(merge_junit(red.run, red.folder / "logs" / "scenarios.xml"))  # noqa: S314 - our own
    for tag, key in (("testcase", "tests"), ("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        assert int(root.get(key)) == len(list(root.iter(tag)))


def test_junit_without_scenarios_has_the_drills(green) -> None:
    assert set(_cases(green).values()) == {"passed"}


def test_a_dirty_rollback_is_a_failed_case(green) -> None:
    drill = green.run.drills[0]
    dirty = msgspec.structs.replace(drill.runs[0], rollback="dirty", left=["rule r-1"])
    run = msgspec.structs.replace(green.run, drills=[msgspec.structs.replace(drill, runs=[dirty])])
    assert 'message="the rollback left behind: rule r-1"' in merge_junit(run, green.folder / "none.xml")


def test_the_summary_says_verdict_target_and_measured(green) -> None:
    text = render_markdown(green.run)
    assert text.startswith("# ✓ PASS: 8 scenarios passed, 5 objectives met in 1 drill.")
    assert "| zone-loss | RTO | ≤ 5 s | 3.00 s | ✓ PASS |" in text
    assert "| zone-loss | Availability | ≥ 90 % | 92.50 % | ✓ PASS |" in text
    assert "2.98 … 3.00 s" in text


def test_the_summary_of_a_red_run_says_why(red) -> None:
    text = render_markdown(red.run)
    assert "✗ FAIL" in text.splitlines()[0]
    assert "| zone-loss | RTO | ≤ 5 s | 7.00 s | ✗ FAIL |" in text
    assert "lambda-errors: INCONCLUSIVE. The fault never fired" in text
    assert "gray: NOT SUPPORTED" in text
    assert "`scenarios.test_orders::test_poison`" in text


def test_hostile_text_cannot_break_the_summary(red) -> None:
    assert "<script>" not in render_markdown(red.run)


def _printed(run, folder=None) -> str:
    output = io.StringIO()
    Console(file=output, width=120).print(render_terminal(run, folder))
    return output.getvalue()


def test_the_terminal_ends_with_the_verdict_and_the_report(green) -> None:
    lines = [line.rstrip() for line in _printed(green.run, green.folder).splitlines()]
    assert lines[-2] == "✓ PASS  8 scenarios passed, 5 objectives met in 1 drill."
    assert lines[-1].endswith("report.html")
    assert any("RTO" in line and "≤ 5 s" in line and "3.00 s" in line and "PASS" in line for line in lines)


def test_the_terminal_names_what_failed(red) -> None:
    text = _printed(red.run)
    for told in ("✗ FAIL", "? INCONCLUSIVE", "gray: blackstart:az:interrupt-power", "locust did not start", "→ see"):
        assert told in text


def test_a_difference_lists_only_what_moved(green) -> None:
    drill = green.run.drills[0]
    moved = [msgspec.structs.replace(o, measured=4.5) if o.name == "rto" else o for o in drill.objectives]
    after = msgspec.structs.replace(
        green.run, id="later", drills=[msgspec.structs.replace(drill, objectives=moved)], load=None
    )
    difference = diff_runs(green.run, after)
    told = {change.name: (change.before, change.after, change.change) for change in difference.changes}
    assert told["zone-loss rto"] == ("3.00 s", "4.50 s", pytest.approx(1.5))
    assert told["load rate"] == ("40.0/s", "—", None)
    assert "verdict" not in told
    assert "zone-loss rto  3.00 s → 4.50 s  (+1.50 s)" in " ".join(difference.text().split("\n")).replace("   ", " ")
    assert diff_runs(green.run, green.run).changes == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 s"),
        (0.25, "250 ms"),
        (0.9996, "1.00 s"),
        (3.0, "3.00 s"),
        (9.996, "10.0 s"),
        (12.53, "12.5 s"),
        (119.97, "2 min 0 s"),
        (179.7, "3 min 0 s"),
        (250.0, "4 min 10 s"),
    ],
)
def test_seconds_for_people(value, text) -> None:
    assert words.seconds(value) == text


def test_a_share_never_rounds_up_to_all() -> None:
    assert words.share(0.99999) == "99.99 %"
    assert words.share(1.0) == "100.00 %"
    assert words.share(0.925) == "92.50 %"


def test_what_is_not_known_is_not_a_number() -> None:
    open_ = ObjectiveVerdict(name="rto", limit=30.0, measured=None, verdict="fail", above=60.0)
    assert words.measured(open_) == "> 60.0 s"
    assert words.measured(msgspec.structs.replace(open_, above=None)) == "—"
    assert words.rto(DrillRunFigures(rto_at_least_s=60.0, felt=True)) == "> 60.0 s"
    assert words.rto(DrillRunFigures(rto_s=0.0, felt=False)) == "not felt"


def runs_of(ends_s: list[float], run_id: str) -> RunRecord:
    judged = [
        judge(
            play(Script(outages=(Outage(start_s=12.0, end_s=end_s),))), DrillObjectives(rto_s=5.0, lost=0), Method()
        )
        for end_s in ends_s
    ]
    drill = drill_record("zone-loss", "AZ", judged, method=Method())
    return build_run(id=run_id, target="embedded", seed=1, started="s", ended="e", drills=[drill])


def test_a_difference_says_whether_the_stacks_really_differ() -> None:
    fast, slow = [13.0, 13.1, 13.2, 13.3], [15.0, 15.1, 15.2, 15.3]
    told = diff_runs(runs_of(fast, "a"), runs_of(slow, "b")).text()
    assert "zone-loss rto  differs, +2.00 s in the middle, p = 0.029" in told
    assert "zone-loss lost" not in told  # the same in every run: nothing to compare
    told = diff_runs(runs_of(fast[:1], "a"), runs_of(slow[:1], "b")).text()
    assert "cannot tell, +2.00 s in the middle (1 and 1 runs are too few: 4 and 4 are the least)" in told
    told = diff_runs(runs_of(fast, "a"), runs_of([13.1, 13.2, 13.3, 13.0], "b")).text()
    assert "no difference shown" in told


def test_a_run_that_never_recovered_is_worse_than_any_other() -> None:
    told = diff_runs(runs_of([13.0, 13.1, 13.2, 13.3], "a"), runs_of([40.0] * 4, "b"))
    assert [(d.name, d.answer, d.shift) for d in told.findings] == [("zone-loss rto", "differs", None)]


def test_the_error_of_the_harness_stands_beside_its_figures(green) -> None:
    told = "Measurement error ±17 ms, from 2 known outages of 400 ms at 50 requests a second"
    assert told in render_markdown(green.run)
    console = Console(width=400, file=io.StringIO())
    console.print(render_terminal(green.run))
    assert told in console.file.getvalue()


def test_a_miss_shows_the_keys_behind_it_and_runs_without_a_miss_what_they_prove(red, green) -> None:
    assert "- zone-loss: lost `order-00590` at 11.8" in render_markdown(red.run)
    assert "Zero misses in 1 run: with 95 % confidence the miss rate is below 95 %." in render_markdown(green.run)


def test_a_doubt_about_one_objective_does_not_hide_another_that_was_missed() -> None:
    script = Script(outages=(Outage(start_s=12.0, end_s=19.0),))
    objectives = DrillObjectives(rto_s=5.0, detect_s=5.0)  # and no alarm that could have told
    drill = drill_record("d", "AZ", [judge(play(script), objectives, Method())], method=Method())
    assert {o.name: o.verdict for o in drill.objectives} == {"rto": "fail", "detect": "inconclusive"}
    assert drill.runs[0].doubts
    assert words.drill_sentence(drill).startswith("Missed: rto. ")
    open_only = drill_record(
        "d", "AZ", [judge(play(script), DrillObjectives(detect_s=5.0), Method())], method=Method()
    )
    assert drill.runs[0].doubts[0][1:] in words.drill_sentence(open_only)
