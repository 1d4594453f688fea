"""A tuned function on a terminal of 80 columns: no figure is cut, and what failed is said below."""

from io import StringIO

from rich.console import Console

from harness.measure.costs.tuning import Tuning, TuningRow
from harness.report.tuning import plot, render_tuning


def test_no_figure_is_cut_on_eighty_columns() -> None:
    good = TuningRow(
        memory_mb=10240, cpu_share=5.79, held=False, invocations=5, failed=0,
        median_ms=1100.0, fastest_ms=1000.0, slowest_ms=12000.0, used_mb=1234, cost=1234.5,
    )  # fmt: skip
    bad = TuningRow(memory_mb=128, cpu_share=0.07, held=True, invocations=5, failed=5, error="KeyError: 'speed'")
    tuning = Tuning(function="f", prices_of="2025-07", rows=[bad, good], cheapest_mb=10240)
    file = StringIO()
    Console(file=file, width=80).print(render_tuning(tuning))
    said = file.getvalue()
    assert "…" not in said
    assert "128 MB: 5 of 5 failed: KeyError: 'speed'" in said
    assert "10,240 MB: cheapest" in said
    assert plot(tuning).count('stroke="#e5e7eb"') == 5
