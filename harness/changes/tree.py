"""The diff of a deployment as people know it from Pulumi: a tree, a sign for each resource, the changes of each.

    pulumi:pulumi:Stack shop-dev
~   ├─ aws:sqs:Queue orders                 update
    │    ~ delaySeconds: 1 => 2
+-  └─ aws:sns:Topic news                   replace: name
         ~ name: "one" => "two"  (replaces)
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rich.text import Text

from harness.changes.property_lines import PropertyLine, property_lines
from harness.changes.record import COLOURS, SIGNS, kind_of, summary
from harness.deploy.api import StepEvent

_GUTTER = 5  # the sign's column and the space behind it
_LONGEST = 2_000  # characters of one value; a page of it says no more


@dataclass(slots=True)
class Node:
    """One resource in the tree; `event` is None for a parent that nothing was told about."""

    urn: str
    event: StepEvent | None = None
    children: list[Node] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """What happens to it."""
        return "same" if self.event is None else kind_of(self.event)

    @property
    def told(self) -> bool:
        """True when there is something to show of it, or below it."""
        failed = self.event is not None and self.event.status == "failed"
        return self.kind != "same" or failed or any(child.told for child in self.children)

    @property
    def label(self) -> str:
        """`aws:sqs:Queue orders`."""
        _, _, kind, name = self.urn.split("::", 3)
        return f"{short_type(kind.rsplit('$', 1)[-1])} {name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How wide a line may be (0: as wide as it is), and whether creations and deletions list their properties."""

    width: int = 0
    detailed: bool = False
    planned: bool = True


def change_tree(events: Sequence[StepEvent], layout: Layout, *, of: Sequence[StepEvent] | None = None) -> Text:
    """The tree of `events`, and the summary of `of`, or of the same."""
    text = Text()
    for root in _roots(events):
        _write(text, root, layout)
    for line in _not_compared(events, layout):
        text.append(line + "\n", "dim")
    if text:
        text.append("\n")
    text.append("Resources:\n", "bold")
    for kind, line in summary(events if of is None else of, planned=layout.planned):
        text.append(f"  {line}\n", COLOURS.get(kind, ""))
    text.rstrip()
    return text


def short_type(token: str) -> str:
    """A type as people say it: `aws:sqs:Queue` of `aws:sqs/queue:Queue`."""
    package, module, name = [*token.split(":", 2), "", ""][:3]
    module = module.split("/", 1)[0]
    return ":".join(part for part in (package, module, name) if part)


def _roots(events: Sequence[StepEvent]) -> list[Node]:
    nodes = {event.urn: Node(event.urn, event) for event in events}
    roots: list[Node] = []
    for event in events:
        node = nodes[event.urn]
        if not event.parent:
            roots.append(node)
            continue
        parent = nodes.get(event.parent)
        if parent is None:
            parent = nodes[event.parent] = Node(event.parent)
            roots.append(parent)
        parent.children.append(node)
    return [root for root in sorted(roots, key=_order) if root.told]


def _order(node: Node) -> tuple[bool, str]:
    leaf = node.event is not None and node.event.custom and not node.children
    return leaf, node.urn.split("::", 2)[2]


def _write(text: Text, node: Node, layout: Layout, guides: str = "", below: str = "") -> None:
    """One resource, its changes, and what is below it."""
    _write_head(text, node, layout, guides)
    children = [child for child in sorted(node.children, key=_order) if child.told]
    margin = below + ("│  " if children else "   ")
    if node.event is not None:
        for line in _lines_of(node.event, layout):
            _write_property(text, line, layout, margin)
    for child in children:
        last = child is children[-1]
        _write(text, child, layout, below + ("└─ " if last else "├─ "), below + ("   " if last else "│  "))


def _write_head(text: Text, node: Node, layout: Layout, guides: str) -> None:
    colour, event = COLOURS.get(node.kind, ""), node.event
    words, style = _words(node), colour
    if event is not None and event.status == "failed":
        words, style = f"{event.op} failed: {event.message}", "bold red"
    left = f"{guides}{node.label}"
    text.append(f" {SIGNS.get(node.kind, ''):2}  ", f"bold {colour}".strip())
    text.append(guides, "dim")
    text.append(node.label, colour)
    if words:
        column = 44 if not layout.width else max(24, min(48, layout.width - 30))
        room = layout.width - _GUTTER - max(len(left), column) - 2 if layout.width else len(words)
        text.append(" " * max(2, column - len(left)))
        text.append(words if len(words) <= room or room < 12 else words[: room - 1] + "…", style)
    text.append("\n")


def _words(node: Node) -> str:
    event = node.event
    if event is None or node.kind == "same":
        return ""
    if event.reasons:
        return f"{node.kind}: {', '.join(event.reasons)}"
    if event.message and node.kind in {"delete", "import"}:
        return event.message if node.kind == "import" else f"delete: {event.message}"
    return "drifted" if node.kind == "drift" else node.kind


def _lines_of(event: StepEvent, layout: Layout) -> Iterator[PropertyLine]:
    if event.status == "failed":
        return
    whole = kind_of(event) in {"create", "delete"}
    if whole and not layout.detailed:
        return
    for change in event.changes:
        yield from property_lines(change)


def _write_property(text: Text, line: PropertyLine, layout: Layout, margin: str) -> None:
    """One property, folded under its own beginning where the terminal is narrow."""
    colour = {"+": "green", "-": "red", "~": "yellow"}[line.sign]
    pad = " " * _GUTTER
    room = max(20, layout.width - _GUTTER - len(margin) - 2) if layout.width else 0
    said = line.text if len(line.text) <= _LONGEST else f"{line.text[:_LONGEST]}… ({len(line.text)} characters)"
    parts = [said]
    if room and len(said) > room:
        sides = [f"{mark} {side}" for mark, side in (("-", line.old), ("+", line.new)) if side]
        parts = [f"{line.path}:" + ("  (replaces)" if line.replaces else "")]
        for side in sides if len(sides) > 1 else [sides[0][2:]]:
            parts += _folded(side[:_LONGEST], room - 2)
    for number, part in enumerate(parts):
        text.append(pad)
        text.append(margin, "dim")
        text.append(f"{line.sign if number == 0 else ' '} ", colour)
        text.append(part + "\n", colour if number == 0 else "")


def _folded(side: str, room: int) -> list[str]:
    lines = textwrap.wrap(side, room, subsequent_indent="    ", break_on_hyphens=False, drop_whitespace=False)
    return [f"  {line}" for line in lines] or ["  "]


def _not_compared(events: Sequence[StepEvent], layout: Layout) -> Iterator[str]:
    """What a refresh could not look at, so that silence is not taken for sameness."""
    unknown = [(event, event.unknown) for event in events if event.unknown]
    if not unknown:
        return
    yield "\nnot compared, since AWS does not tell them or is not asked:"
    for event, names in unknown:
        line = f"  {short_type(event.type)} {event.name}: {', '.join(names)}"
        yield from textwrap.wrap(line, layout.width, subsequent_indent="      ") if layout.width else [line]
