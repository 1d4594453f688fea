"""A token bucket: what AWS's throttles are, by their own account.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Bucket:
    """Fills by `rate` a second up to `most`. Instants are seconds of one monotonic clock; not safe across threads.

    >>> bucket = Bucket(rate=2.0, most=2.0, held=2.0, at_s=0.0)
    >>> [bucket.take(1.0, now_s=0.0) for _ in range(3)], bucket.take(1.0, now_s=0.5)
    ([True, True, False], True)
    """

    rate: float
    most: float
    held: float
    at_s: float

    @classmethod
    def full(cls, rate: float, most: float, now_s: float) -> Bucket:
        """One that may be emptied at once."""
        return cls(rate, most, most, now_s)

    def level(self, now_s: float) -> float:
        """What it holds now; below zero when more was taken than there was."""
        if now_s > self.at_s:
            self.held = min(self.most, self.held + (now_s - self.at_s) * self.rate)
            self.at_s = now_s
        return self.held

    def take(self, amount: float, *, now_s: float) -> bool:
        """Take `amount` if there is as much."""
        if self.level(now_s) < amount:
            return False
        self.held -= amount
        return True

    def resize(self, rate: float, most: float, now_s: float) -> None:
        """Fill at another rate from now on."""
        if (rate, most) != (self.rate, self.most):
            self.level(now_s)
            self.rate, self.most, self.held = rate, most, min(self.held, most)
