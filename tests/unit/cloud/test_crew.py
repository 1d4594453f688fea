"""Threads that are kept."""

import contextvars
import logging
import threading
from functools import partial

import pytest

from harness.cloud.crew import Crew, CrewThread
from harness.cloud.delivery.pollers import Wake

PATIENCE_S = 30.0


def done(crew: Crew) -> threading.Thread:
    """Have the crew do something, and say which thread did it."""
    by: list[threading.Thread] = []
    thread = CrewThread(crew, target=lambda: by.append(threading.current_thread()))
    thread.start()
    thread.join(PATIENCE_S)
    assert not thread.is_alive()
    return by[0]


def idle(crew: Crew) -> None:
    """Wait until its one thread has nothing to do."""
    while crew._idle != 1:
        threading.Event().wait(0.001)


def test_work_waits_for_no_other_work_and_a_thread_that_is_free_has_the_next() -> None:
    crew, held, both = Crew("test"), threading.Event(), threading.Barrier(2)
    crew.run(partial(both.wait, PATIENCE_S))
    both.wait(PATIENCE_S)
    idle(crew)
    crew.run(partial(held.wait, PATIENCE_S))
    other = done(crew)  # while the first is held
    held.set()
    assert other is not threading.current_thread()
    assert crew._waiting.empty()


def test_each_piece_of_work_begins_as_in_a_new_thread(caplog: pytest.LogCaptureFixture) -> None:
    crew, seen = Crew("test"), list[str]()
    word = contextvars.ContextVar("word", default="nothing")

    def work() -> None:
        seen.append(word.get())
        word.set("left behind")
        raise ValueError("so it ends")

    first = done(crew)
    with caplog.at_level(logging.ERROR):
        for _ in range(2):
            idle(crew)
            crew.run(work)
        idle(crew)
        assert done(crew) is first
    assert seen == ["nothing", "nothing"]
    assert [record.message for record in caplog.records] == ["in a thread of test"] * 2


def test_a_wake_before_the_look_is_kept_and_one_more_adds_nothing() -> None:
    wake = Wake()
    wake.set()
    wake.set()
    assert wake.wait(0)
    wake.clear()
    assert not wake.is_set()
