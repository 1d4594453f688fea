"""Closures over rows from expressions: one call a node, chosen once a query. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

from harness.cloud.logs.insights.functions import SCALARS, bin_of, number, text
from harness.cloud.logs.insights.syntax import Node, QueryError

AGGREGATIONS = frozenset({
    "avg", "count", "count_distinct", "earliest", "latest", "max", "min", "pct", "sortsfirst", "sortslast", "stddev",
    "sum",
})  # fmt: skip
"""What `stats` alone may call; `aggregates` has them."""

Row = dict[str, Any]
Evaluate = Callable[[Row], Any]

_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "%": lambda a, b: a % b,
    "^": lambda a, b: a**b,
}
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def compiled(node: Node, columns: Collection[str] = ()) -> Evaluate:
    """What computes the expression from a row. A sub-expression that is one of `columns` is looked up there.

    Raises:
        QueryError: an unknown function, a wrong number of arguments, an aggregation where there is none.
    """
    if node.text in columns:
        name = node.text
        return lambda row: row.get(name)
    if node.kind == "field":
        name = node.value
        return lambda row: row.get(name)
    if node.kind in {"literal", "duration"}:
        constant = node.value
        return lambda _row: constant
    if node.kind == "call":
        return _call(node, columns)
    return _operation(node, [compiled(part, columns) for part in node.parts])


def _operation(node: Node, parts: list[Evaluate]) -> Evaluate:
    kind, first = node.kind, parts[0]
    if kind == "like":
        search = node.value.search
        return lambda row: (value := first(row)) is not None and search(text(value)) is not None
    if kind == "not":
        return lambda row: not first(row)
    if kind == "negative":
        return lambda row: None if (value := number(first(row))) is None else -value
    if kind == "in":
        return _membership(first, parts[1:])
    second = parts[1]
    if kind == "and":
        return lambda row: bool(first(row)) and bool(second(row))
    if kind == "or":
        return lambda row: bool(first(row)) or bool(second(row))
    if kind in {"=", "!="}:
        return _equality(node, first, second)
    return _ordering(_ORDER[kind], first, second) if kind in _ORDER else _arithmetic(_ARITHMETIC[kind], first, second)


def _equality(node: Node, first: Evaluate, second: Evaluate) -> Evaluate:
    """`=` or `!=`. A missing field is equal to nothing and different from nothing."""
    wanted = node.kind == "="
    literal = node.parts[1].value if node.parts[1].kind == "literal" else None
    if isinstance(literal, str):
        return lambda row: (value := first(row)) is not None and (text(value) == literal) is wanted

    def compare(row: Row) -> bool:
        left, right = first(row), second(row)
        if left is None or right is None:
            return False
        return (left == right or _same(left, right)) is wanted

    return compare


def _same(left: Any, right: Any) -> bool:
    one, other = number(left), number(right)
    return one == other if one is not None and other is not None else text(left) == text(right)


def _ordering(compare: Callable[[Any, Any], bool], first: Evaluate, second: Evaluate) -> Evaluate:
    def ordered(row: Row) -> bool:
        left, right = first(row), second(row)
        one, other = number(left), number(right)
        if one is not None and other is not None:
            return compare(one, other)
        return isinstance(left, str) and isinstance(right, str) and compare(left, right)

    return ordered


def _arithmetic(compute: Callable[[Any, Any], Any], first: Evaluate, second: Evaluate) -> Evaluate:
    def computed(row: Row) -> Any:
        one, other = number(first(row)), number(second(row))
        if one is None or other is None:
            return None
        try:
            return compute(one, other)
        except (ZeroDivisionError, OverflowError):
            return None

    return computed


def _membership(first: Evaluate, others: list[Evaluate]) -> Evaluate:
    def member(row: Row) -> bool:
        value = first(row)
        return value is not None and any(_same(value, found) for other in others if (found := other(row)) is not None)

    return member


def _call(node: Node, columns: Collection[str]) -> Evaluate:
    name = str(node.value).lower()
    end = node.at + len(str(node.value))
    if name == "bin":
        return _bin(node)
    if name in AGGREGATIONS:
        raise QueryError(f"{node.value} is an aggregation: it belongs in stats", node.at, end)
    if name not in SCALARS:
        raise QueryError(f"the function {node.value} is unknown or not supported here", node.at, end)
    function, fewest, most = SCALARS[name]
    if not fewest <= len(node.parts) <= most:
        raise QueryError(f"{node.value} does not take {len(node.parts)} arguments", node.at, end)
    arguments = [compiled(part, columns) for part in node.parts]
    if len(arguments) == 1:
        only = arguments[0]
        return lambda row: function(only(row))
    return lambda row: function(*[argument(row) for argument in arguments])


def _bin(node: Node) -> Evaluate:
    if len(node.parts) != 1 or node.parts[0].kind != "duration":
        raise QueryError("bin takes a period such as 5m", node.at, node.at + 3)
    begin = bin_of(node.parts[0].value)
    return lambda row: begin(row.get("@timestamp"))


def fields_of(node: Node) -> Iterator[str]:
    """The names of fields that an expression reads."""
    if node.kind == "field":
        yield node.value
    if node.kind == "call" and str(node.value).lower() == "bin":
        yield "@timestamp"
    for part in node.parts:
        yield from fields_of(part)
