"""A partner's message is signed with the key of now, or checked against the keys of now and of before.

The key is read each time: a rotation is noticed at once, and nobody has to be stopped for it.
"""

import hashlib
import hmac
import os
from typing import Any

import time_budget
from aws import client

SECRET = os.environ["SECRET_ARN"]


@time_budget.begun
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """`{text}` → `{signature}`; `{text, signature}` → `{good}`."""
    if "signature" not in event:
        return {"signature": _signed(event["text"], "AWSCURRENT")}
    good = any(
        hmac.compare_digest(event["signature"], _signed(event["text"], stage))
        for stage in ("AWSCURRENT", "AWSPREVIOUS")
    )
    return {"good": good}


def _signed(text: str, stage: str) -> str:
    found = client("secretsmanager").get_secret_value(SecretId=SECRET, VersionStage=stage)
    return hmac.new(found["SecretString"].encode(), text.encode(), hashlib.sha256).hexdigest()
