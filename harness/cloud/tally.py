"""How often each operation was asked for, and by whom: what a coverage table holds its claims against."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

MOST = 50_000
"""Different triples kept; a stack of two hundred resources makes some hundred."""


@dataclass(slots=True)
class Tally:
    """Counts calls by service, operation and function ('' for a caller outside). For the event loop's thread."""

    _counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def count(self, service: str, operation: str, function: str) -> None:
        """One more."""
        key = (service, operation, function)
        if key in self._counts or len(self._counts) < MOST:
            self._counts[key] += 1

    def rows(self) -> list[dict[str, Any]]:
        """`service operation function count`, as JSON."""
        names = ("service", "operation", "function", "count")
        return [dict(zip(names, (*key, count), strict=True)) for key, count in sorted(self._counts.items())]

    def clear(self) -> None:
        """The cloud was reset."""
        self._counts.clear()
