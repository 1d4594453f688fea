"""What becomes of a stream's batch that a function failed: tried again, halved, or given up. Pure.

https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-errors.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

FOREVER = -1
Verdict = Literal["again", "RetryAttemptsExhausted", "MaximumRecordAgeExceeded"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRule:
    """What an event source mapping says. `retries` and `max_age_s` are -1 for as long as the record lives."""

    retries: int = FOREVER
    max_age_s: float = FOREVER
    bisect: bool = False

    @classmethod
    def of(cls, mapping: Mapping[str, Any]) -> RetryRule:  # the emulator's record of an event source mapping
        """The rule of a mapping; what it leaves open is AWS's default."""
        retries, age_s = mapping.get("MaximumRetryAttempts"), mapping.get("MaximumRecordAgeInSeconds")
        return cls(
            retries=FOREVER if retries is None else int(retries),
            max_age_s=FOREVER if age_s is None else float(age_s),
            bisect=bool(mapping.get("BisectBatchOnFunctionError")),
        )


@dataclass(slots=True)
class BatchProgress:
    """One mapping's way through its stream. `position` counts records; `ends` are where halved batches end."""

    failures: int = 0
    attempts: int = 0
    ends: list[int] = field(default_factory=list)

    def size(self, position: int, batch_size: int) -> int:
        """How many records the next batch may have."""
        while self.ends and self.ends[-1] <= position:
            self.ends.pop()
        return min(batch_size, self.ends[-1] - position) if self.ends else batch_size

    def passed(self) -> None:
        """The batch was processed, or given up."""
        self.failures = self.attempts = 0

    def failed(self, rule: RetryRule, *, position: int, length: int, oldest_age_s: float) -> Verdict:
        """A batch of `length` records at `position` failed; says what comes of it.

        Halving does not count as a retry: a batch of one has all its tries before it.
        """
        self.attempts += 1
        if rule.max_age_s >= 0 and oldest_age_s > rule.max_age_s:
            return "MaximumRecordAgeExceeded"
        if rule.bisect and length > 1:
            if not self.ends or self.ends[-1] != position + length:
                self.ends.append(position + length)
            self.ends.append(position + length // 2)
            return "again"
        self.failures += 1
        if 0 <= rule.retries < self.failures:
            return "RetryAttemptsExhausted"
        return "again"
