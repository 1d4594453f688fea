"""What ministack does anew for each call and need not: the same answers, for less of the processor.

Figures are of one order with everything after it (`tests/bench/shop_bench.py`, IAM enforced), in the cloud's process.
"""

from __future__ import annotations

import functools
import os
import threading
import time
import uuid
from collections import deque
from email.utils import formatdate
from functools import partial
from types import SimpleNamespace
from typing import Any

from harness.cloud.crew import Crew, CrewThread


def install() -> None:
    """Put them in place. Call it before ministack serves."""
    _remember_root_keys()
    _name_callers_without_their_policies()
    _remember_checked_conditions()
    _tell_the_date_once_a_second()
    _keep_threads()
    _draw_randomness_in_blocks()


def _remember_root_keys() -> None:
    """Which access keys are the root's does not change: ministack asks its environment six times for each call."""
    from ministack.core import iam_evaluator

    iam_evaluator.is_root_access_key = functools.lru_cache(maxsize=4096)(iam_evaluator.is_root_access_key)


def _name_callers_without_their_policies() -> None:
    """A caller's ARN needs its credential only; ministack gathers its policies for it, and again to judge them."""
    from ministack.core import iam_evaluator, responses, router

    def caller_arn(headers: dict[str, str], query_params: dict[str, Any] | None = None) -> str:
        account = responses.get_account_id()
        key = router.extract_access_key_id(headers or {}, query_params or {})
        if key:
            owner = responses._account_from_sts_session(key) or account  # noqa: SLF001
            found = iam_evaluator.resolve_credential(key, owner)
            arn = "" if isinstance(found, iam_evaluator.CredentialResolutionError) else found.principal_arn
            if arn:
                return str(arn)
        return f"arn:aws:iam::{account}:root"

    iam_evaluator.request_caller_arn = caller_arn


def _remember_checked_conditions() -> None:
    """Whether a condition is one depends on its text alone; what is wrong with it is raised, and not remembered."""
    from ministack.services import dynamodb

    check = dynamodb._condition_syntax_error  # noqa: SLF001
    dynamodb._condition_syntax_error = functools.lru_cache(maxsize=4096)(check)  # noqa: SLF001


def _tell_the_date_once_a_second() -> None:
    """A `Date` has no fractions: ministack writes it anew for each answer."""
    from ministack import app

    at = functools.lru_cache(maxsize=1)(partial(formatdate, usegmt=True))
    app.formatdate = lambda *, usegmt: at(int(time.time())) if usegmt else formatdate()


def _keep_threads() -> None:
    """Keep the threads that invocations and batches run on."""
    from ministack.core import concurrency

    concurrency.threading = SimpleNamespace(Thread=partial(CrewThread, Crew("invocations")), Lock=threading.Lock)


def _draw_randomness_in_blocks() -> None:
    """Take the randomness of many UUIDs at once: ministack makes some twenty for an order.

    Each asks the kernel, which gives up Python's lock, and who answers calls has to wait for it again.
    """
    drawn: deque[bytes] = deque()

    def uuid4() -> uuid.UUID:
        while True:
            try:
                return uuid.UUID(bytes=drawn.popleft(), version=4)
            except IndexError:
                block = os.urandom(16 * 256)
                drawn.extend(block[at : at + 16] for at in range(0, len(block), 16))

    uuid.uuid4 = uuid4
