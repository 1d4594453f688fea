"""Input templates of pipes. Pure.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-input-transformation.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_PLACE = re.compile(r"<([^<>]+)>")
_PART = re.compile(r"\.?([\w-]+)|\[(\d+)\]")


def shaped(template: str, record: Mapping[str, Any], pipe: Mapping[str, str]) -> Any:
    """A record as the template has it: JSON where the result is JSON, text otherwise; the record without a template.

    `pipe` has the reserved names, such as `aws.pipes.pipe-name`. What a path does not find is empty.
    """
    if not template:
        return record
    event = _with_json(record)
    quoted = re.compile(r'"<([^<>]+)>"')

    def value(path: str) -> Any:
        if path == "aws.pipes.event.json":
            return event
        return pipe.get(path, "") if path.startswith("aws.pipes.") else _at(event, path)

    def whole(match: re.Match[str]) -> str:
        found = value(match[1])
        return json.dumps(found if isinstance(found, str) else json.dumps(found))

    def inner(match: re.Match[str]) -> str:
        found = value(match[1])
        return found if isinstance(found, str) and not _stands_alone(template, match) else json.dumps(found)

    text = _PLACE.sub(inner, quoted.sub(whole, template))
    try:
        return json.loads(text)
    except ValueError:
        return text


def _stands_alone(template: str, match: re.Match[str]) -> bool:
    """True for a placeholder in JSON's place of a value: `{"a": <$.b>}`. In a text it stands in as it is."""
    return template.lstrip().startswith(("{", "[")) and not _inside_string(template, match.start())


def _inside_string(template: str, at: int) -> bool:
    return template[:at].replace('\\"', "").count('"') % 2 == 1


def _with_json(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record with its body or data as JSON where they are: paths lead into them."""
    found = dict(record)
    for name in ("body", "data"):
        if isinstance(found.get(name), str):
            try:
                found[name] = json.loads(found[name])
            except ValueError:
                continue
    return found


def _at(event: Any, path: str) -> Any:
    value = event
    for name, place in _PART.findall(path.removeprefix("$")):
        if name and isinstance(value, Mapping):
            value = value.get(name)
        elif place and isinstance(value, list) and int(place) < len(value):
            value = value[int(place)]
        else:
            return ""
    return "" if value is None else value
