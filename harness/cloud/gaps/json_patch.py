"""The patch operations of API Gateway on its own documents, as AWS applies them.

https://docs.aws.amazon.com/apigateway/latest/api/patch-operations.html
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from typing import Any

Document = dict[str, Any]  # JSON

_LISTS = frozenset(
    {"binaryMediaTypes", "authorizationScopes", "cacheKeyParameters", "providerARNs", "types", "apiStages"}
)
_BOOLEANS = frozenset({"apiKeyRequired", "enabled", "disableExecuteApiEndpoint"})
_INTEGERS = frozenset({"timeoutInMillis", "authorizerResultTtlInSeconds", "limit", "offset", "burstLimit"})
_NUMBERS = frozenset({"rateLimit"})


def apply_patch(document: Document, operations: Iterable[Mapping[str, Any]]) -> Document:
    """Apply `replace`, `add` and `remove` to `document`, in place; values arrive as text and take their type.

    A list has an item added by value (`/authorizationScopes`, `a`) or by path (`/binaryMediaTypes/image~1png`).
    """
    for operation in operations:
        steps = [_unescaped(step) for step in str(operation.get("path", "")).lstrip("/").split("/")]
        if steps == [""]:
            continue
        _apply(document, steps, str(operation.get("op", "replace")).lower(), operation.get("value"))
    return document


def _apply(document: Document, steps: list[str], op: str, value: Any) -> None:
    *above, last = steps
    at: Any = document
    for position, step in enumerate(above):
        if step in _LISTS:
            _in_list(at, step, op, "/".join(steps[position + 1 :]))
            return
        if not isinstance(at.get(step), dict):
            at[step] = {}
        at = at[step]
    if last in _LISTS and op != "replace":
        _in_list(at, last, op, _item(last, value))
    elif op == "remove":
        at.pop(last, None)
    else:
        at[last] = _typed(last, value)


def _in_list(at: Document, name: str, op: str, item: Any) -> None:
    items = at[name] = list(at.get(name) or ())
    if op == "remove":
        with contextlib.suppress(ValueError):
            items.remove(item)
    elif item not in items:
        items.append(item)


def _item(name: str, value: Any) -> Any:
    if name != "apiStages":
        return value
    api, _, stage = str(value).partition(":")
    return {"apiId": api, "stage": stage}


def _typed(name: str, value: Any) -> Any:
    if name in _LISTS:
        return [value] if isinstance(value, str) else value
    if name in _BOOLEANS:
        return str(value).lower() == "true"
    if name in _INTEGERS:
        return int(float(value))
    return float(value) if name in _NUMBERS else value


def _unescaped(step: str) -> str:
    return step.replace("~1", "/").replace("~0", "~")
