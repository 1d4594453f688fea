"""What a workload of a store is, and how what an AWS call came to is told."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import Field
from typing import Any, ClassVar, Literal, Protocol

from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError

from harness.measure.checkers.calls import Call, Value
from harness.measure.finding import Finding
from harness.measure.journal import Outcome

Client = Callable[[str], Any]
"""Makes boto3's client of a service, without retries: every attempt is a call of its own."""


class NotAppliedError(Exception):
    """The store says, or it is certain, that a call did nothing."""


class UnansweredError(Exception):
    """Nobody knows whether a call was done."""


class Store(Protocol):
    """One workload, a dataclass made of `make` and a name. `step` is called from several threads at once."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def prepare(self) -> None:
        """Make what it needs."""
        ...

    def step(self, chance: random.Random, number: int) -> Call:
        """Do one call and say what came of it; `number` is another one for each call."""
        ...

    def check(self, calls: Sequence[Call]) -> list[Finding]:
        """Read everything back, once nothing is under way, and judge."""
        ...

    def clear(self) -> None:
        """Take away what `prepare` made."""
        ...


def told(key: str, action: Literal["read", "write"], value: Value, do: Callable[[], Value]) -> Call:
    """Do a call; a read's value is what `do` returns, a write's what it wrote."""
    started_s = time.monotonic()
    outcome: Outcome = "ok"
    found: Value = None
    try:
        found = do()
    except (ClientError, BotoCoreError) as error:
        outcome = outcome_of(error)
    except NotAppliedError:
        outcome = "fail"
    except UnansweredError:
        outcome = "unknown"
    return Call(
        key=key,
        action=action,
        value=found if action == "read" else value,
        started_s=started_s,
        ended_s=time.monotonic(),
        outcome=outcome,
    )


def outcome_of(error: ClientError | BotoCoreError) -> Outcome:
    """`fail` when AWS says that nothing was done (4xx) or nothing was sent, `unknown` otherwise."""
    if isinstance(error, ClientError):
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        return "fail" if 400 <= status < 500 else "unknown"
    return "fail" if isinstance(error, EndpointConnectionError) else "unknown"
