"""Reads a Logs Insights query into its commands. Pure.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

UNSUPPORTED: Final = frozenset({
    "anomaly", "diff", "filterindex", "join", "lookup", "pattern", "relevantfields", "source", "unmask", "unnest",
})  # fmt: skip
"""Commands of AWS that are refused here by name."""

_WORD = re.compile(r"\s*([A-Za-z_@][\w@]*)")
_FIELD = re.compile(r"@?[A-Za-z_][\w@]*(?:\.(?:[A-Za-z_]\w*|\d+))*|`[^`]+`")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(mo|ms|s|m|h|d|w|q|y)\b")
_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+")
_STRING = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"")
_REGEX = re.compile(r"/((?:[^/\\]|\\.)*)/([a-z]*)")
_SPACE = re.compile(r"(?:\s|#[^\n]*)*")
_COMPARISONS = ("!=", "<=", ">=", "=~", "=", "<", ">")

UNIT_S: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "mo": 2592000, "q": 7776000,
                 "y": 31536000}  # fmt: skip


class QueryError(ValueError):
    """A malformed query, with where in its text."""

    def __init__(self, message: str, start: int, end: int) -> None:
        super().__init__(message)
        self.start, self.end = start, end


@dataclass(frozen=True, slots=True)
class Node:
    """An expression. `kind` is field, literal, duration, regex, or the name of an operator or a function.

    `text` is how the query says it: the name of its column where it has no alias.
    """

    kind: str
    value: Any = None
    parts: tuple[Node, ...] = ()
    text: str = ""
    at: int = 0


@dataclass(frozen=True, slots=True)
class Named:
    """An expression and the name of its column."""

    node: Node
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command. What is set depends on `kind`: fields, display, filter, stats, sort, limit, parse, dedup."""

    kind: str
    columns: tuple[Named, ...] = ()
    by: tuple[Named, ...] = ()
    test: Node | None = None
    descending: tuple[bool, ...] = ()
    count: int = 0
    pattern: re.Pattern[str] | None = None
    names: tuple[str, ...] = ()
    at: int = 0


def read_query(text: str) -> list[Command]:
    """The commands of a query, in order.

    Raises:
        QueryError: it is malformed, or has a command or function that is not supported here.
    """
    return _Reader(text).query()


class _Reader:
    """Recursive descent on the text itself: whether `/` divides or opens an expression depends on the place."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0

    def query(self) -> list[Command]:
        commands: list[Command] = []
        while True:
            self._skip()
            if self._at == len(self._text) and not commands:
                raise self._error("the query is empty")
            commands.append(self._command())
            if not self._take("|"):
                break
        if self._at < len(self._text):
            raise self._unexpected()
        return commands

    def _command(self) -> Command:
        at = self._at
        word = (self._word() or "").lower()
        read = {
            "fields": self._fields,
            "display": self._display,
            "filter": self._filter,
            "where": self._filter,
            "stats": self._stats,
            "sort": self._sort,
            "order": self._sort,
            "limit": self._limit,
            "head": self._limit,
            "tail": self._tail,
            "parse": self._parse,
            "dedup": self._dedup,
        }.get(word)
        if read is not None:
            return read(at)
        self._at = at
        if word in UNSUPPORTED:
            raise QueryError(f"the command {word} is not supported here", at, at + len(word))
        known = "fields, display, filter, stats, sort, limit, parse, dedup"
        raise QueryError(f"unexpected symbol found {self._shown()}: a command is one of {known}", at, self._end())

    # -- commands --------------------------------------------------------------------------------------------

    def _fields(self, at: int) -> Command:
        return Command(kind="fields", columns=self._columns(), at=at)

    def _display(self, at: int) -> Command:
        return Command(kind="display", columns=self._columns(), at=at)

    def _filter(self, at: int) -> Command:
        return Command(kind="filter", test=self._expression(), at=at)

    def _stats(self, at: int) -> Command:
        columns = self._columns()
        by = self._columns() if self._keyword("by") else ()
        return Command(kind="stats", columns=columns, by=by, at=at)

    def _sort(self, at: int) -> Command:
        columns, descending = [], []
        while True:
            node = self._expression()
            columns.append(Named(node, node.text))
            descending.append(bool(self._keyword("desc")) or (self._keyword("asc") and False))
            if not self._take(","):
                return Command(kind="sort", columns=tuple(columns), descending=tuple(descending), at=at)

    def _limit(self, at: int) -> Command:
        return Command(kind="limit", count=self._whole_number(), at=at)

    def _tail(self, at: int) -> Command:
        return Command(kind="tail", count=self._whole_number(), at=at)

    def _dedup(self, at: int) -> Command:
        return Command(kind="dedup", columns=self._columns(), at=at)

    def _parse(self, at: int) -> Command:
        self._skip()
        given = self._text[self._at : self._at + 1]
        source = Node("field", "@message", text="@message") if given in {"/", "'", '"'} else self._primary()
        self._skip()
        started = self._at
        regex = self._regex()
        if regex is not None:
            names = tuple(regex.groupindex)
            if not names:
                raise QueryError("parse: the expression has no named group (?<name>…)", started, self._at)
        else:
            glob = self._string()
            if glob is None:
                raise self._unexpected()
            regex = re.compile(
                ".*?" + "(.*?)".join(re.escape(part) for part in glob.split("*")) + self._tail_of(glob), re.DOTALL
            )
            names = tuple(named.name for named in self._aliases()) if self._keyword("as") else ()
            if len(names) != glob.count("*") or not names:
                raise QueryError(f"parse: {glob.count('*')} wildcards need as many names after as", started, self._at)
        return Command(kind="parse", test=source, pattern=regex, names=names, at=at)

    @staticmethod
    def _tail_of(glob: str) -> str:
        return "$" if glob.endswith("*") else ""

    def _aliases(self) -> list[Named]:
        names = []
        while True:
            node = self._field()
            if node is None:
                raise self._unexpected()
            names.append(Named(node, node.value))
            if not self._take(","):
                return names

    def _columns(self) -> tuple[Named, ...]:
        found = []
        while True:
            node = self._expression()
            name = node.value if node.kind == "field" else node.text
            if self._keyword("as"):
                alias = self._field()
                if alias is None:
                    raise self._unexpected()
                name = alias.value
            found.append(Named(node, name))
            if not self._take(","):
                return tuple(found)

    # -- expressions -----------------------------------------------------------------------------------------

    def _expression(self) -> Node:
        self._skip()
        start = self._at
        return self._left_to_right(start, (("or",),), self._and)

    def _and(self) -> Node:
        return self._left_to_right(self._at, (("and",),), self._not)

    def _not(self) -> Node:
        self._skip()
        start = self._at
        if self._keyword("not"):
            return self._node("not", start, (self._not(),))
        return self._comparison()

    def _comparison(self) -> Node:
        self._skip()
        start = self._at
        left = self._sum()
        before = self._at
        negated = self._keyword("not")
        if self._keyword("like"):
            return self._negated(self._like(left, start), negated, start)
        if self._keyword("in"):
            return self._negated(self._node("in", start, (left, *self._list())), negated, start)
        if negated:
            self._at = before
            return left
        sign = next((sign for sign in _COMPARISONS if self._take(sign)), "")
        if sign == "=~":
            return self._like(left, start)
        return self._node(sign, start, (left, self._sum())) if sign else left

    def _negated(self, node: Node, negated: bool, start: int) -> Node:  # noqa: FBT001 - what was read
        return self._node("not", start, (node,)) if negated else node

    def _like(self, left: Node, start: int) -> Node:
        self._skip()
        regex = self._regex()
        if regex is None:
            wanted = self._string()
            if wanted is None:
                raise self._unexpected()
            regex = re.compile(re.escape(wanted))
        return self._node("like", start, (left,), regex)

    def _list(self) -> list[Node]:
        if not self._take("["):
            raise self._unexpected()
        found = []
        while not self._take("]"):
            found.append(self._sum())
            if not self._take(",") and self._text[self._at : self._at + 1] != "]":
                raise self._unexpected()
        return found

    def _sum(self) -> Node:
        return self._left_to_right(self._at, (("+", "-"),), self._product)

    def _product(self) -> Node:
        return self._left_to_right(self._at, (("*", "/", "%"),), self._power)

    def _power(self) -> Node:
        start = self._at
        left = self._unary()
        return self._node("^", start, (left, self._power())) if self._take("^") else left

    def _left_to_right(self, start: int, levels: Any, read: Any) -> Node:
        self._skip()
        start = self._at if start != self._at else start
        node: Node = read()
        while True:
            sign = next((s for s in levels[0] if (self._keyword(s) if s.isalpha() else self._take(s))), "")
            if not sign:
                return node
            node = self._node(sign, start, (node, read()))

    def _unary(self) -> Node:
        self._skip()
        start = self._at
        if self._take("-"):
            return self._node("negative", start, (self._unary(),))
        return self._primary()

    def _primary(self) -> Node:
        self._skip()
        start = self._at
        if self._take("("):
            inner = self._expression()
            self._need(")")
            return Node(inner.kind, inner.value, inner.parts, self._text[start : self._at], start)
        text = self._string()
        if text is not None:
            return self._node("literal", start, value=text)
        duration = self._match(_DURATION)
        if duration is not None:
            return self._node("duration", start, value=float(duration[1]) * UNIT_S[duration[2]])
        number = self._match(_NUMBER)
        if number is not None:
            value = float(number[0])
            return self._node("literal", start, value=int(value) if value.is_integer() else value)
        field = self._field()
        if field is None:
            raise self._unexpected()
        if self._take("("):
            return self._call(field.value, start)
        return field

    def _call(self, name: str, start: int) -> Node:
        arguments = []
        if self._take("*"):
            arguments.append(self._node("everything", self._at - 1))
            self._need(")")
        else:
            while not self._take(")"):
                arguments.append(self._expression())
                if not self._take(",") and self._text[self._at : self._at + 1] != ")":
                    raise self._unexpected()
        return self._node("call", start, tuple(arguments), name)

    # -- tokens ----------------------------------------------------------------------------------------------

    def _node(self, kind: str, start: int, parts: tuple[Node, ...] = (), value: Any = None) -> Node:
        return Node(kind, value, parts, self._text[start : self._at].strip(), start)

    def _field(self) -> Node | None:
        self._skip()
        start = self._at
        match = self._match(_FIELD)
        if match is None:
            return None
        return Node("field", match[0].strip("`"), (), match[0], start)

    def _string(self) -> str | None:
        match = self._match(_STRING)
        if match is None:
            return None
        quoted = match[1] if match[1] is not None else match[2]
        return re.sub(r"\\(.)", r"\1", quoted)

    def _regex(self) -> re.Pattern[str] | None:
        start = self._at
        match = self._match(_REGEX)
        if match is None:
            return None
        try:
            python = re.sub(r"\(\?<([A-Za-z]\w*)>", r"(?P<\1>", match[1].replace("\\/", "/"))
            return re.compile(python, re.IGNORECASE if "i" in match[2] else 0)
        except re.error as error:
            raise QueryError(f"invalid regular expression: {error}", start, self._at) from error

    def _whole_number(self) -> int:
        self._skip()
        match = self._match(_NUMBER)
        if match is None or not match[0].isdigit():
            raise self._unexpected()
        return int(match[0])

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        match = pattern.match(self._text, self._at)
        if match is not None:
            self._at = match.end()
        return match

    def _skip(self) -> None:
        match = _SPACE.match(self._text, self._at)
        self._at = match.end() if match else self._at

    def _word(self) -> str | None:
        match = self._match(_WORD)
        return match[1] if match else None

    def _keyword(self, word: str) -> bool:
        match = re.compile(rf"(?:\s|#[^\n]*)*(?i:{word})(?![\w@])").match(self._text, self._at)
        if match is None:
            return False
        self._at = match.end()
        return True

    def _take(self, sign: str) -> bool:
        self._skip()
        if not self._text.startswith(sign, self._at):
            return False
        self._at += len(sign)
        self._skip()
        return True

    def _need(self, sign: str) -> None:
        if not self._take(sign):
            raise self._unexpected()

    def _shown(self) -> str:
        return self._text[self._at : self._at + 20].split()[0] if self._text[self._at :].split() else "<end>"

    def _end(self) -> int:
        return min(self._at + len(self._shown()), len(self._text))

    def _unexpected(self) -> QueryError:
        self._skip()
        line = self._text.count("\n", 0, self._at) + 1
        position = self._at - (self._text.rfind("\n", 0, self._at) + 1)
        return self._error(f"unexpected symbol found {self._shown()} at line {line} and position {position}")

    def _error(self, message: str) -> QueryError:
        return QueryError(message, self._at, self._end())
