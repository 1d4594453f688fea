"""What several runs of a drill say together, on a terminal."""

from rich.console import Console

from harness.measure.method import Method
from harness.measure.objectives import DrillObjectives
from harness.measure.scripted import Outage, Script, play
from harness.measure.verdict import drill_record, judge
from harness.report.run_json import build_run
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
