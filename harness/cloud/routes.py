"""REST routes of a service, compiled from botocore's model: method, path, query and headers to an operation.

Operations that share a path (S3 has three paths for a hundred operations) are told apart by what they
require: query keys in the route (`?acl`), and required members that travel in the query or in headers
(`x-amz-copy-source` tells CopyObject from PutObject). The one that requires the most, and has it, wins.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.cloud.models import Model

_LABEL = re.compile(r"\{([^}+]+)(\+?)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One operation under one path."""

    operation: str
    query: tuple[tuple[str, str], ...]
    """Query keys that must be there; an empty value accepts any."""
    headers: tuple[bytes, ...]
    rank: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutePath:
    """One path of a service with the operations that share it, the most demanding first."""

    pattern: re.Pattern[str]
    routes: tuple[Route, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """An operation found, with the path's labels, still URL-encoded, in the order of the path."""

    operation: str
    labels: Mapping[str, str]


class RouteTable:
    """The routes of one service."""

    def __init__(self, model: Model) -> None:
        self._by_method = _compile(model)

    def find(self, method: str, path: str, query: Mapping[str, str], headers: Mapping[bytes, bytes]) -> Match | None:
        """The operation that this request is, or None.

        Args:
            method: HTTP method.
            path: as sent, URL-encoded, without the query.
            query: keys to their first value, decoded.
            headers: names in lower case.
        """
        for candidate in self._by_method.get(method, ()):
            matched = candidate.pattern.fullmatch(path)
            if matched is None:
                continue
            for route in candidate.routes:
                if _has(route, query, headers):
                    return Match(operation=route.operation, labels=matched.groupdict())
        return None


def _has(route: Route, query: Mapping[str, str], headers: Mapping[bytes, bytes]) -> bool:
    return all(key in query and (not value or query[key] == value) for key, value in route.query) and all(
        name in headers for name in route.headers
    )


def _compile(model: Model) -> dict[str, tuple[RoutePath, ...]]:
    grouped: dict[str, dict[str, list[Route]]] = {}
    for name, operation in model["operations"].items():
        http = operation["http"]
        path, _, query = http["requestUri"].partition("?")
        grouped.setdefault(http["method"], {}).setdefault(path, []).append(_route(name, operation, query, model))
    table = {}
    for method, paths in grouped.items():
        ordered = sorted(paths, key=_specificity)
        table[method] = tuple(
            RoutePath(
                pattern=_pattern(path), routes=tuple(sorted(paths[path], key=lambda route: route.rank, reverse=True))
            )
            for path in ordered
        )
    return table


def _route(name: str, operation: Mapping[str, Any], query: str, model: Model) -> Route:
    literal = [(key, value) for key, _, value in (part.partition("=") for part in query.split("&") if part)]
    shape = model["shapes"].get(operation.get("input", {}).get("shape", ""), {})
    members = [shape["members"][member] for member in shape.get("required", ())]
    required_query = [(m["locationName"], "") for m in members if m.get("location") == "querystring"]
    headers = tuple(m["locationName"].lower().encode() for m in members if m.get("location") == "header")
    asked = tuple(literal + required_query)
    # A deprecated operation shares its route with its successor: the successor is what an SDK sends.
    rank = (len(asked) + len(headers), sum(1 for _, value in asked if value), not operation.get("deprecated", False))
    return Route(operation=name, query=asked, headers=headers, rank=rank)


def _specificity(path: str) -> tuple[int, int, str]:
    """Literal segments before labels, labels before greedy labels."""
    segments = path.strip("/").split("/")
    return (1 if "+}" in path else 0, -sum(1 for s in segments if not s.startswith("{")), path)


def _pattern(path: str) -> re.Pattern[str]:
    parts, position = [], 0
    for label in _LABEL.finditer(path):
        parts.append(re.escape(path[position : label.start()]))
        name = re.sub(r"\W", "_", label[1])
        parts.append(f"(?P<{name}>{'.+' if label[2] else '[^/]+'})")
        position = label.end()
    parts.append(re.escape(path[position:]))
    return re.compile("".join(parts).rstrip("/") + "/?")
