"""A query's commands over rows, one after the other. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from harness.cloud.logs.insights.expressions import Evaluate, Row, compiled, fields_of
from harness.cloud.logs.insights.functions import number, text
from harness.cloud.logs.insights.grouping import Grouping
from harness.cloud.logs.insights.syntax import Command, Named, Node, QueryError, read_query

MOST_ROWS = 10_000
MOST_STATS = 2
_DEFAULT_COLUMNS = ("@timestamp", "@message")

Stage = Callable[[Iterable[Row]], Iterable[Row]]


@dataclass(slots=True)
class Query:
    """A query ready to run. `fields`: what it reads of an event. `columns`: what it shows of a row."""

    stages: list[Stage] = field(default_factory=list)
    fields: set[str] = field(default_factory=set)
    columns: list[str] = field(default_factory=list)
    of_events: bool = True  # each row is an event: it has an @ptr
    matched: int = 0  # rows that passed the filters, once it ran
    any_order: bool = False  # rows may come in any order: they are counted, not shown

    def run(self, rows: Iterable[Row], limit: int = MOST_ROWS) -> list[Row]:
        """The resulting rows, `limit` at the most; `rows` come newest first."""
        for stage in self.stages:
            rows = stage(rows)
        return list(itertools.islice(rows, min(limit, MOST_ROWS)))

    def shown(self, row: Row) -> list[tuple[str, str]]:
        """The columns of a row that it has a value for, as text."""
        return [(name, text(row[name])) for name in self.columns if row.get(name) is not None]


def prepare(query_text: str) -> Query:
    """Read and compile a query.

    Raises:
        QueryError: with its place in the text.
    """
    query = _Preparation()
    commands = read_query(query_text)
    for command in commands:
        query.add(command)
    return query.finished()


class _Preparation:
    """What is known of the query as its commands are read: which columns there are, and who made them."""

    def __init__(self) -> None:
        self._query = Query()
        self._made: set[str] = set()  # by parse, fields and stats: not to be looked for in the event
        self._displayed: list[str] = []
        self._stats_seen = 0
        self._ordered = False  # a command before looked at the order of rows
        self._filters: list[Stage] = []

    def add(self, command: Command) -> None:
        read = (
            *(named.node for named in (*command.columns, *command.by)),
            *((command.test,) if command.test else ()),
        )
        self._query.fields |= {name for node in read for name in fields_of(node) if name not in self._made}
        self._ordered |= command.kind in {"limit", "tail", "dedup", "sort"}
        getattr(self, f"_{command.kind}")(command)

    def finished(self) -> Query:
        query = self._query
        query.columns = self._displayed or query.columns or list(_DEFAULT_COLUMNS)
        if query.of_events:
            query.columns = [*(name for name in query.columns if name != "@ptr"), "@ptr"]
            query.fields |= {name for name in query.columns if name not in self._made}
        query.stages.insert(len(self._filters), self._count_matches)
        return query

    def _count_matches(self, rows: Iterable[Row]) -> Iterator[Row]:
        matched = 0
        try:
            for row in rows:
                matched += 1
                yield row
        finally:
            self._query.matched = matched

    def _compiled(self, node: Node) -> Evaluate:
        return compiled(node, self._made)

    def _fields(self, command: Command) -> None:
        self._query.columns += [named.name for named in command.columns if named.name not in self._query.columns]
        self._computed(command)

    def _display(self, command: Command) -> None:
        self._displayed = [named.name for named in command.columns]
        self._computed(command)

    def _computed(self, command: Command) -> None:
        made = [(named.name, self._compiled(named.node)) for named in command.columns if _is_computed(named)]
        self._made |= {name for name, _ in made}

        def compute(rows: Iterable[Row]) -> Iterator[Row]:
            for row in rows:
                for name, evaluate in made:
                    row[name] = evaluate(row)
                yield row

        if made:
            self._query.stages.append(compute)

    def _filter(self, command: Command) -> None:
        if command.test is None:
            return
        test = self._compiled(command.test)

        def keep(rows: Iterable[Row]) -> Iterable[Row]:
            return filter(test, rows)

        if len(self._filters) == len(self._query.stages):
            self._filters.append(keep)
        self._query.stages.append(keep)

    def _parse(self, command: Command) -> None:
        if command.test is None or command.pattern is None:
            return
        source, search, names = self._compiled(command.test), command.pattern.search, command.names
        self._made |= set(names)
        positions = [command.pattern.groupindex.get(name, at + 1) for at, name in enumerate(names)]

        def parse(rows: Iterable[Row]) -> Iterator[Row]:
            for row in rows:
                value = source(row)
                match = None if value is None else search(text(value))
                if match is not None:
                    for name, position in zip(names, positions, strict=True):
                        row[name] = match[position]
                yield row

        self._query.stages.append(parse)

    def _sort(self, command: Command) -> None:
        keys = [self._compiled(named.node) for named in command.columns]

        def sort(rows: Iterable[Row]) -> Iterable[Row]:
            found = list(rows)
            for key, descending in reversed(list(zip(keys, command.descending, strict=True))):
                found.sort(key=lambda row, key=key: _order(key(row)), reverse=descending)  # type: ignore[misc] # bound
            return found

        self._query.stages.append(sort)

    def _limit(self, command: Command) -> None:
        if not 1 <= command.count <= MOST_ROWS:
            raise QueryError(f"limit is 1 to {MOST_ROWS}", command.at, command.at + 5)
        self._query.stages.append(lambda rows: itertools.islice(rows, command.count))

    def _tail(self, command: Command) -> None:
        self._query.stages.append(lambda rows: list(rows)[-command.count :])

    def _dedup(self, command: Command) -> None:
        keys = [self._compiled(named.node) for named in command.columns]

        def dedup(rows: Iterable[Row]) -> Iterator[Row]:
            seen: set[tuple[str, ...]] = set()
            for row in rows:
                values = [key(row) for key in keys]
                key = tuple(map(text, values))
                if None in values or key not in seen:
                    seen.add(key)
                    yield row

        self._query.stages.append(dedup)

    def _stats(self, command: Command) -> None:
        self._stats_seen += 1
        if self._stats_seen > MOST_STATS:
            raise QueryError(f"at most {MOST_STATS} stats commands in a query", command.at, command.at + 5)
        grouping = Grouping.of(command, self._made)
        if self._stats_seen == 1:
            self._query.any_order = not grouping.timed and not self._ordered
            self._query.fields |= {"@timestamp"} if grouping.timed else set()
        self._query.stages.append(grouping.rows)
        self._query.columns = [named.name for named in (*command.by, *command.columns)]
        self._made, self._displayed = set(self._query.columns), []
        self._query.of_events = False


def _is_computed(named: Named) -> bool:
    return named.node.kind != "field" or named.name != named.node.value


def _order(value: Any) -> tuple[int, Any]:
    """Missing values last in ascending order's beginning, numbers before strings."""
    found = number(value)
    if found is not None:
        return 1, found
    return (0, 0) if value is None else (2, text(value))
