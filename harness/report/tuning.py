"""A tuned function for people: the table, and a plot of time and cost over memory (SVG, one file, no script)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from harness.measure.costs.tuning import Tuning, TuningRow
from harness.report import words

_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM = 720, 380, 70, 50, 310
_TIME, _COST = "#2563eb", "#b45309"


def render_tuning(tuning: Tuning) -> RenderableType:
    """The table, the sizes to choose from, and what the figures mean."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for head in ("memory", "vCPU", "median", "fastest", "slowest", "used", "cost of 1 M"):
        table.add_column(head, justify="right", no_wrap=True)
    for row in tuning.rows:
        table.add_row(*_cells(row))
    marks = [f"{row.memory_mb:,} MB: {said}" for row in tuning.rows if (said := _marks(tuning, row))]
    return Group(table, Text("\n".join(["", *marks, ""])), *(Text(note, style="dim") for note in notes(tuning)))


def notes(tuning: Tuning) -> list[str]:
    """What has to be known to read the figures."""
    scaled = (
        "Below 1,769 MB the processes were held to the share of one vCPU that AWS gives for the memory; above it "
        "nothing is held, and more threads gain as far as this machine has cores."
        if tuning.cpu_is_scaled
        else "The CPU was NOT scaled with memory on this system: the times show only what a function waits for."
    )
    return [
        f"Warm invocations; prices of {tuning.prices_of}, x86. {scaled}",
        "The times are of this machine's processor: the shape carries over to AWS, the milliseconds do not.",
    ]


def plot(tuning: Tuning) -> str:
    """An SVG: median time (left axis) and cost of a million invocations (right axis) over memory, each from zero."""
    rows = [row for row in tuning.rows if row.median_ms is not None and row.cost is not None]
    title = escape(f"{tuning.function}: time and cost by memory")
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}"'
        ' font-family="sans-serif" font-size="12">'
        f'<title>{title}</title><rect width="100%" height="100%" fill="#fff"/>'
        f'<text x="{_LEFT}" y="24" font-size="15" fill="#111">{title}</text>'
    )
    if not rows:
        return f'{head}<text x="{_LEFT}" y="60" fill="#111">every invocation failed</text></svg>\n'
    times, costs = [row.median_ms or 0.0 for row in rows], [row.cost or 0.0 for row in rows]
    across = _across([row.memory_mb for row in rows])
    ticks = "".join(
        f'<text x="{x:.1f}" y="{_BOTTOM + 20}" text-anchor="middle" fill="#444">{row.memory_mb:,} MB</text>'
        for x, row in zip(across, rows, strict=True)
    )
    end = _WIDTH - _LEFT
    axes = (
        f'<path d="M{_LEFT} {_TOP}V{_BOTTOM}H{end}V{_TOP}" fill="none" stroke="#999"/>'
        f"{_scale(max(times), max(costs))}"
        f'<text x="{_LEFT}" y="{_HEIGHT - 20}" fill="{_TIME}">● — median time</text>'
        f'<text x="{_LEFT + 120}" y="{_HEIGHT - 20}" fill="{_COST}">● - - cost of a million invocations</text>'
    )
    lines = _line(across, times, _TIME) + _line(across, costs, _COST, ' stroke-dasharray="6 4"')
    return f"{head}{axes}{ticks}{lines}</svg>\n"


def _across(sizes_mb: Sequence[int]) -> list[float]:
    """Places on a logarithmic axis, inside the margins."""
    low, high = math.log(sizes_mb[0]), math.log(sizes_mb[-1])
    left, room = _LEFT + 30, _WIDTH - 2 * _LEFT - 60
    return [left + room * ((math.log(size) - low) / (high - low) if high > low else 0.5) for size in sizes_mb]


def _scale(time_ms: float, cost: float) -> str:
    """Both axes in quarters, from zero to the largest value."""
    lines = []
    for quarter in range(5):
        share, y = quarter / 4, _BOTTOM - (_BOTTOM - _TOP) * quarter / 4
        took, costs = words.milliseconds(time_ms * share), words.money(cost * share)
        lines.append(
            f'<path d="M{_LEFT} {y}H{_WIDTH - _LEFT}" stroke="#e5e7eb"/>'
            f'<text x="{_LEFT - 8}" y="{y + 4}" text-anchor="end" fill="{_TIME}">{took if share else 0}</text>'
            f'<text x="{_WIDTH - _LEFT + 8}" y="{y + 4}" fill="{_COST}">{costs if share else 0}</text>'
        )
    return "".join(lines)


def _line(across: Sequence[float], values: Sequence[float], colour: str, dash: str = "") -> str:
    top = max(values) or 1.0
    points = [(x, _BOTTOM - (_BOTTOM - _TOP) * value / top) for x, value in zip(across, values, strict=True)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>{dots}'


def _cells(row: TuningRow) -> list[str]:
    share = f"{row.cpu_share:.2f}"
    if row.median_ms is None or row.cost is None:
        return [f"{row.memory_mb:,} MB", share, "—", "—", "—", "—", "—"]
    times = [words.milliseconds(value) for value in (row.median_ms, row.fastest_ms or 0.0, row.slowest_ms or 0.0)]
    return [f"{row.memory_mb:,} MB", share, *times, f"{row.used_mb} MB", words.money(row.cost)]


def _marks(tuning: Tuning, row: TuningRow) -> str:
    chosen = {"cheapest": tuning.cheapest_mb, "fastest": tuning.fastest_mb, "balanced": tuning.balanced_mb}
    marks = [name for name, size in chosen.items() if size == row.memory_mb]
    return ", ".join([*marks, *([f"{row.failed} of {row.invocations} failed: {row.error}"] if row.failed else [])])
