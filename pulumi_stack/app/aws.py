"""AWS clients whose waiting is bounded: a function must give up before its caller does.

Connect, read and retries together stay below the function's own timeout. Retries use exponential backoff with
jitter (botocore's standard mode).
"""

import functools
import os
from typing import Any

import boto3
from botocore.config import Config

_READ_S = float(os.environ.get("READ_TIMEOUT_S", "1.0"))
_PATIENCE = Config(
    connect_timeout=_READ_S / 2, read_timeout=_READ_S, retries={"mode": "standard", "total_max_attempts": 3}
)


@functools.cache
def client(service: str) -> Any:  # boto3 makes clients at run time
    """The client of a service, made once for each environment."""
    return boto3.client(service, config=_PATIENCE)
