"""What AWS checks of a request before it looks at its meaning: types, limits, patterns, enums of the model.

SDKs check only required members, types and minimums; maximums, patterns and enums are the server's.
Members that the model does not know are ignored, as AWS does; boto3 and the CLI refuse them before they are sent.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from chaos.fis.errors import SerializationException, ValidationException

_TYPES = {"structure": dict, "map": dict, "list": list, "string": str, "boolean": bool, "integer": int, "long": int}
_NAMES = {"structure": "a structure", "map": "a map", "list": "a list", "string": "a String", "boolean": "a Boolean"}


def check(shape: Any, value: Any) -> None:
    """Check a value against a botocore shape.

    Raises:
        SerializationException: a member has another type than the model says.
        ValidationException: every problem in one message, as AWS words it.
    """
    problems = list(_problems(shape, value, ""))
    if problems:
        count = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected: "
        raise ValidationException(count + "; ".join(problems))


def _problems(shape: Any, value: Any, path: str) -> Iterator[str]:
    kind = shape.type_name
    _check_type(kind, value)
    if kind == "structure":
        yield from _structure(shape, value, path)
    elif kind == "map":
        yield from _length(shape, value, path)
        for key, inner in value.items():
            yield from _string(shape.key, key, path)
            yield from _problems(shape.value, inner, f"{path}.{key}.member")
    elif kind == "list":
        yield from _length(shape, value, path)
        for index, inner in enumerate(value):
            if inner is None:
                yield f"Value at '{path}.{index + 1}.member' failed to satisfy constraint: Member must not be null"
            else:
                yield from _problems(shape.member, inner, f"{path}.{index + 1}.member")
    elif kind == "string":
        yield from _string(shape, value, path)
    elif kind in {"integer", "long"}:
        yield from _number(shape, value, path)


def _check_type(kind: str, value: Any) -> None:
    wanted = _TYPES.get(kind)
    if wanted is not None and (not isinstance(value, wanted) or (wanted is int and isinstance(value, bool))):
        sent = "NUMBER_VALUE" if isinstance(value, int | float) else f"{type(value).__name__.upper()}_VALUE"
        raise SerializationException(f"{sent} can not be converted to {_NAMES.get(kind, 'an Integer')}")


def _structure(shape: Any, value: Any, path: str) -> Iterator[str]:
    for name in shape.required_members:
        if name not in value:
            yield f"Value at '{_join(path, name)}' failed to satisfy constraint: Member must not be null"
    for name, member in shape.members.items():
        if name in value:
            yield from _problems(member, value[name], _join(path, name))


def _string(shape: Any, value: str, path: str) -> Iterator[str]:
    yield from _length(shape, value, path)
    pattern = shape.metadata.get("pattern")
    if pattern and not _fits(pattern, value):
        yield _says(value, path, f"Member must satisfy regular expression pattern: {pattern}")
    if shape.enum and value not in shape.enum:
        yield _says(value, path, f"Member must satisfy enum value set: [{', '.join(shape.enum)}]")


def _length(shape: Any, value: Any, path: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and len(value) < least:
        yield _says(value, path, f"Member must have length greater than or equal to {least}")
    if most is not None and len(value) > most:
        yield _says(value, path, f"Member must have length less than or equal to {most}")


def _number(shape: Any, value: int, path: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and value < least:
        yield _says(value, path, f"Member must have value greater than or equal to {least}")
    if most is not None and value > most:
        yield _says(value, path, f"Member must have value less than or equal to {most}")


def _says(value: Any, path: str, constraint: str) -> str:
    shown = f"Value '{str(value)[:80]}'" if isinstance(value, str | int) else "Value"
    return f"{shown} at '{path}' failed to satisfy constraint: {constraint}"


def _fits(pattern: str, value: str) -> bool:
    letters = _plain_letters(value) if r"\p{" in pattern else value
    return _compiled(pattern).search(letters) is not None


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern.replace(r"\p{L}", "a").replace(r"\p{Z}", " ").replace(r"\p{N}", "0"))


def _plain_letters(text: str) -> str:
    """The text with every letter, separator and number (categories L, Z, N) as `a`, blank and `0`.

    Python's `re` has no Unicode categories, in which FIS's model writes one of its patterns.
    """
    plain = {"L": "a", "Z": " ", "N": "0"}
    return "".join(plain.get(unicodedata.category(letter)[0], letter) for letter in text)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
