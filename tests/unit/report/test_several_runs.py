"""What several runs of a drill say together, on a terminal."""

from rich.console import Console

from harness.measure.figures import DrillRecord, DrillRunFigures, ObjectiveVerdict
from harness.measure.method import Method
from harness.measure.objectives import DrillObjectives
from harness.measure.scripted import Outage, Script, play
from harness.measure.statistics import median, median_interval
from harness.measure.verdict import drill_record, judge
from harness.report import words
from harness.report.run_json import build_run
from harness.report.strips import strip
from harness.report.terminal import render_terminal


def shown(outages_s: list[float]) -> str:
    judgements = [
        judge(
            play(Script(outages=(Outage(start_s=12.0, end_s=12.0 + length_s),))),
            DrillObjectives(rto_s=4.0, lost=0),
            Method(),
        )
        for length_s in outages_s
    ]
    drill = drill_record("zone-loss", "AZ", judgements, method=Method())
    run = build_run(
        id="r", target="embedded", seed=1, started="2026-01-01T00:00:00Z", ended="2026-01-01T00:01:00Z",
        deploy=None, scenarios=None, load=None, drills=[drill], calibration=None, problems=[],
    )  # fmt: skip
    console = Console(width=300)
    with console.capture() as captured:
        console.print(render_terminal(run))
    return captured.get()


def test_runs_that_all_passed_say_how_many_and_what_that_proves() -> None:
    text = shown([1.0, 1.5, 2.0, 1.2, 1.1, 1.3])
    assert "6 of 6 runs passed. Zero misses in 6 runs: with 95 % confidence the miss rate is below 39 %." in text
    assert "median 1.25 s (95 %: 1.00 s to 2.00 s)" in text


def test_a_run_that_missed_is_counted_and_nothing_is_proven() -> None:
    text = shown([1.0, 5.0])
    assert "1 of 2 runs passed." in text
    assert "Zero misses" not in text


def objective(values: list[float | None], limit: float = 4.0, *, at_least: bool = False) -> ObjectiveVerdict:
    known = [value for value in values if value is not None]
    complete = len(known) == len(values)
    return ObjectiveVerdict(
        name="rto", limit=limit, measured=None, verdict="pass", at_least=at_least, values=values,
        median=median(known) if complete else None, median_interval=median_interval(known) if complete else None,
    )  # fmt: skip


def test_each_run_is_a_dot_between_nothing_and_the_worst() -> None:
    picture = strip(objective([0.0, 8.0, 4.0, None]))
    assert picture is not None
    assert [dot.x for dot in picture.dots] == [6.0, 138.0, 72.0, 144.0]
    assert [dot.kind for dot in picture.dots] == ["pass", "fail", "pass", "open"]
    assert (picture.limit, picture.median, picture.interval) == (72.0, None, None)


def test_equal_values_stand_on_each_other_and_the_interval_holds_the_median() -> None:
    picture = strip(objective([1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 2.0]))
    assert picture is not None
    heights = [dot.y for dot in picture.dots[:6]]
    assert heights == sorted(heights, reverse=True)
    assert len(set(heights)) == 4
    low, high = picture.interval or (0.0, 0.0)
    assert low <= (picture.median or 0.0) <= high
    share = strip(objective([0.99, 1.0], 0.98, at_least=True))
    assert share is not None
    assert (share.limit, [dot.x for dot in share.dots]) == (6.0, [72.0, 138.0])


def test_one_run_needs_no_picture() -> None:
    assert strip(objective([1.0])) is None


def test_the_worst_run_is_the_gravest_and_then_the_slowest() -> None:
    def record(*runs: DrillRunFigures) -> DrillRecord:
        return DrillRecord(name="d", disruption="AZ", verdict="fail", runs=list(runs))

    slow = DrillRunFigures(verdict="pass", rto_s=3.0)
    lossy = DrillRunFigures(verdict="fail", rto_s=1.0)
    assert words.worst_run(record(slow, lossy)) == 1
    assert words.worst_run(record(DrillRunFigures(verdict="pass", rto_s=1.0), slow)) == 1
    assert words.worst_run(record(slow, DrillRunFigures(verdict="inconclusive"))) == 1
