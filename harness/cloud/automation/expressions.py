"""`{{ name }}` in runbooks, and the selectors of step outputs.

Source: https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-variables.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_EXPRESSION = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}")
_STEP = re.compile(r"\.([\w-]+)|\[(\d+)\]|\[\s*['\"]([^'\"]+)['\"]\s*\]|\[\*\]")


class ExpressionError(Exception):
    """A name that nothing gives, or a selector that cannot be read."""


def filled(value: Any, known: Mapping[str, Any]) -> Any:  # JSON of the runbook
    """A value with its expressions replaced; a text that is one expression keeps the type of what it names.

    Raises:
        ExpressionError: an expression names nothing known.
    """
    if isinstance(value, dict):
        return {key: filled(inner, known) for key, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, known) for inner in value]
    if not isinstance(value, str):
        return value
    whole = _EXPRESSION.fullmatch(value.strip())
    if whole:
        return _look_up(whole[1], known)
    return _EXPRESSION.sub(lambda match: _text(_look_up(match[1], known)), value)


def _look_up(name: str, known: Mapping[str, Any]) -> Any:
    if name not in known:
        raise ExpressionError(f"{{{{ {name} }}}} names no parameter, variable or output of a step before")
    return known[name]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)


def selected(value: Any, selector: str) -> Any:  # JSON
    """What a selector such as `$.Reservations[0].Instances[*].InstanceId` picks; None where there is nothing.

    Raises:
        ExpressionError: the selector cannot be read.
    """
    position, found, many = 1, [value], False
    if not selector.startswith("$"):
        raise ExpressionError(f"selector {selector!r} does not start with $")
    while position < len(selector):
        match = _STEP.match(selector, position)
        if match is None:
            raise ExpressionError(f"selector {selector!r} cannot be read at {selector[position:]!r}")
        position = match.end()
        if match[0] == "[*]":
            many, found = True, [inner for one in found if isinstance(one, list) for inner in one]
        else:
            found = [inner for one in found if (inner := _inside(one, match)) is not None]
    return found if many else next(iter(found), None)


def _inside(value: Any, step: re.Match[str]) -> Any:
    if step[2] is not None:
        index = int(step[2])
        return value[index] if isinstance(value, list) and index < len(value) else None
    return value.get(step[1] or step[3]) if isinstance(value, dict) else None
