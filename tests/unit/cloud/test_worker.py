"""The thread of a cluster: what was done is published before whoever waits for it is told."""

import threading
from concurrent.futures import CancelledError, Future
from typing import Any

import pytest

from harness.cloud.databases.worker import Worker


def fail() -> None:
    raise ZeroDivisionError


@pytest.mark.parametrize("job", [lambda: None, fail])
def test_what_was_done_is_published_before_its_future_is_done(job: Any) -> None:
    asked, made, seen = threading.Event(), list[Future[None]](), list[bool]()

    def publish() -> None:
        asked.wait(60)
        seen.append(made[0].done())

    worker = Worker("w", publish)
    made.append(worker.do(job))
    asked.set()
    failed = made[0].exception(60)
    worker.close()
    worker.join()
    assert seen == [False]
    assert (failed is None) is (job is not fail)


def test_a_publication_that_fails_ends_neither_the_thread_nor_the_wait() -> None:
    worker = Worker("w", fail)
    assert isinstance(worker.do(lambda: None).exception(60), ZeroDivisionError)
    assert isinstance(worker.do(lambda: None).exception(60), ZeroDivisionError)
    worker.close()
    worker.join()


def test_what_waits_when_it_is_closed_is_cancelled() -> None:
    held = threading.Event()
    worker = Worker("w", lambda: None)
    worker.do(lambda: held.wait(60))
    waiting = worker.do(lambda: None)
    worker.close()
    held.set()
    with pytest.raises(CancelledError):
        waiting.result(60)
