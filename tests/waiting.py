"""Waiting for something to come true, as long as a slow machine may need."""

import time
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")

PATIENCE_S = 60.0
"""A limit that only a broken program reaches: how fast things are is measured by `make bench`, never by a test."""


def until(question: Callable[[], Answer], within_s: float = PATIENCE_S) -> Answer:
    """The first true answer to `question`, or its last answer when the time is up: assert what comes back."""
    until_s = time.monotonic() + within_s
    while not (answer := question()) and time.monotonic() < until_s:
        time.sleep(0.02)
    return answer


def awaited(question: Callable[[], Answer], within_s: float = PATIENCE_S) -> Answer:
    """The first true answer to `question`; fails the test when none comes."""
    answer = until(question, within_s)
    assert answer, f"not within {within_s:g} s: {question}"
    return answer
