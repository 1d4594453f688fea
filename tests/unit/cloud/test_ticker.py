"""What looks now and then goes on whatever a look meets, and comes again at once while there is more."""

import logging
import threading

import pytest

from harness.cloud.ticker import Ticker
from tests.waiting import awaited


def test_a_look_that_raises_is_told_and_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    looks: list[int] = []

    def look() -> None:
        looks.append(1)
        if len(looks) == 1:
            raise ValueError("no such plan")

    ticker = Ticker("plans", 0.001, look)
    ticker.start()
    ticker.start()  # once is enough
    awaited(lambda: len(looks) > 2)
    ticker.stop(wait=True)
    ended = len(looks)
    assert [(one.name, one.levelno, one.message) for one in caplog.records] == [
        ("harness.cloud.ticker", logging.ERROR, "plans")
    ]
    assert len(looks) == ended


def test_what_found_something_looks_again_at_once() -> None:
    pauses: list[float] = []

    class Heard(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            pauses.append(timeout or 0.0)
            return len(pauses) > 4

    found = iter([True, True, False, True])
    Ticker("pipes", 9.0, lambda: next(found), Heard())._run()
    assert pauses == [9.0, 0.0, 0.0, 9.0, 0.0]


def test_a_long_pause_is_cut_short_by_the_end() -> None:
    ticker = Ticker("backups", 3600.0, lambda: pytest.fail("too early"))
    ticker.start()
    ticker.stop(wait=True)
