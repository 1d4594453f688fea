"""Requests by botocore's model of FIS: which operation a path is, and its members."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, unquote

import botocore.session
from botocore.model import OperationModel

from chaos.fis.constraints import check
from chaos.fis.errors import ResourceNotFoundException, SerializationException

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
        SerializationException: the body is not JSON, or a member has another type than the model's.
        ValidationException: a member breaks the model's limits.
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
    sent = _json(body)
    members: dict[str, Any] = {}
    for name, shape in operation.input_shape.members.items():
        where, wire = shape.serialization.get("location"), shape.serialization.get("name", name)
        if where == "uri":
            members[name] = unquote(labels[wire])
        elif where == "querystring" and wire in found:
            members[name] = _from_query(shape, found[wire])
        elif where is None and sent.get(wire) is not None:
            members[name] = sent[wire]
    return members


def _without_nulls(value: Any) -> Any:
    """JSON without members that are null: the protocol takes them as not given. In lists they stay, to be refused."""
    if isinstance(value, dict):
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
    return [_without_nulls(inner) for inner in value] if isinstance(value, list) else value


def _json(body: bytes) -> dict[str, Any]:
    try:
        sent = _without_nulls(json.loads(body)) if body else {}
    except (ValueError, RecursionError) as error:
        raise SerializationException(f"the body is not JSON: {error}") from error
    if not isinstance(sent, dict):
        raise SerializationException("Start of structure or map found where not expected.")
    return sent


def _from_query(shape: Any, values: list[str]) -> Any:
    if shape.type_name == "list":
        return values
    if shape.type_name == "integer":
        try:
            return int(values[0])
        except ValueError as error:
            raise SerializationException("STRING_VALUE can not be converted to an Integer") from error
    return values[0]
