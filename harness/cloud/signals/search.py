"""SEARCH in metric math: the metrics that a search expression finds. Pure.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from harness.cloud.signals.metric_math import MathError
from harness.cloud.signals.queries import Query
from harness.cloud.signals.series import MetricId
from harness.cloud.signals.statistics import is_statistic

MOST_FOUND = 500
Test = Callable[[MetricId], bool]

_CALL = re.compile(
    r"SEARCH\(\s*(?:'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\")\s*,\s*['\"]([\w.]+)['\"]\s*(?:,\s*(\d+)\s*)?\)"
)
_TOKEN = re.compile(r'\s*([()]|"[^"]*"|[^\s()"=]+(?:=(?:"[^"]*"|[^\s()"]+))?)')
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def expanded(queries: Sequence[Query], metrics: Iterable[MetricId], *, period_s: int) -> list[Query]:
    """The queries with each SEARCH replaced by what it finds.

    An expression that is a SEARCH alone becomes one query a metric, all under its id; inside an expression what is
    found stand as a list, and are queries not shown. `period_s` is for searches that name none.

    Raises:
        MathError: a search expression cannot be read.
    """
    known, done = list(metrics), []
    for query in queries:
        whole = _CALL.fullmatch(query.expression.strip())
        if whole is not None:
            done += [
                replace(one, id=query.id, return_data=query.return_data) for one in _found(whole, known, period_s)
            ]
            continue
        hidden: list[Query] = []

        def listed(match: re.Match[str], hidden: list[Query] = hidden, prefix: str = query.id) -> str:
            first = len(hidden)
            for number, one in enumerate(_found(match, known, period_s), first):
                hidden.append(replace(one, id=f"_{prefix}_{number}", return_data=False))
            return f"[{', '.join(one.id for one in hidden[first:])}]"

        done += [replace(query, expression=_CALL.sub(listed, query.expression)), *hidden]
    return done


def _found(call: re.Match[str], metrics: Sequence[MetricId], period_s: int) -> list[Query]:
    text, statistic, period = call[1] or call[2], call[3], int(call[4] or period_s)
    if not is_statistic(statistic):
        raise MathError(f"SEARCH: the statistic {statistic} is not supported here")
    test = compile_search(text)
    found = sorted(metric for metric in metrics if test(metric))[:MOST_FOUND]
    return [
        Query(id="", label=_label(metric), metric=metric, statistic=statistic, period_s=period) for metric in found
    ]


def _label(metric: MetricId) -> str:
    return " ".join([*(value for _, value in metric.dimensions), metric.name])


def compile_search(text: str) -> Test:
    """Which metrics a search expression takes.

    Raises:
        MathError: it cannot be read.
    """
    schema, rest = None, text.strip()
    if rest.startswith("{"):
        inside, mark, rest = rest[1:].partition("}")
        if not mark:
            raise MathError(f"SEARCH: the }} is missing in {text!r}")
        schema = [part.strip().strip('"') for part in inside.split(",")]
    tokens = _TOKEN.findall(rest)
    if "".join(tokens).replace(" ", "") != rest.replace(" ", ""):
        raise MathError(f"SEARCH: {rest!r} cannot be read")
    terms = _Terms(tokens).either() if tokens else (lambda _metric: True)
    if schema is None:
        return terms
    namespace, dimensions = schema[0], sorted(schema[1:])
    return lambda metric: (
        metric.namespace == namespace and [name for name, _ in metric.dimensions] == dimensions and terms(metric)
    )


class _Terms:
    """`a b OR (c AND NOT d)`: terms beside each other must all match."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self._tokens, self._at = tokens, 0

    def either(self) -> Test:
        tests = [self._both()]
        while self._take("OR"):
            tests.append(self._both())
        return lambda metric: any(test(metric) for test in tests)

    def _both(self) -> Test:
        tests = [self._one()]
        while self._at < len(self._tokens) and self._tokens[self._at] not in {"OR", ")"}:
            self._take("AND")
            tests.append(self._one())
        return lambda metric: all(test(metric) for test in tests)

    def _one(self) -> Test:
        if self._take("NOT"):
            test = self._one()
            return lambda metric: not test(metric)
        if self._take("("):
            test = self.either()
            if not self._take(")"):
                raise MathError("SEARCH: a ) is missing")
            return test
        if self._at == len(self._tokens):
            raise MathError("SEARCH: a term is missing at the end")
        self._at += 1
        name, mark, value = self._tokens[self._at - 1].partition("=")
        return _property(name, value) if mark else lambda metric: any(_takes(name, text) for text in _texts(metric))

    def _take(self, word: str) -> bool:
        found = self._at < len(self._tokens) and self._tokens[self._at] == word
        self._at += found
        return found


def _property(name: str, value: str) -> Test:
    if name == "MetricName":
        return lambda metric: _takes(value, metric.name)
    if name == "Namespace":
        return lambda metric: _takes(value, metric.namespace)
    if name.startswith(":aws"):
        raise MathError(f"SEARCH: {name} is not supported here")
    return lambda metric: any(key == name and _takes(value, text) for key, text in metric.dimensions)


def _takes(wanted: str, text: str) -> bool:
    """A term in quotes takes the text as it is; a bare one takes it by its words."""
    if wanted.startswith('"'):
        return text == wanted.strip('"')
    words = {word.lower() for word in _WORDS.findall(text)}
    return wanted.lower() == text.lower() or {word.lower() for word in _WORDS.findall(wanted)} <= words


def _texts(metric: MetricId) -> list[str]:
    return [metric.namespace, metric.name, *(part for pair in metric.dimensions for part in pair)]
