"""One call of a history, with the value it wrote or read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Literal

import msgspec

from harness.measure.journal import Outcome

Value = str | int | None
"""What a store holds; None is nothing yet."""


class Call(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A read or a write of one key, from `started_s` until it was answered at `ended_s`.

    `value` is what was written, added or read. A read that is not `ok` says nothing and is ignored.
    """

    key: str
    action: Literal["read", "write"]
    value: Value
    started_s: float
    ended_s: float
    outcome: Outcome = "ok"

    @property
    def possible(self) -> bool:
        """Whether it may have taken effect."""
        return self.outcome != "fail"


def by_key(calls: Iterable[Call]) -> dict[str, list[Call]]:
    """The calls of each key, in the order in which they began."""
    found: dict[str, list[Call]] = defaultdict(list)
    for call in sorted(calls, key=lambda call: call.started_s):
        found[call.key].append(call)
    return dict(found)
