"""Routes, shapes and limits from botocore's model of FIS: what AWS checks before it looks at meaning.

SDKs check only required members, types and minimums; maximums, patterns and enums are the server's.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, unquote

import botocore.session
from botocore.model import OperationModel

from chaos.fis.errors import ResourceNotFoundException, ValidationException
from harness.errors import nearest

_LABEL = re.compile(r"\{([^}+]+)\+?\}")


@functools.cache
def _routes() -> tuple[tuple[str, re.Pattern[str], OperationModel], ...]:
    model = botocore.session.get_session().get_service_model("fis")
    routes = []
    for name in model.operation_names:
        operation = model.operation_model(name)
        uri = operation.http["requestUri"]
        pattern = "".join(
            f"(?P<{part}>[^/]+)" if index % 2 else re.escape(part) for index, part in enumerate(_LABEL.split(uri))
        )
        routes.append((operation.http["method"], re.compile(f"^{pattern}$"), operation))
    return tuple(routes)


def read_request(method: str, raw_path: str, query: str, body: bytes) -> tuple[str, dict[str, Any]]:
    """The operation's name and its members, checked against the model.

    Raises:
        ResourceNotFoundException: no operation has this method and path.
        ValidationException: the body is not JSON, or a member breaks the model.
    """
    for verb, pattern, operation in _routes():
        match = pattern.match(raw_path.rstrip("/") or "/") if verb == method else None
        if match is not None:
            members = _members(operation, match.groupdict(), query, body)
            check(operation.input_shape, members)
            return operation.name, members
    raise ResourceNotFoundException(f"no operation {method} {raw_path}")


def _members(operation: OperationModel, labels: Mapping[str, str], query: str, body: bytes) -> dict[str, Any]:
    found = parse_qs(query, keep_blank_values=True)
    try:
        sent = json.loads(body) if body else {}
    except ValueError as error:
        raise ValidationException(f"the body is not JSON: {error}") from error
    if not isinstance(sent, dict):
        raise ValidationException("the body must be a JSON object")
    members: dict[str, Any] = {}
    for name, shape in operation.input_shape.members.items():
        where, wire = shape.serialization.get("location"), shape.serialization.get("name", name)
        if where == "uri":
            members[name] = unquote(labels[wire])
        elif where == "querystring" and wire in found:
            members[name] = _from_query(shape, found[wire])
        elif where is None and wire in sent and sent[wire] is not None:
            members[name] = sent[wire]
    return members


def _from_query(shape: Any, values: list[str]) -> Any:
    if shape.type_name == "list":
        return values
    if shape.type_name == "integer":
        try:
            return int(values[0])
        except ValueError as error:
            raise ValidationException(f"{shape.name} must be a whole number") from error
    return values[0]


def check(shape: Any, value: Any) -> None:
    """Check a value against a botocore shape.

    Raises:
        ValidationException: every problem in one message, as AWS words it.
    """
    problems = list(_problems(shape, value, ""))
    if problems:
        plural = "errors" if len(problems) > 1 else "error"
        raise ValidationException(f"{len(problems)} validation {plural} detected: {'; '.join(problems)}")


def _problems(shape: Any, value: Any, path: str) -> Iterator[str]:
    match shape.type_name:
        case "structure":
            yield from _structure(shape, value, path)
        case "map":
            yield from _map(shape, value, path)
        case "list":
            yield from _list(shape, value, path)
        case "string":
            yield from _string(shape, value, path)
        case "integer" | "long":
            if isinstance(value, bool) or not isinstance(value, int):
                yield f"Value at '{path}' failed to satisfy constraint: Member must be an integer"
            else:
                yield from _range(shape, value, path, "value")
        case "boolean":
            if not isinstance(value, bool):
                yield f"Value at '{path}' failed to satisfy constraint: Member must be a boolean"


def _structure(shape: Any, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"Value at '{path or 'request'}' failed to satisfy constraint: Member must be an object"
        return
    for name in shape.required_members:
        if value.get(name) is None:
            yield f"Value at '{_join(path, name)}' failed to satisfy constraint: Member must not be null"
    for name, inner in value.items():
        member = shape.members.get(name)
        if member is None:
            # AWS ignores what it does not know; a typo that changes the blast radius must not pass here.
            yield f"Unknown member '{_join(path, name)}' ({nearest(name, shape.members)})"
        elif inner is not None:
            yield from _problems(member, inner, _join(path, name))


def _map(shape: Any, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"Value at '{path}' failed to satisfy constraint: Member must be a map"
        return
    yield from _range(shape, len(value), path, "number of entries")
    for key, inner in value.items():
        yield from _string(shape.key, key, f"{path} key")
        yield from _problems(shape.value, inner, _join(path, key))


def _list(shape: Any, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"Value at '{path}' failed to satisfy constraint: Member must be a list"
        return
    yield from _range(shape, len(value), path, "length")
    for index, inner in enumerate(value):
        yield from _problems(shape.member, inner, f"{path}.{index + 1}.member")


def _string(shape: Any, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, str):
        yield f"Value at '{path}' failed to satisfy constraint: Member must be a string"
        return
    yield from _range(shape, len(value), path, "length")
    pattern = shape.metadata.get("pattern")
    if pattern and value and not re.search(pattern, value):
        yield (
            f"Value '{value[:80]}' at '{path}' failed to satisfy constraint: "
            f"Member must satisfy regular expression pattern: {pattern}"
        )
    if shape.enum and value not in shape.enum:
        yield f"Value '{value[:80]}' at '{path}' failed to satisfy constraint: Member must be one of {shape.enum}"


def _range(shape: Any, size: int, path: str, what: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and size < least:
        yield f"Value at '{path}' failed to satisfy constraint: Member must have {what} at least {least}"
    if most is not None and size > most:
        yield f"Value at '{path}' failed to satisfy constraint: Member must have {what} at most {most}"


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
