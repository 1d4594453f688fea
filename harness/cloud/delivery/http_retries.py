"""When a delivery over HTTP is tried again: SNS's delivery policies, and the retry policy of a rule's target. Pure.

https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

NO_ANSWER = 0
"""In place of a status, when nobody answered."""

MOST_RETRIES = 185
LONGEST_AGE_S = 24 * 3600.0
"""What EventBridge does without a retry policy of the target's own."""

_BACKOFF_S = (1.0, 60.0)
"""EventBridge backs off exponentially and names no figures: first wait and longest."""

_DEFAULT = {"minDelayTarget": 20, "maxDelayTarget": 20, "numRetries": 3, "backoffFunction": "linear"}


def is_worth_retrying(status: int) -> bool:
    """Whether a later try may succeed: nobody answered, the server failed, or it asked for patience."""
    return status == NO_ANSWER or status >= 500 or status in {401, 407, 409, 429}


@dataclass(frozen=True, slots=True, kw_only=True)
class SnsPolicy:
    """The phases of a healthyRetryPolicy; delays in seconds."""

    low_s: float = 20.0
    high_s: float = 20.0
    retries: int = 3
    no_delay: int = 0
    at_low: int = 0
    at_high: int = 0
    backoff: str = "linear"

    @classmethod
    def of(cls, topic: Mapping[str, Any], subscription: Mapping[str, Any]) -> SnsPolicy:  # JSON in both attributes
        """The policy of a subscription, else the topic's, else AWS's own; a topic may overrule its subscriptions."""
        whole = json.loads(topic.get("DeliveryPolicy") or "{}").get("http") or {}
        own = json.loads(subscription.get("DeliveryPolicy") or "{}").get("healthyRetryPolicy")
        if whole.get("disableSubscriptionOverrides"):
            own = None
        found = {**_DEFAULT, **(own or whole.get("defaultHealthyRetryPolicy") or {})}
        return cls(
            low_s=float(found["minDelayTarget"]),
            high_s=float(found["maxDelayTarget"]),
            retries=int(found["numRetries"]),
            no_delay=int(found.get("numNoDelayRetries") or 0),
            at_low=int(found.get("numMinDelayRetries") or 0),
            at_high=int(found.get("numMaxDelayRetries") or 0),
            backoff=str(found["backoffFunction"]),
        )

    def waits_s(self) -> list[float]:
        """How long before each retry: at once, at the least delay, growing, at the longest."""
        growing = max(self.retries - self.no_delay - self.at_low - self.at_high, 0)
        phases = [0.0] * self.no_delay + [self.low_s] * self.at_low
        phases += [self._grown(step, growing) for step in range(growing)]
        return (phases + [self.high_s] * self.at_high)[: self.retries]

    def _grown(self, step: int, steps: int) -> float:
        share = step / (steps - 1) if steps > 1 else 0.0
        if self.backoff in {"exponential", "geometric"} and self.low_s > 0:
            return self.low_s * float((self.high_s / self.low_s) ** share)
        if self.backoff == "arithmetic":
            share = step * (step + 1) / max((steps - 1) * steps, 1)
        return self.low_s + (self.high_s - self.low_s) * share


@dataclass(frozen=True, slots=True)
class TargetPolicy:
    """A RetryPolicy of a rule's target."""

    retries: int = MOST_RETRIES
    max_age_s: float = LONGEST_AGE_S

    @classmethod
    def of(cls, target: Mapping[str, Any]) -> TargetPolicy:
        """What the target says."""
        given = target.get("RetryPolicy") or {}
        retries, age_s = given.get("MaximumRetryAttempts"), given.get("MaximumEventAgeInSeconds")
        return cls(
            MOST_RETRIES if retries is None else int(retries), LONGEST_AGE_S if age_s is None else float(age_s)
        )

    def waits_s(self) -> Iterator[float]:
        """How long before each retry, until there may be none, or the event would be too old."""
        age_s = 0.0
        for number in itertools.islice(itertools.count(), self.retries):
            wait_s = min(_BACKOFF_S[0] * 2.0**number, _BACKOFF_S[1])
            age_s += wait_s
            if age_s > self.max_age_s:
                return
            yield wait_s
