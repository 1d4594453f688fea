"""A tuning's table follows from REPORT lines: what is counted, what is left out, which sizes are chosen."""

import xml.etree.ElementTree as ET

import pytest

from harness.cloud.functions.logs import Usage, report_line
from harness.errors import UsageError
from harness.measure.costs.prices import price_list
from harness.measure.costs.tuning import Invoked, TuningRow, read_report, row_of, tuning_of
from harness.report.tuning import notes, plot
from harness.tuning import SIZES_MB, TuningOrder, check, parse_sizes


def row(memory_mb: int, *times_ms: float, error: str = "") -> TuningRow:
    invoked = [Invoked(duration_ms=ms, billed_ms=int(ms), used_mb=50) for ms in times_ms]
    invoked += [Invoked(duration_ms=1.0, billed_ms=1, used_mb=128, error=error)] if error else []
    return row_of(memory_mb, invoked, price_list(), cpu_share=memory_mb / 1769, held=memory_mb < 1769)


def test_the_platforms_own_line_is_read() -> None:
    line = report_line("id", Usage(duration_s=0.1234, memory_mb=512, peak_bytes=60 << 20))
    assert read_report(f"START\n{line}\n") == Invoked(duration_ms=123.4, billed_ms=124, used_mb=60)
    assert read_report("START\nEND\n") is None


def test_a_million_of_200_ms_at_512_mb_cost_what_aws_says() -> None:
    assert row(512, 200.0, 200.0).cost == pytest.approx((16.6667 + 2.00) / 10, abs=1e-4)


def test_the_median_is_told_with_its_extremes() -> None:
    found = row(128, 10.0, 30.0, 20.0)
    assert (found.median_ms, found.fastest_ms, found.slowest_ms, found.used_mb) == (20.0, 10.0, 30.0, 50)


def test_the_cheapest_the_fastest_and_the_balanced_size() -> None:
    rows = [row(128, 1000.0), row(512, 240.0), row(1024, 200.0)]
    made = tuning_of("f", rows, price_list(), cpu_is_scaled=True)
    assert (made.cheapest_mb, made.balanced_mb, made.fastest_mb) == (512, 512, 1024)


def test_a_size_at_which_it_fails_is_told_and_never_chosen() -> None:
    dead = row(128, error="Runtime.ExitError")
    half = row(256, 1.0, error="Runtime.ExitError")
    made = tuning_of("f", [dead, half, row(512, 100.0)], price_list(), cpu_is_scaled=True)
    assert (dead.cost, dead.error, half.failed) == (None, "Runtime.ExitError", 1)
    assert {made.cheapest_mb, made.fastest_mb, made.balanced_mb} == {512}
    assert tuning_of("f", [dead], price_list(), cpu_is_scaled=True).fastest_mb is None


@pytest.mark.parametrize("rows", [[], [row(128, 5.0)], [row(128, error="x")], [row(128, 9.0), row(1769, 1.0)]])
def test_the_plot_is_well_formed_whatever_there_is_to_show(rows: list[TuningRow]) -> None:
    made = tuning_of("a<b>&", rows, price_list(), cpu_is_scaled=True)
    ET.fromstring(plot(made))  # noqa: S314 - our own text


def test_what_the_figures_mean_is_said() -> None:
    scaled, unscaled = (
        " ".join(notes(tuning_of("f", [], price_list(), cpu_is_scaled=scaled))) for scaled in (True, False)
    )
    assert "held to the share" in scaled
    assert "NOT scaled" in unscaled


@pytest.mark.parametrize(
    "order",
    [
        TuningOrder(function="f", sizes_mb=(64,)),
        TuningOrder(function="f", sizes_mb=(20_000,)),
        TuningOrder(function="f", invocations=0),
        TuningOrder(function="f", payload=b"{"),
    ],
)
def test_an_order_that_cannot_be_is_refused(order: TuningOrder) -> None:
    with pytest.raises(UsageError):
        check(order)


def test_sizes_are_sorted_and_told_apart() -> None:
    assert parse_sizes("512,128, 512") == (128, 512)
    assert parse_sizes("") == SIZES_MB
    with pytest.raises(UsageError):
        parse_sizes("big")
