"""AWS clients whose waiting is bounded: a function must give up before its caller does.

A try ends after `READ_TIMEOUT_S`, and there are three, with exponential backoff and full jitter between them
(botocore's standard mode), or fewer for who has something to fall back on; all within the time budget of the
handler, which makes them shorter and fewer.
"""

import functools
import os
from typing import Any

import boto3
import time_budget
from botocore import UNSIGNED
from botocore.config import Config

_READ_S = float(os.environ.get("READ_TIMEOUT_S", "1.0"))


def client(
    service: str, *, signed: bool = True, endpoint_url: str | None = None, tries: int = 3
) -> Any:  # boto3 makes clients
    """The client of a service, made once for each environment and length of patience."""
    return _made(service, time_budget.share(_READ_S), signed=signed, endpoint_url=endpoint_url, tries=tries)


@functools.cache
def _made(service: str, read_s: float, *, signed: bool, endpoint_url: str | None, tries: int) -> Any:
    config = Config(
        connect_timeout=read_s / 2,
        read_timeout=read_s,
        retries={"mode": "standard", "total_max_attempts": tries},
        signature_version=None if signed else UNSIGNED,
    )
    made = boto3.client(service, endpoint_url=endpoint_url, config=config)
    time_budget.watch(made, read_s)
    return made
