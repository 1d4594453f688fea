"""Values between the RDS Data API's JSON and PostgreSQL.

Source: https://docs.aws.amazon.com/rdsdataservice/latest/APIReference/API_Field.html
"""

from __future__ import annotations

import base64
import datetime as dt
import decimal
import json
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from psycopg import Cursor

_NAMED = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|--[^\n]*|::|:(\w+)")
"""Quoted text, comments and casts, in which no parameter is looked for, or a parameter."""

_HINTS: Mapping[str, Callable[[str], Any]] = {
    "DECIMAL": decimal.Decimal,
    "UUID": uuid.UUID,
    "DATE": dt.date.fromisoformat,
    "TIME": dt.time.fromisoformat,
    "TIMESTAMP": dt.datetime.fromisoformat,
}

# Object identifiers of pg_type, and what they are in java.sql.Types, which the API's metadata is in.
_LONG, _DOUBLE, _BOOLEAN, _BLOB = frozenset({20, 21, 23, 26}), frozenset({700, 701}), 16, 17
_ARRAYS = {
    1000: "booleanValues", 1005: "longValues", 1007: "longValues", 1016: "longValues", 1021: "doubleValues",
    1022: "doubleValues", 1009: "stringValues", 1015: "stringValues", 1231: "stringValues", 2951: "stringValues",
}  # fmt: skip
_JDBC = {
    16: -7, 17: -2, 20: -5, 21: 5, 23: 4, 25: 12, 700: 7, 701: 8, 1042: 1, 1043: 12, 1082: 91, 1083: 92, 1114: 93,
    1184: 93, 1700: 2,
}  # fmt: skip
_JDBC_ARRAY, _JDBC_OTHER = 2003, 1111


def statement(sql: str, parameters: Sequence[Mapping[str, Any]]) -> tuple[Any, dict[str, Any] | None]:
    """The statement with `:name` as the driver writes it, and the values."""
    values = {str(one.get("name")): _value(one) for one in parameters}
    if not values:
        return sql.encode(), None

    def replaced(match: re.Match[str]) -> str:
        name = match.group(1)
        return f"%({name})s" if name in values else match.group().replace("%", "%%")

    parts, end = [], 0
    for match in _NAMED.finditer(sql):
        parts += [sql[end : match.start()].replace("%", "%%"), replaced(match)]
        end = match.end()
    return ("".join(parts) + sql[end:].replace("%", "%%")).encode(), values


def _value(parameter: Mapping[str, Any]) -> Any:
    from psycopg.types.json import Jsonb

    given, hint = parameter.get("value") or {}, parameter.get("typeHint", "")
    kind: str
    value: Any  # JSON of the kind's own form
    kind, value = next(iter(given.items()), ("isNull", True))
    if kind == "isNull":
        return None
    if kind == "blobValue":
        return base64.b64decode(value)
    if kind == "arrayValue":
        return next(iter(value.values()), [])
    if kind == "stringValue" and hint == "JSON":
        return Jsonb(json.loads(value))
    return _HINTS[hint](value) if kind == "stringValue" and hint in _HINTS else value


def result(cursor: Cursor[Any], asked: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to ExecuteStatement."""
    said: dict[str, Any] = {"generatedFields": [], "numberOfRecordsUpdated": 0}
    if not cursor.description:
        return {**said, "numberOfRecordsUpdated": max(cursor.rowcount, 0)}
    if not (cursor.statusmessage or "").startswith("SELECT"):
        said["numberOfRecordsUpdated"] = cursor.rowcount
    rows = _rows(cursor)
    if asked.get("formatRecordsAs") == "JSON":
        names = [column.name for column in cursor.description]
        plain = [dict(zip(names, map(_plain, row), strict=True)) for row in rows]
        return {**said, "formattedRecords": json.dumps(plain, separators=(",", ":"))}
    if asked.get("includeResultMetadata"):
        said["columnMetadata"] = [_metadata(column) for column in cursor.description]
    return {**said, "records": rows}


def _rows(cursor: Cursor[Any]) -> list[list[dict[str, Any]]]:
    """Each value as a Field. Types that JSON lacks come as PostgreSQL writes them."""
    answer, columns = cursor.pgresult, cursor.description or ()
    if answer is None:
        return []
    return [
        [_field(column.type_code, answer.get_value(index, at), row[at]) for at, column in enumerate(columns)]
        for index, row in enumerate(cursor.fetchall())
    ]


def _field(kind: int, text: bytes | None, value: Any) -> dict[str, Any]:
    if text is None:
        return {"isNull": True}
    if kind == _BOOLEAN:
        return {"booleanValue": value}
    if kind in _LONG:
        return {"longValue": value}
    if kind in _DOUBLE:
        return {"doubleValue": value}
    if kind == _BLOB:
        return {"blobValue": base64.b64encode(value).decode()}
    if kind in _ARRAYS:
        name = _ARRAYS[kind]
        return {"arrayValue": {name: [str(one) for one in value] if name == "stringValues" else list(value)}}
    return {"stringValue": text.decode()}


def _plain(shown: Mapping[str, Any]) -> Any:
    kind, value = next(iter(shown.items()))
    if kind == "isNull":
        return None
    return next(iter(value.values())) if kind == "arrayValue" else value


def _metadata(column: Any) -> dict[str, Any]:
    code = column.type_code
    return {
        "name": column.name,
        "label": column.name,
        "type": _JDBC_ARRAY if code in _ARRAYS else _JDBC.get(code, _JDBC_OTHER),
        "typeName": column.type_display.partition("(")[0],
        "precision": column.precision or column.display_size or 0,
        "scale": column.scale or 0,
        "nullable": 2,
        "isAutoIncrement": False,
        "isCaseSensitive": code not in _LONG | _DOUBLE,
        "isCurrency": False,
        "isSigned": code in _LONG | _DOUBLE or code == 1700,
        "arrayBaseColumnType": 0,
        "schemaName": "",
        "tableName": "",
    }
