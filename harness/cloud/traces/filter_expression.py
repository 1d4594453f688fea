"""X-Ray's filter expressions: which traces. Pure.

https://docs.aws.amazon.com/xray/latest/devguide/xray-console-filters.html
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable
from typing import Any, Final

from harness.cloud.traces.store import Document, walk
from harness.cloud.traces.summaries import View, end_of

Test = Callable[[View], bool]
SegmentTest = Callable[[Document], bool]

_TOKEN = re.compile(
    r'\s*(?:"((?:[^"\\]|\\.)*)"|([A-Za-z_][\w.]*(?:\[[\w.:-]+\])?)|([+-]?\d+(?:\.\d+)?)|(!=|<=|>=|[=<>!(){},:]))'
)
_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_MATCH: Final[dict[str, Callable[[str, str], bool]]] = {
    "contains": lambda value, part: part in value,
    "beginswith": str.startswith,
    "endswith": str.endswith,
}
_MARKS = {"fault", "error", "throttle"}
_HTTP = {
    "http.url": ("request", "url"),
    "http.method": ("request", "method"),
    "http.useragent": ("request", "user_agent"),
    "http.clientip": ("request", "client_ip"),
    "http.status": ("response", "status"),
}


class FilterError(ValueError):
    """The text is no filter expression that is supported here; says where."""


def compile_filter(text: str) -> Test:
    """Which traces the expression takes; an empty one takes all.

    Raises:
        FilterError: it cannot be read.
    """
    if not text.strip():
        return lambda _view: True
    reader = _Reader(text)
    test = reader.either()
    reader.end()
    return test


class _Reader:
    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        at = 0
        while text[at:].strip():
            match = _TOKEN.match(text, at)
            if match is None:
                raise FilterError(f"Invalid filter expression at {text[at:].strip()!r}")
            kinds = ("string", "word", "number", "sign")
            self._tokens.append(next((k, v) for k, v in zip(kinds, match.groups(), strict=True) if v is not None))
            at = match.end()
        self._at = 0

    def either(self) -> Test:
        """`a OR b`."""
        tests = [self._both()]
        while self._word("or"):
            tests.append(self._both())
        return lambda view: any(test(view) for test in tests)

    def end(self) -> None:
        """Nothing may follow."""
        if self._at < len(self._tokens):
            raise self._wrong()

    def _both(self) -> Test:
        tests = [self._one()]
        while self._word("and"):
            tests.append(self._one())
        return lambda view: all(test(view) for test in tests)

    def _one(self) -> Test:
        if self._word("not") or self._sign("!"):
            test = self._one()
            return lambda view: not test(view)
        if self._sign("("):
            test = self.either()
            self._need(")")
            return test
        kind, word = self._next()
        if kind != "word":
            self._at -= 1
            raise self._wrong()
        lower = word.lower()
        if lower in {"service", "edge"}:
            return self._service() if lower == "service" else self._edge()
        if lower in {"ok", "partial", *_MARKS}:
            return self._flag(lower)
        if lower in {"duration", "responsetime"}:
            seconds = self._comparison()
            return lambda view: seconds(view.duration_s if lower == "duration" else view.response_s)
        compare = self._comparison()
        values = _values_of(word)
        return lambda view: any(compare(value) for value in values(view.everything()))

    def _flag(self, word: str) -> Test:
        wanted = True
        if self._sign("="):
            _, value = self._next()
            wanted = value.lower() == "true"
        elif self._sign("!="):
            _, value = self._next()
            wanted = value.lower() != "true"
        if word == "ok":
            return lambda view: (not any(view.has(mark) for mark in _MARKS)) is wanted
        if word == "partial":
            return lambda view: view.partial is wanted
        return lambda view: view.has(word) is wanted

    def _service(self) -> Test:
        matches = self._node()
        inner = self._braced()
        return lambda view: any(inner(View(view.id, [d])) for d in view.documents if matches(d))

    def _edge(self) -> Test:
        self._need("(")
        source = self._identity()
        self._need(",")
        target = self._identity()
        self._need(")")
        inner = self._braced()

        def test(view: View) -> bool:
            callers = {i["id"] for d in view.documents if source(d) for i in walk(d)}
            return any(
                d.get("parent_id") in callers and target(d) and inner(View(view.id, [d])) for d in view.documents
            )

        return test

    def _node(self) -> SegmentTest:
        self._need("(")
        if self._sign(")"):
            return lambda _document: True
        matches = self._identity()
        self._need(")")
        return matches

    def _identity(self) -> SegmentTest:
        """`"name"`, or `id(name: "name", type: "AWS::Lambda")`."""
        kind, text = self._next()
        if kind == "string":
            return lambda document: document["name"] == text
        if kind != "word" or text.lower() != "id":
            self._at -= 1
            raise self._wrong()
        self._need("(")
        wanted: dict[str, str] = {}
        while not self._sign(")"):
            _, key = self._next()
            self._need(":")
            _, wanted[{"name": "name", "type": "origin"}.get(key.lower(), key)] = self._next()
            self._sign(",")
        return lambda document: all(document.get(key) == value for key, value in wanted.items())

    def _braced(self) -> Test:
        if not self._sign("{"):
            return lambda _view: True
        test = self.either()
        self._need("}")
        return test

    def _comparison(self) -> Callable[[Any], bool]:
        """What a value is compared with; a keyword alone asks whether there is a value."""
        kind, sign = self._peek()
        if kind == "sign" and sign in _COMPARE:
            self._at += 1
            value_kind, text = self._next()
            if value_kind not in {"string", "number", "word"}:
                self._at -= 1
                raise self._wrong()
            return _compared(_COMPARE[sign], _literal(value_kind, text))
        if kind == "word" and sign.lower() in _MATCH:
            self._at += 1
            matches, (_, part) = _MATCH[sign.lower()], self._next()
            return lambda value: isinstance(value, str) and matches(value, part)
        return lambda value: value is not None

    # -- tokens ----------------------------------------------------------------------------------------------

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")

    def _next(self) -> tuple[str, str]:
        token = self._peek()
        if token[0] == "end":
            raise self._wrong()
        self._at += 1
        return token

    def _word(self, word: str) -> bool:
        kind, text = self._peek()
        found = kind == "word" and text.lower() == word
        self._at += found
        return found

    def _sign(self, sign: str) -> bool:
        found = self._peek() == ("sign", sign)
        self._at += found
        return found

    def _need(self, sign: str) -> None:
        if not self._sign(sign):
            raise self._wrong()

    def _wrong(self) -> FilterError:
        return FilterError(f"Invalid filter expression at {self._peek()[1] or 'its end'!r}")


def _literal(kind: str, text: str) -> Any:
    if kind == "number":
        return float(text)
    return text.lower() == "true" if kind == "word" and text.lower() in {"true", "false"} else text


def _compared(compare: Callable[[Any, Any], bool], wanted: Any) -> Callable[[Any], bool]:
    def test(value: Any) -> bool:
        if isinstance(wanted, float) and (isinstance(value, bool) or not isinstance(value, int | float)):
            return False
        if isinstance(wanted, str) and not isinstance(value, str):
            return False
        return compare(value, wanted)

    return test


def _values_of(word: str) -> Callable[[Iterable[Document]], Iterable[Any]]:
    """What a keyword reads of segments and subsegments.

    Raises:
        FilterError: no such keyword here.
    """
    lower = word.lower()
    if lower.startswith(("annotation.", "annotation[")):
        key = word[len("annotation.") :].rstrip("]")
        return lambda documents: [d["annotations"][key] for d in documents if key in (d.get("annotations") or {})]
    if lower in _HTTP:
        part, name = _HTTP[lower]
        return lambda documents: [((d.get("http") or {}).get(part) or {}).get(name) for d in documents]
    if lower in {"name", "user"}:
        return lambda documents: [d.get(lower) for d in documents if lower != "name" or "trace_id" in d]
    if lower == "type":
        return lambda documents: [d.get("origin") for d in documents]
    if lower == "resource.arn":
        return lambda documents: [d.get("resource_arn") for d in documents]
    if lower == "message":
        return lambda documents: [e.get("message") for d in documents for e in _exceptions(d)]
    if lower == "latency":
        return lambda documents: [end_of(d) - float(d["start_time"]) for d in documents]
    raise FilterError(f"Invalid filter expression: the keyword {word} is unknown or not supported here")


def _exceptions(document: Document) -> list[dict[str, Any]]:
    cause = document.get("cause")
    return list(cause.get("exceptions") or ()) if isinstance(cause, dict) else []
