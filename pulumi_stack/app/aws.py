"""AWS clients whose waiting is bounded: a function must give up before its caller does.

A try ends after `READ_TIMEOUT_S`, and there are three, with exponential backoff and full jitter between them
(botocore's standard mode); in a handler that has begun a time budget, as many and as long as that leaves.
"""

import functools
import os
from typing import Any

import boto3
import time_budget
from botocore.config import Config

_READ_S = float(os.environ.get("READ_TIMEOUT_S", "1.0"))


def client(service: str) -> Any:  # boto3 makes clients at run time
    """The client of a service, made once for each environment and length of patience."""
    return _made(service, *time_budget.share(_READ_S))


@functools.cache
def _made(service: str, read_s: float, tries: int) -> Any:
    retries = {"mode": "standard", "total_max_attempts": tries}
    return boto3.client(service, config=Config(connect_timeout=read_s / 2, read_timeout=read_s, retries=retries))
