"""Rows from log events, with no more than a query reads of them. Pure.

Fields are found in JSON events, in the JSON that a Lambda line ends with, and in Lambda's own lines.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_AnalyzeLogData-discoverable-fields.html
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypedDict

import msgspec

from harness.cloud.logs.insights.expressions import Row
from harness.cloud.logs.insights.functions import Instant

SYSTEM = ("@timestamp", "@message", "@logStream", "@log", "@ptr", "@ingestionTime", "@entity")

_LAMBDA = {
    "@requestId": re.compile(r"RequestId: (\S+)"),
    "@duration": re.compile(r"\tDuration: ([\d.]+) ms"),
    "@billedDuration": re.compile(r"\tBilled Duration: ([\d.]+) ms"),
    "@initDuration": re.compile(r"\tInit Duration: ([\d.]+) ms"),
    "@memorySize": re.compile(r"\tMemory Size: (\d+) MB"),
    "@maxMemoryUsed": re.compile(r"\tMax Memory Used: (\d+) MB"),
    "@type": re.compile(r"(START|END|REPORT|INIT_START)\b"),
    "@xrayTraceId": re.compile(r"XRAY TraceId: (\S+)"),
}
_IN_BYTES = frozenset({"@memorySize", "@maxMemoryUsed"})  # shown in bytes: megabytes times a million


class Stretch(NamedTuple):
    """Events of one stream, oldest first, as the store has them: `timestamp`, `message`, `ingestionTime`."""

    log: str  # account:group
    group: str
    stream: str
    events: list[Mapping[str, Any]]


class Pointer(NamedTuple):
    """What an `@ptr` means: the event of a stream at a time, and which of those at that time."""

    group: str
    stream: str
    timestamp: int
    message: str

    def encoded(self) -> str:
        """The opaque form."""
        text = json.dumps([self.group, self.stream, self.timestamp, self.message[:64]])
        return base64.urlsafe_b64encode(text.encode()).decode()

    @classmethod
    def decoded(cls, text: str) -> Pointer:
        """What `encoded` made.

        Raises:
            ValueError: it made no such thing.
        """
        group, stream, timestamp, message = json.loads(base64.urlsafe_b64decode(text))
        return cls(str(group), str(stream), int(timestamp), str(message))


def rows(stretches: Iterable[Stretch], fields: Collection[str], *, any_order: bool = False) -> Iterator[Row]:
    """A row for each event, newest first unless `any_order`."""
    if any_order:
        for stretch in stretches:
            make = _row_maker(stretch, fields)
            yield from map(make, stretch.events)
        return
    found: list[tuple[int, int, int]] = []
    listed = list(stretches)
    for number, stretch in enumerate(listed):
        found += [(event["timestamp"], number, at) for at, event in enumerate(stretch.events)]
    found.sort(reverse=True)
    makers = [_row_maker(stretch, fields) for stretch in listed]
    for _, number, at in found:
        yield makers[number](listed[number].events[at])


def _row_maker(stretch: Stretch, fields: Collection[str]) -> Callable[[Mapping[str, Any]], Row]:
    """Makes the row of an event of this stream; a field that the event lacks is not in its row."""
    discovered = [name for name in fields if name not in SYSTEM]
    lambda_group = stretch.group.startswith("/aws/lambda/")
    of_lambda = [(name, _LAMBDA[name]) for name in discovered if name in _LAMBDA and lambda_group]
    in_json = [name for name in discovered if name not in _LAMBDA or not lambda_group]
    read_json = _json_reader(in_json, embedded=lambda_group) if in_json else None
    wanted = set(fields)
    with_time, with_message = "@timestamp" in wanted, "@message" in wanted
    fixed = {n: v for n, v in (("@logStream", stretch.stream), ("@log", stretch.log)) if n in wanted}
    plain = not of_lambda and not fixed and not wanted & {"@ptr", "@ingestionTime"}

    def make(event: Mapping[str, Any]) -> Row:
        message = event["message"]
        row: Row = read_json(message) if read_json is not None else {}
        if with_time:
            row["@timestamp"] = Instant(event["timestamp"])
        if with_message:
            row["@message"] = message
        if plain:
            return row
        row.update(fixed)
        if "@ingestionTime" in wanted:
            row["@ingestionTime"] = Instant(event.get("ingestionTime") or event["timestamp"])
        if "@ptr" in wanted:
            row["@ptr"] = _Lazy(Pointer(stretch.group, stretch.stream, event["timestamp"], message))
        for name, pattern in of_lambda:
            match = pattern.search(message)
            if match is not None:
                row[name] = float(match[1]) * 1_000_000 if name in _IN_BYTES else match[1]
        return row

    return make


class _Lazy:
    """An @ptr that is encoded when it is shown: most rows of a query are not."""

    __slots__ = ("_pointer",)

    def __init__(self, pointer: Pointer) -> None:
        self._pointer = pointer

    def __str__(self) -> str:
        return self._pointer.encoded()


def _json_reader(names: Collection[str], *, embedded: bool) -> Callable[[str], Row]:
    """Reads the wanted fields of a JSON event; msgspec decodes no others. `a.b.0` is a path, or a name with dots."""
    paths = {name: name.split(".") for name in names if "." in name}
    tops = {*names, *(path[0] for path in paths.values())}
    decode = msgspec.json.Decoder(TypedDict("Event", dict.fromkeys(tops, Any), total=False)).decode  # type: ignore[operator] # made at run time

    def read(message: str) -> Row:
        at = 0 if message[:1] == "{" else message.find("{") if embedded else -1
        if at < 0:
            return {}
        try:
            row: Row = decode(message if at == 0 else _first_object(message[at:]))
        except msgspec.DecodeError:
            return {}
        for name, path in paths.items():
            if name not in row:
                value = _at_path(row, path)
                if value is not None:
                    row[name] = value
        return row

    return read


def _first_object(text: str) -> str:
    """The JSON object at the beginning of a text; the text itself where there is none."""
    try:
        _, end = json.JSONDecoder().raw_decode(text)
    except ValueError:
        return text
    return text[:end]


def _at_path(value: Any, path: list[str]) -> Any:
    for part in path:
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value
