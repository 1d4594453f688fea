"""Asynchronous invocations: what is retried, how often, and what comes of an event in the end."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from harness.cloud.delivery import asynchronous
from harness.cloud.delivery.asynchronous import AsyncEvent, AsyncInvocations, Attempt, Condition, Kind
from tests.waiting import awaited

OK, FAILED, NOT_RUN = Attempt("ok", 1), Attempt("function_error", {"errorMessage": "no"}), Attempt("not_run")


@dataclass
class Scripted:
    """A function that answers by a script, and remembers how each event ended."""

    script: list[Attempt]
    ends: list[tuple[Condition, int]] = field(default_factory=list)

    def invoke(self, event: AsyncEvent) -> Attempt:
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]

    def ended(self, event: AsyncEvent, condition: Condition) -> None:
        self.ends.append((condition, event.attempts))


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr(asynchronous, "RETRY_WAITS_S", (0.01, 0.02))
    monkeypatch.setattr(asynchronous, "BACKOFF_S", (0.01, 0.02))
    made: list[AsyncInvocations] = []

    def submit(*script: Attempt, **options: Any) -> list[tuple[Condition, int]]:
        function = Scripted(list(script))
        queue = AsyncInvocations(function, time.time)
        made.append(queue)
        queue.start()
        queue.submit(AsyncEvent(function_arn="arn", payload={}, context=None, accepted_s=time.time(), **options))
        awaited(lambda: function.ends)
        return function.ends

    yield submit
    for queue in made:
        queue.close()


@pytest.mark.parametrize(
    ("script", "options", "end"),
    [
        ([OK], {}, ("Success", 1)),
        ([FAILED, OK], {}, ("Success", 2)),
        ([FAILED], {}, ("RetriesExhausted", 3)),
        ([FAILED], {"retries": 0}, ("RetriesExhausted", 1)),
        ([NOT_RUN, NOT_RUN, NOT_RUN, NOT_RUN, OK], {"retries": 0}, ("Success", 5)),  # throttles do not count
        ([NOT_RUN, FAILED, NOT_RUN, FAILED, FAILED], {}, ("RetriesExhausted", 5)),
    ],
)
def test_an_event_ends_as_aws_says(
    run: Any, script: list[Attempt], options: dict[str, Any], end: tuple[Condition, int]
) -> None:
    assert run(*script, **options) == [end]


def test_an_event_that_got_too_old_is_given_up(run: Any) -> None:
    ((condition, _),) = run(NOT_RUN, max_age_s=0.05)
    assert condition == "EventAgeExceeded"


def test_a_kind_of_attempt_is_one_of_three() -> None:
    assert {attempt.kind for attempt in (OK, FAILED, NOT_RUN)} == set(Kind.__args__)  # type: ignore[attr-defined]
