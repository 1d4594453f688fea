"""What was found wrong, with its evidence: the key it is about, the instant, and the rest in words."""

from __future__ import annotations

import msgspec

MOST_FINDINGS = 20
"""Findings kept of each kind in a report; the counts beside them are always whole."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One anomaly. `at_s` is on the clock of the history that was checked, None where no instant is known.

    `kind` names the broken rule (`lost`, `duplicate`, `stale read` …); `key` is the business key.
    """

    kind: str
    key: str
    at_s: float | None = None
    detail: str = ""
