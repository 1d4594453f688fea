"""One order's journey for people: a tree on the terminal, and a picture (SVG, one file, no script)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from harness.measure.traces import Edge, Journey, Span, place_of, source_place
from harness.report import words

_WIDTH: Final = 1180
_ROW, _NAMES, _TOP = 26, 400, 96
_BOX, _BOX_H, _GAP_X, _GAP_Y = 176, 50, 44, 22
_BAD, _INK, _FAINT, _LINE = "#dc2626", "#0f172a", "#64748b", "#cbd5e1"
_COLOURS: Final[Mapping[str, str]] = {
    "Lambda": "#ea580c", "DynamoDB": "#2563eb", "Events": "#db2777", "SQS": "#be185d", "SNS": "#e11d48",
    "S3": "#16a34a", "StepFunctions": "#c026d3", "ApiGateway": "#7c3aed", "Kinesis": "#6d28d9",
}  # fmt: skip
"""By service, near to the colours of AWS's own icons; an error has a mark beside its red."""

_JOINS: Final = {"": "", "link": "linked", "annotation": "joined by the id"}
_STATES: Final = {
    "ok": "",
    "in progress": "under way",
    "error": "✗ error",
    "throttle": "✗ throttled",
    "fault": "✗ fault",
}


def render_journey(found: Journey) -> RenderableType:
    """The tree: what ran, from when, how long, where, and what went wrong."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for head in ("at", "took", "zone"):
        table.add_column(head, justify="left" if head == "zone" else "right", no_wrap=True)
    table.add_column("", overflow="fold")
    for prefix, span in _with_branches(found.spans):
        bad = _wrong(span)
        told = "   ".join(part for part in (bad, _joined(span)) if part)
        what = Text(prefix, style="dim") + Text(span.name) + Text(f"  {_kind(span)}  ", style="dim")
        table.add_row(
            words.milliseconds(1000 * (span.start_s - found.start_s)),
            words.milliseconds(1000 * span.took_s),
            span.zone,
            what + Text(told, style="red" if bad else "dim"),
        )
    return Group(Text(headline(found), style="bold"), Text(""), table)


def headline(found: Journey) -> str:
    """The journey in a line."""
    services = len({place_of(span) for span in found.spans if span.kind != "subsegment"})
    wrong = f", {len(found.failed)} failed" if found.failed else ""
    many = "trace" if len(found.traces) == 1 else "linked traces"
    took = words.milliseconds(1000 * (found.end_s - found.start_s))
    return f"{found.key}: {services} services in {len(found.traces)} {many}, {took}{wrong}"


def picture(found: Journey) -> str:
    """An SVG: the time line, and below it the map of services."""
    spans = list(_with_branches(found.spans))
    map_top = _TOP + _ROW * len(spans) + 70
    drawn, height = _map(found, map_top)
    began = datetime.fromtimestamp(found.start_s, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}"'
        ' font-family="system-ui, sans-serif" font-size="12">'
        f"<title>{escape(headline(found))}</title>"
        '<defs><marker id="to" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        f'<path d="M0 0L8 4L0 8z" fill="{_FAINT}"/></marker></defs>'
        f'<rect width="100%" height="100%" fill="#fff"/>{_text(24, 34, headline(found), size=18, weight=600)}'
        f"{_text(24, 56, f'from {began} UTC', fill=_FAINT)}"
        f"{_axis(found, len(spans))}{''.join(_bar(found, n, *one) for n, one in enumerate(spans))}"
        f"{_text(24, map_top - 16, 'Services', size=15, weight=600)}{drawn}</svg>\n"
    )


def _axis(found: Journey, rows: int) -> str:
    whole_s, room = max(found.end_s - found.start_s, 1e-6), _WIDTH - _NAMES - 110
    lines = []
    for part in range(5):
        x = _NAMES + room * part / 4
        at = words.milliseconds(1000 * whole_s * part / 4)
        lines.append(f'<path d="M{x:.1f} {_TOP - 8}V{_TOP + _ROW * rows}" stroke="{_LINE}" stroke-dasharray="2 4"/>')
        lines.append(_text(x, _TOP - 14, at, fill=_FAINT, anchor="middle"))
    return "".join(lines)


def _bar(found: Journey, row: int, prefix: str, span: Span) -> str:
    """A row: the branch, the name, the bar with its time, zone and error."""
    whole_s, room = max(found.end_s - found.start_s, 1e-6), _WIDTH - _NAMES - 110
    x, y = _NAMES + room * (span.start_s - found.start_s) / whole_s, _TOP + _ROW * row
    wide = max(room * span.took_s / whole_s, 3.0)
    bad = span.state not in {"ok", "in progress"}
    colour = _BAD if bad else _colour(span)
    parts = [words.milliseconds(1000 * span.took_s), *(one for one in (span.zone, _STATES[span.state]) if one)]
    told = " · ".join([*parts, *([_joined(span)] if _joined(span) else [])])
    tip = escape(f"{span.name} {span.kind} {told} {span.error}".strip())
    if x + wide + 8 + 6.2 * len(told) >= _WIDTH:
        told = " · ".join(parts)
    inset = 24 + 16 * span.depth
    label = _cut(span.name, (_NAMES - inset - 20) / 7 - len(span.kind) * 0.85 - 2)
    fits = x + wide + 8 + 6.2 * len(told) < _WIDTH
    aside = (x + wide + 8, "start") if fits else (x - 8, "end")
    return (
        f'<g><title>{tip}</title><rect x="{x:.1f}" y="{y + 5}" width="{wide:.1f}" height="{_ROW - 10}" rx="3"'
        f' fill="{colour}" opacity="{1 if span.kind != "subsegment" else 0.5}"/>'
        f'<text x="{inset}" y="{y + 17}" fill="{_INK}">{"└ " if prefix else ""}{escape(label)}'
        f'<tspan fill="{_FAINT}" font-size="11" dx="8">{escape(_kind(span))}</tspan></text>'
        f"{_text(aside[0], y + 17, told, fill=_BAD if bad else _FAINT, anchor=aside[1])}</g>"
    )


def _map(found: Journey, top: float) -> tuple[str, float]:
    """Boxes from left to right in the order of calls, and arrows between them; and where the picture ends."""
    spans = [span for span in found.spans if span.kind != "subsegment"]
    columns = _columns(spans)
    places: dict[tuple[str, str], tuple[float, float]] = {}
    rows: dict[int, int] = {}
    for node, column in columns.items():
        row = rows.get(column, 0)
        rows[column] = row + 1
        places[node] = (24 + column * (_BOX + _GAP_X), top + row * (_BOX_H + _GAP_Y))
    last = max(columns.values(), default=0)
    scale = min(1.0, (_WIDTH - 48) / (last * (_BOX + _GAP_X) + _BOX))
    arrows = "".join(_arrow(places, edge) for edge in found.edges)
    boxes = "".join(_box(place, node, [s for s in spans if place_of(s) == node]) for node, place in places.items())
    drawn = f'<g transform="translate(24 {top}) scale({scale:.3f}) translate(-24 {-top})">{arrows}{boxes}</g>'
    return drawn, top + scale * max(rows.values(), default=1) * (_BOX_H + _GAP_Y) + 24


def _columns(spans: Sequence[Span]) -> dict[tuple[str, str], int]:
    """How many calls deep each service first stands; between a batch and its caller stands the queue or stream."""
    known = {span.id: span for span in spans}
    columns: dict[tuple[str, str], int] = {}
    for span in spans:
        caller = known.get(span.caller)
        column = columns[place_of(caller)] + 1 if caller is not None else 0
        through = source_place(span)
        if through is not None:
            column = columns.setdefault(through, column) + 1
        columns.setdefault(place_of(span), column)
    return columns


def _box(at: tuple[float, float], node: tuple[str, str], spans: Sequence[Span]) -> str:
    x, y = at
    bad = any(span.state not in {"ok", "in progress"} for span in spans)
    took = words.milliseconds(1000 * sum(span.took_s for span in spans))
    zones = ", ".join(sorted({span.zone for span in spans if span.zone}))
    told = " · ".join(part for part in (node[1], took if spans else "", zones) if part)
    colour = _BAD if bad else _COLOURS.get(node[1], _FAINT)
    return (
        f'<rect x="{x}" y="{y}" width="{_BOX}" height="{_BOX_H}" rx="8" fill="#fff" stroke="{colour}"/>'
        f'<rect x="{x}" y="{y}" width="6" height="{_BOX_H}" rx="3" fill="{colour}"/>'
        f"{_text(x + 16, y + 21, ('✗ ' if bad else '') + _cut(node[0], 17), weight=600)}"
        f"{_text(x + 16, y + 39, _cut(told, 26), fill=_FAINT, size=11)}"
    )


def _arrow(places: Mapping[tuple[str, str], tuple[float, float]], edge: Edge) -> str:
    source, target = places[edge.between[0]], places[edge.between[1]]
    x1, y1 = source[0] + _BOX, source[1] + _BOX_H / 2
    x2, y2 = target[0], target[1] + _BOX_H / 2
    dashed = ' stroke-dasharray="5 4"' if edge.join else ""
    bend = max((x2 - x1) / 2, 20)
    return (
        f'<path d="M{x1} {y1}C{x1 + bend} {y1} {x2 - bend} {y2} {x2 - 2} {y2}" fill="none" stroke="{_FAINT}"'
        f'{dashed} marker-end="url(#to)"/>'
    )


def _joined(span: Span) -> str:
    """How a trace came to what it stands below, and from where."""
    through = source_place(span)
    told = f"from {through[0]}" if through else ""
    return ", ".join(part for part in (told, _JOINS[span.join]) if part)


def _wrong(span: Span) -> str:
    told = _STATES[span.state]
    return f"{told}: {span.error}" if told and span.error else told


def _kind(span: Span) -> str:
    return "" if span.kind == "subsegment" else span.kind


def _with_branches(spans: Sequence[Span]) -> list[tuple[str, Span]]:
    """Each span with the lines of a tree before its name."""
    found = []
    for n, span in enumerate(spans):
        prefix = ""
        for depth in range(1, span.depth + 1):
            after = next((one.depth for one in spans[n + 1 :] if one.depth <= depth), 0)
            more = after == depth
            prefix += ("├ " if more else "└ ") if depth == span.depth else ("│ " if more else "  ")
        found.append((prefix, span))
    return found


def _colour(span: Span) -> str:
    return _COLOURS.get(place_of(span)[1], _FAINT)


def _cut(text: str, most: float) -> str:
    """A name that is too long loses its middle: its end tells it from others."""
    room = max(int(most), 8)
    return text if len(text) <= room else f"{text[: room // 2 - 1]}…{text[-(room - room // 2) :]}"


def _text(
    x: float, y: float, text: str, *, fill: str = _INK, size: int = 12, weight: int = 400, anchor: str = "start"
) -> str:
    look = f'font-size="{size}" font-weight="{weight}" text-anchor="{anchor}" fill="{fill}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {look}>{escape(text)}</text>'
