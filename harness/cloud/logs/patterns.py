"""Filter patterns, as metric filters, subscription filters and FilterLogEvents have them. Pure.

Three kinds: terms, space-delimited fields `[ip, status = 4*]`, and JSON `{ $.latency > 100 && $.ok IS FALSE }`.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

Predicate = Callable[[Any], bool]

_ABSENT = object()
_TERM = re.compile(r'\s*([?-]?)(?:"((?:[^"\\]|\\.)*)"|%((?:[^%\\]|\\.)*)%|(\S+))')
_PLAIN_TERM = re.compile(r"[A-Za-z0-9_]+$")
_FIELD = re.compile(r'"((?:[^"\\]|\\.)*)"|\[([^\]]*)\]|(\S+)')
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$")
_PART = re.compile(r"""\.([A-Za-z_@][\w@-]*)|\[\s*(\d+|\*)\s*\]|\.?\[\s*(?:'([^']*)'|"([^"]*)")\s*\]""")
_OPERATORS = ("!=", "<=", ">=", "=", "<", ">")
_ELLIPSIS = "..."


class PatternError(ValueError):
    """The text is no filter pattern; says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled pattern. `read` gives the event's fields, None where the event does not match."""

    text: str
    read: Callable[[str], Any]
    is_json: bool = False

    def matches(self, message: str) -> bool:
        """Whether an event matches."""
        return self.read(message) is not None


@functools.lru_cache(maxsize=1024)
def compile_pattern(text: str) -> Pattern:
    """The pattern in `text`; an empty one matches every event.

    Raises:
        PatternError: it is none.
    """
    bare = text.strip()
    if bare.startswith("{"):
        return Pattern(text, _json_reader(bare), is_json=True)
    if bare.startswith("["):
        return Pattern(text, _fields_reader(bare))
    return Pattern(text, _terms_reader(bare))


def value_at(event: Any, selector: str) -> Any:
    """The value that `$.path` or `$field` selects from what `Pattern.read` gave; None where there is none."""
    if isinstance(event, Mapping) and not selector.startswith(("$.", "$[")):
        return event.get(selector.removeprefix("$"))
    found = [value for value in _select(event, _path(selector)) if value is not _ABSENT]
    return found[0] if found else None


# -- terms ----------------------------------------------------------------------------------------------------


def _terms_reader(text: str) -> Callable[[str], Any]:
    required: list[Predicate] = []
    optional: list[Predicate] = []
    at = 0
    while text[at:].strip():
        match = _TERM.match(text, at)
        if match is None:
            raise PatternError(f"Invalid filter pattern: {text[at:].strip()!r}")
        at = match.end()
        sign, quoted, regex, plain = match.groups()
        if plain is not None and not _PLAIN_TERM.match(plain):
            raise PatternError(f"Invalid character(s) in term '{plain}': put it in double quotes")
        wanted = (
            _regex(regex).search if regex is not None else _contains(_unescaped(quoted) if plain is None else plain)
        )
        if sign == "-":
            required.append(lambda message, wanted=wanted: not wanted(message))  # type: ignore[misc] # bound at once
        else:
            (optional if sign == "?" else required).append(wanted)  # type: ignore[arg-type] # a match is true
    if required:  # "?" is ignored beside other terms, as AWS documents
        return lambda message: {} if all(wanted(message) for wanted in required) else None
    return lambda message: {} if not optional or any(wanted(message) for wanted in optional) else None


def _contains(term: str) -> Predicate:
    return lambda message: term in message


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _regex(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise PatternError(f"Invalid regular expression %{text}%: {error}") from error


# -- space-delimited fields -----------------------------------------------------------------------------------


def _fields_reader(text: str) -> Callable[[str], Any]:
    if not text.endswith("]"):
        raise PatternError("Invalid filter pattern: the closing ] is missing")
    specs = [part.strip() for part in _split_outside_quotes(text[1:-1])]
    names = [re.split(r"[\s!<>=]", spec, maxsplit=1)[0] for spec in specs]
    names = [name or f"_{at}" for at, name in enumerate(names)]
    if names.count(_ELLIPSIS) > 1:
        raise PatternError("Invalid filter pattern: ... may be there once")
    tests = [None if spec in ("", _ELLIPSIS) else _Scanner(spec, fields=True).whole() for spec in specs]

    def read(message: str) -> Any:
        values = [next(group for group in m.groups() if group is not None) for m in _FIELD.finditer(message)]
        event = _named(names, values)
        if event is None or not all(test is None or test(event) for test in tests):
            return None
        return event

    return read


def _split_outside_quotes(text: str) -> list[str]:
    return re.split(r""",(?=(?:[^"]*"[^"]*")*[^"]*$)""", text)


def _named(names: list[str], values: list[str]) -> dict[str, str] | None:
    """Values by field name, None when there are more or fewer than the pattern has."""
    if _ELLIPSIS not in names:
        return dict(zip(names, values, strict=True)) if len(names) == len(values) else None
    before = names.index(_ELLIPSIS)
    after = len(names) - before - 1
    if len(values) < before + after:
        return None
    last = values[len(values) - after :] if after else []
    return dict(zip(names[:before] + names[before + 1 :], values[:before] + last, strict=True))


# -- JSON -----------------------------------------------------------------------------------------------------


def _json_reader(text: str) -> Callable[[str], Any]:
    if not text.endswith("}"):
        raise PatternError("Invalid filter pattern: the closing } is missing")
    test = _Scanner(text[1:-1]).whole()

    def read(message: str) -> Any:
        try:
            event = msgspec.json.decode(message)
        except msgspec.DecodeError:
            return None
        return event if isinstance(event, dict) and test(event) else None

    return read


class _Scanner:
    """Reads `a = 1 && (b != "x" || c IS NULL)` by recursive descent; `fields`: names stand without `$`."""

    def __init__(self, text: str, *, fields: bool = False) -> None:
        self._text, self._at, self._fields = text, 0, fields

    def whole(self) -> Predicate:
        """The predicate of the whole text."""
        test = self._either()
        if self._text[self._at :].strip():
            raise PatternError(f"Invalid filter pattern at {self._text[self._at :].strip()!r}")
        return test

    def _either(self) -> Predicate:
        tests = [self._both()]
        while self._take("||"):
            tests.append(self._both())
        return tests[0] if len(tests) == 1 else lambda event: any(test(event) for test in tests)

    def _both(self) -> Predicate:
        tests = [self._one()]
        while self._take("&&"):
            tests.append(self._one())
        return tests[0] if len(tests) == 1 else lambda event: all(test(event) for test in tests)

    def _one(self) -> Predicate:
        if self._take("("):
            test = self._either()
            if not self._take(")"):
                raise PatternError("Invalid filter pattern: a ) is missing")
            return test
        select = self._selector()
        if self._word("NOT"):
            if not self._word("EXISTS"):
                raise PatternError("Invalid filter pattern: NOT EXISTS is meant?")
            return lambda event: all(value is _ABSENT for value in select(event))
        if self._word("EXISTS"):
            return lambda event: any(value is not _ABSENT for value in select(event))
        if self._word("IS"):
            return self._is(select)
        operator = next((sign for sign in _OPERATORS if self._take(sign)), "")
        if not operator and self._fields:
            return lambda _event: True
        if not operator:
            raise PatternError(f"Invalid filter pattern: no operator at {self._text[self._at :].strip()!r}")
        compare = self._comparison(operator)
        return lambda event: any(compare(value) for value in select(event))

    def _is(self, select: Callable[[Any], list[Any]]) -> Predicate:
        for word, constant in (("TRUE", True), ("FALSE", False), ("NULL", None)):
            if self._word(word):
                return lambda event: any(value is constant for value in select(event))
        raise PatternError("Invalid filter pattern: IS is followed by TRUE, FALSE or NULL")

    def _selector(self) -> Callable[[Any], list[Any]]:
        if self._fields:
            name = self._match(r"[\w.-]+")
            return lambda event: [event.get(name, _ABSENT)]
        selector = self._match(r"""\$(?:\.[A-Za-z_@][\w@-]*|\.?\[\s*(?:\d+|\*|'[^']*'|"[^"]*")\s*\])+""")
        path = _path(selector)
        return lambda event: _select(event, path)

    def _comparison(self, operator: str) -> Predicate:
        regex = self._try(r"%((?:[^%\\]|\\.)*)%")
        quoted = None if regex is not None else self._try(r'"((?:[^"\\]|\\.)*)"')
        plain = "" if regex is not None or quoted is not None else self._match(r"[^\s&|)\"]+")
        if operator in ("=", "!="):
            equal = _equality(regex=regex, quoted=quoted, plain=plain)
            return equal if operator == "=" else lambda value: value is not _ABSENT and not equal(value)
        limit = quoted if quoted is not None else plain
        if not _NUMBER.match(limit):
            raise PatternError(f"Invalid filter pattern: {operator} needs a number, not {limit!r}")
        return _ordering(operator, float(limit))

    def _match(self, pattern: str) -> str:
        found = self._try(f"({pattern})")
        if found is None:
            raise PatternError(f"Invalid filter pattern at {self._text[self._at :].strip()!r}")
        return found

    def _try(self, pattern: str) -> str | None:
        match = re.compile(rf"\s*{pattern}").match(self._text, self._at)
        if match is None:
            return None
        self._at = match.end()
        return match.group(1)

    def _take(self, sign: str) -> bool:
        return self._try(f"({re.escape(sign)})") is not None

    def _word(self, word: str) -> bool:
        return self._try(rf"((?i:{word})\b)") is not None


def _equality(*, regex: str | None, quoted: str | None, plain: str) -> Predicate:
    if regex is not None:
        search = _regex(regex).search
        return lambda value: value is not _ABSENT and search(_text(value)) is not None
    wanted = _unescaped(quoted) if quoted is not None else plain
    if "*" in wanted:
        full = re.compile(".*".join(re.escape(part) for part in wanted.split("*")), re.DOTALL).fullmatch
        return lambda value: value is not _ABSENT and full(_text(value)) is not None
    if quoted is None and _NUMBER.match(plain):
        number = float(plain)
        return lambda value: _number(value) == number
    return lambda value: value is not _ABSENT and _text(value) == wanted


def _ordering(operator: str, limit: float) -> Predicate:
    def compare(value: Any) -> bool:
        number = _number(value)
        if number is None:
            return False
        if operator[0] == "<":
            return number <= limit if operator == "<=" else number < limit
        return number >= limit if operator == ">=" else number > limit

    return compare


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    return float(value) if isinstance(value, str) and _NUMBER.match(value) else None


def _path(selector: str) -> tuple[str | int, ...]:
    """The parts of `$.a.b[0]`: names, places, and `*`."""
    parts = []
    for name, place, single, double in _PART.findall(selector[1:]):
        parts.append(int(place) if place.isdigit() else place or name or single or double)
    return tuple(parts)


def _select(event: Any, path: tuple[str | int, ...]) -> list[Any]:
    """Every value that the path leads to; `_ABSENT` where it leads nowhere."""
    values = [event]
    for part in path:
        values = [inner for value in values for inner in _step(value, part)]
    return values


def _step(value: Any, part: str | int) -> list[Any]:
    if isinstance(value, list):
        if part == "*":
            return value or [_ABSENT]
        return [value[part]] if isinstance(part, int) and part < len(value) else [_ABSENT]
    return [value.get(part, _ABSENT)] if isinstance(value, dict) else [_ABSENT]
