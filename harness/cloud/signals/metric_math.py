"""CloudWatch metric math: an expression over time series, for GetMetricData and for alarms on several metrics.

Supported: + - * / ^, comparisons, AND OR && ||, IF, ABS, CEIL, FLOOR, AVG, MIN, MAX, SUM, METRICS, FILL, RATE, DIFF,
PERIOD, TIME_SERIES, RUNNING_SUM. Everything else is refused by name.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

from __future__ import annotations

import ast
import itertools
import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

Points: TypeAlias = dict[float, float]
"""One time series: the period's start → its value."""

Value: TypeAlias = "float | Points | list[Points]"


class MathError(ValueError):
    """The expression cannot be evaluated; the message names the part."""


_ARITHMETIC: Final[Mapping[type[ast.operator], Callable[[float, float], float]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: lambda a, b: a / b if b else math.nan,  # a division by zero is a missing data point
    ast.Pow: operator.pow,
}
_COMPARE: Final[Mapping[type[ast.cmpop], Callable[[float, float], bool]]] = {
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_EACH: Final[Mapping[str, Callable[[float], float]]] = {"ABS": abs, "CEIL": math.ceil, "FLOOR": math.floor}


def _average(values: list[float]) -> float:
    return sum(values) / len(values)


_OVER: Final[Mapping[str, Callable[[list[float]], float]]] = {"AVG": _average, "MIN": min, "MAX": max, "SUM": sum}


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """A parsed expression; `uses` are the ids it names."""

    text: str
    tree: ast.expr
    uses: frozenset[str]
    uses_all: bool

    def evaluate(self, series: Mapping[str, Points], *, period_s: int) -> Points:
        """The expression's own time series; `series` by id, `period_s` of the coarsest.

        Raises:
            MathError: an unknown id or function, or a result that is no time series.
        """
        times = sorted({time for points in series.values() for time in points})
        found = _Evaluation(series, times, period_s).value(self.tree)
        if isinstance(found, list):
            raise MathError(f"{self.text} gives several time series where one is wanted")
        if isinstance(found, float):
            found = dict.fromkeys(times, found)
        return {time: value for time, value in found.items() if not math.isnan(value)}


def parse(text: str) -> Expression:
    """The expression.

    Raises:
        MathError: it is none, with the reason.
    """
    prepared = re.sub(r"\bAND\b|&&", " and ", re.sub(r"\bOR\b|\|\|", " or ", text)).replace("^", "**")
    prepared = re.sub(r"(?<![A-Za-z0-9_])IF\s*\(", "IF_(", prepared)
    try:
        tree = ast.parse(prepared.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError) as error:
        raise MathError(f"{text!r} is not an expression: {error}") from error
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in called}
    whole = any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "METRICS"
        for node in ast.walk(tree)
    )
    return Expression(text=text, tree=tree, uses=frozenset(names - {"REPEAT", "LINEAR"}), uses_all=whole)


@dataclass(frozen=True, slots=True)
class _Evaluation:
    series: Mapping[str, Points]
    times: list[float]
    period_s: int

    def value(self, node: ast.expr) -> Value:
        match node:
            case ast.Constant(value=bool() | int() | float() as number):
                return float(number)
            case ast.Name(id=name):
                return self._named(name)
            case ast.List(elts=parts):
                return [self._points(part) for part in parts]
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                return _each(self.value(inner), operator.neg)
            case ast.BinOp(left=left, op=kind, right=right) if type(kind) in _ARITHMETIC:
                return _pairwise(self.value(left), self.value(right), _ARITHMETIC[type(kind)])
            case ast.Compare(left=left, ops=[kind], comparators=[right]) if type(kind) in _COMPARE:
                test = _COMPARE[type(kind)]
                return _pairwise(self.value(left), self.value(right), lambda a, b: float(test(a, b)))
            case ast.BoolOp(op=kind, values=parts):
                return self._logic(kind, parts)
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self._call(name, arguments)
        raise MathError(f"{ast.unparse(node)} is not supported in metric math here")

    def _named(self, name: str) -> Points:
        if name not in self.series:
            raise MathError(f"no metric or expression with id {name!r}")
        return self.series[name]

    def _logic(self, kind: ast.boolop, parts: list[ast.expr]) -> Value:
        every = isinstance(kind, ast.And)
        found = self.value(parts[0])
        for part in parts[1:]:
            found = _pairwise(
                found, self.value(part), lambda a, b: float(bool(a) and bool(b) if every else bool(a) or bool(b))
            )
        return found

    def _call(self, name: str, arguments: list[ast.expr]) -> Value:
        if name in _EACH and len(arguments) == 1:
            return _each(self.value(arguments[0]), _EACH[name])
        if name in _OVER and len(arguments) == 1:
            return self._over(self.value(arguments[0]), _OVER[name])
        special: dict[str, Callable[[list[ast.expr]], Value]] = {
            "METRICS": self._metrics,
            "IF_": self._if,
            "FILL": self._fill,
            "RATE": lambda given: self._differences(given, per_second=True),
            "DIFF": lambda given: self._differences(given, per_second=False),
            "PERIOD": lambda given: float(self.period_s) if given else math.nan,
            "TIME_SERIES": lambda given: dict.fromkeys(self.times, self._number(given[0])),
            "RUNNING_SUM": self._running_sum,
        }
        if name not in special:
            raise MathError(f"the function {name} is not supported here; supported: {_functions()}")
        try:
            return special[name](arguments)
        except IndexError:
            raise MathError(f"{name.rstrip('_')} needs more arguments") from None

    def _metrics(self, given: list[ast.expr]) -> list[Points]:
        """Every series, or those whose id contains the text."""
        part = ""
        if given:
            if not (isinstance(given[0], ast.Constant) and isinstance(given[0].value, str)):
                raise MathError("METRICS takes a text in quotes")
            part = given[0].value
        return [points for name, points in self.series.items() if part in name]

    def _if(self, given: list[ast.expr]) -> Value:
        test, then = self.value(given[0]), self.value(given[1])
        otherwise: Value = self.value(given[2]) if len(given) > 2 else math.nan
        if isinstance(test, float):
            return then if test else otherwise
        if isinstance(test, list) or isinstance(then, list) or isinstance(otherwise, list):
            raise MathError("IF takes single time series")
        chosen: Points = {}
        for time, yes in test.items():
            side = then if yes else otherwise
            chosen[time] = side if isinstance(side, float) else side.get(time, math.nan)
        return chosen

    def _fill(self, given: list[ast.expr]) -> Points:
        points = self._points(given[0])
        if isinstance(given[1], ast.Name) and given[1].id == "REPEAT":
            filled, last = {}, math.nan
            for time in self.times:
                last = points.get(time, last)
                filled[time] = last
            return filled
        value = self.value(given[1])
        return {t: points.get(t, value if isinstance(value, float) else math.nan) for t in self.times}

    def _differences(self, given: list[ast.expr], *, per_second: bool) -> Points:
        ordered = sorted(self._points(given[0]).items())
        return {
            time: (value - before) / ((time - earlier) if per_second else 1.0)
            for (earlier, before), (time, value) in itertools.pairwise(ordered)
        }

    def _running_sum(self, given: list[ast.expr]) -> Points:
        total, found = 0.0, {}
        for time, value in sorted(self._points(given[0]).items()):
            total += value
            found[time] = total
        return found

    def _over(self, given: Value, function: Callable[[list[float]], float]) -> Value:
        """Over time for one series (a number), over series at each time for several (a series)."""
        if isinstance(given, float):
            return given
        if isinstance(given, dict):
            return function(list(given.values())) if given else math.nan
        columns: dict[float, list[float]] = {}
        for points in given:
            for time, value in points.items():
                columns.setdefault(time, []).append(value)
        return {time: function(values) for time, values in sorted(columns.items())}

    def _points(self, node: ast.expr) -> Points:
        found = self.value(node)
        if isinstance(found, float):
            return dict.fromkeys(self.times, found)
        if isinstance(found, list):
            raise MathError(f"{ast.unparse(node)} is several time series")
        return found

    def _number(self, node: ast.expr) -> float:
        found = self.value(node)
        if not isinstance(found, float):
            raise MathError(f"{ast.unparse(node)} is no number")
        return found


def _each(given: Value, function: Callable[[float], float]) -> Value:
    if isinstance(given, float):
        return float(function(given))
    if isinstance(given, list):
        return [{time: float(function(value)) for time, value in points.items()} for points in given]
    return {time: float(function(value)) for time, value in given.items()}


def _pairwise(left: Value, right: Value, function: Callable[[float, float], float]) -> Value:
    """Value by value; times that one side lacks are missing in the result."""
    if isinstance(left, list):
        return [_one(_pairwise(points, right, function)) for points in left]
    if isinstance(right, list):
        return [_one(_pairwise(left, points, function)) for points in right]
    if isinstance(left, float) and isinstance(right, float):
        return float(function(left, right))
    if isinstance(left, float):
        return {time: float(function(left, value)) for time, value in _one(right).items()}
    if isinstance(right, float):
        return {time: float(function(value, right)) for time, value in left.items()}
    return {time: float(function(value, right[time])) for time, value in left.items() if time in right}


def _one(value: Value) -> Points:
    if not isinstance(value, dict):
        raise MathError("a time series is expected")
    return value


def _functions() -> str:
    return ", ".join(
        sorted({*_EACH, *_OVER, "METRICS", "IF", "FILL", "RATE", "DIFF", "PERIOD", "TIME_SERIES", "RUNNING_SUM"})
    )
