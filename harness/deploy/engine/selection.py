"""Which resources an operation is about: `--only-resource` and `--replace`, as URNs, names or wildcards."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from harness.errors import UsageError, nearest


@dataclass(frozen=True, slots=True)
class Selection:
    """Resources by pattern: a URN, a name, `type::name`, each with `*` (not across `::`) and `**` (anything).

    An empty selection names nothing.
    """

    patterns: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.patterns)

    def names(self, urn: str) -> bool:
        """True when one of the patterns stands for `urn`."""
        return any(_matches(pattern, urn) for pattern in self.patterns)

    def require(self, urns: Iterable[str], *, where: str) -> None:
        """Check that every pattern stands for one of `urns`.

        Raises:
            UsageError: one stands for none; names the nearest.
        """
        known = list(urns)
        for pattern in self.patterns:
            if not any(_matches(pattern, urn) for urn in known):
                words = known if pattern.startswith("urn:") else {urn.split("::", 3)[3] for urn in known}
                raise UsageError(
                    f"no resource of the stack is called {pattern!r}", where=where, hint=nearest(pattern, words)
                )


def _matches(pattern: str, urn: str) -> bool:
    if pattern.startswith("urn:"):
        return _like(pattern, urn)
    _, _, kind, name = urn.split("::", 3)
    own_type = kind.rsplit("$", 1)[-1]
    return _like(pattern, name) or _like(pattern, f"{own_type}::{name}")


def _like(pattern: str, text: str) -> bool:
    """Pulumi's wildcards: `*` stops at `::`, `**` does not."""
    parts = re.split(r"(\*\*|\*)", pattern)
    regex = "".join({"*": "(?:(?!::).)*", "**": ".*"}.get(part) or re.escape(part) for part in parts)
    return re.fullmatch(regex, text) is not None
