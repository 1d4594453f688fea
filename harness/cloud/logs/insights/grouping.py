"""`stats … by …`: rows into groups, groups into rows. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from harness.cloud.logs.insights.aggregates import MAKERS, Aggregate
from harness.cloud.logs.insights.expressions import AGGREGATIONS, Evaluate, Row, compiled
from harness.cloud.logs.insights.functions import Instant, text
from harness.cloud.logs.insights.syntax import Command, Node, QueryError

MOST_GROUPS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """One `stats` command. `timed`: it asks for the earliest or latest, so it needs the time of each row."""

    keys: tuple[tuple[str, Evaluate], ...]
    makers: tuple[tuple[str, Callable[[], Aggregate]], ...]
    columns: tuple[tuple[str, Evaluate], ...]
    timed: bool

    @classmethod
    def of(cls, command: Command, made: Collection[str]) -> Grouping:
        """Compile a command; `made` are the columns that earlier commands made.

        Raises:
            QueryError: a column without an aggregation, or a wrong one.
        """
        nodes: dict[str, Node] = {}
        for named in command.columns:
            found = list(_aggregations(named.node))
            if not found:
                raise QueryError(f"stats: {named.node.text} is no aggregation", named.node.at, named.node.at + 1)
            nodes |= {node.text: node for node in found}
        return cls(
            keys=tuple((named.name, compiled(named.node, made)) for named in command.by),
            makers=tuple((name, _maker(node, made)) for name, node in nodes.items()),
            columns=tuple((named.name, compiled(named.node, nodes)) for named in command.columns),
            timed=any(str(node.value).lower() in {"earliest", "latest"} for node in nodes.values()),
        )

    def rows(self, rows: Iterable[Row]) -> Iterator[Row]:
        """One row a group; groups of a time come latest first."""
        groups = self._groups(rows)
        if self.keys and groups and isinstance(next(iter(groups))[0], Instant):
            groups = dict(sorted(groups.items(), key=lambda entry: entry[0][0] or 0, reverse=True))
        for key, aggregates in groups.items():
            results = {name: one.result() for (name, _), one in zip(self.makers, aggregates, strict=True)}
            row = {name: value for (name, _), value in zip(self.keys, key, strict=True)}
            yield row | {name: evaluate(results) for name, evaluate in self.columns}

    def _groups(self, rows: Iterable[Row]) -> dict[tuple[Any, ...], list[Aggregate]]:
        key_of = self._key_of()
        groups: dict[Any, list[Aggregate]] = {}
        adders: dict[Any, tuple[Callable[[Row], None], ...]] = {}
        makers = [make for _, make in self.makers]
        for row in rows:
            key = key_of(row)
            found = adders.get(key)
            if found is None:
                if len(groups) == MOST_GROUPS:
                    break
                aggregates = groups[key] = [make() for make in makers]
                found = adders[key] = tuple(one.add for one in aggregates)
            for add in found:
                add(row)
        if not groups and not self.keys:
            groups[()] = [make() for make in makers]
        return {key if isinstance(key, tuple) else (key,): found for key, found in groups.items()}

    def _key_of(self) -> Callable[[Row], Any]:
        evaluates = [evaluate for _, evaluate in self.keys]
        if len(evaluates) == 1:
            only = evaluates[0]
            return lambda row: _hashable(only(row))
        return lambda row: tuple([_hashable(evaluate(row)) for evaluate in evaluates])


def _hashable(value: Any) -> Any:
    return text(value) if value.__class__ is list or value.__class__ is dict else value


def _aggregations(node: Node) -> Iterator[Node]:
    if node.kind == "call" and str(node.value).lower() in AGGREGATIONS:
        yield node
        return
    for part in node.parts:
        yield from _aggregations(part)


def _maker(node: Node, made: Collection[str]) -> Callable[[], Aggregate]:
    make, fewest, most = MAKERS[str(node.value).lower()]
    parts = [part for part in node.parts if part.kind != "everything"]
    if len(parts) < len(node.parts) and fewest:
        raise QueryError(f"{node.value}(*) is no aggregation", node.at, node.at + len(node.text))
    if not fewest <= len(parts) <= most:
        raise QueryError(f"{node.value} does not take {len(parts)} arguments", node.at, node.at + len(node.text))
    arguments = [compiled(part, made) for part in parts]
    return lambda: make(*arguments)
