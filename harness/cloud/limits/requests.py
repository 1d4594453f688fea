"""Rates of requests that KMS and Parameter Store take, by kind of operation; one more is a ThrottlingException.

https://docs.aws.amazon.com/kms/latest/developerguide/throttling.html
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from harness.cloud.identify import Request
from harness.cloud.limits.buckets import Bucket
from harness.cloud.limits.quotas import Quotas

_SYMMETRIC: Final = frozenset(
    ("Decrypt", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "GenerateMac", "GenerateRandom",
     "ReEncrypt", "VerifyMac")
)  # fmt: skip
_ASYMMETRIC: Final = frozenset(("Decrypt", "Encrypt", "ReEncrypt", "Sign", "Verify"))
_PARAMETERS: Final = frozenset(("GetParameter", "GetParameters", "GetParametersByPath"))

LIMITED: Final = frozenset({"kms", "ssm"})
"""The services that are asked about."""

KEYED: Final = frozenset({"kms"})
"""Those of them whose quota depends on the key."""


def quota_of(service: str, operation: str, key_spec: str) -> str:
    """The name of the quota that a call counts to; '' for none. `key_spec` is the KMS key's, '' when unknown.

    >>> quota_of("kms", "Sign", "ECC_NIST_P256"), quota_of("kms", "Decrypt", ""), quota_of("kms", "CreateKey", "")
    ('kms_ecc_rate', 'kms_symmetric_rate', '')
    """
    if service == "ssm":
        return "ssm_get_rate" if operation in _PARAMETERS else ""
    if operation in _ASYMMETRIC and key_spec.startswith(("RSA", "ECC")):
        return f"kms_{key_spec[:3].lower()}_rate"
    return "kms_symmetric_rate" if operation in _SYMMETRIC else ""


@dataclass(slots=True, kw_only=True)
class RequestRates:
    """Buckets of one second by account, region and quota. On the gate's loop only."""

    quotas: Quotas
    key_spec: Callable[[Request], str]
    now_s: Callable[[], float] = time.monotonic
    _buckets: dict[tuple[str, str, str], Bucket] = field(default_factory=dict)

    def refused(self, request: Request) -> str:
        """What to say to a call that comes too fast; '' to let it through."""
        if request.service not in LIMITED:
            return ""
        spec = self.key_spec(request) if request.operation in _ASYMMETRIC else ""
        name = quota_of(request.service, request.operation, spec)
        if not name:
            return ""
        now_s, key = self.now_s(), (request.account, request.region, name)
        rate = float(getattr(self.quotas, name))
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = Bucket.full(rate, max(1.0, rate), now_s)
        return "" if bucket.take(1.0, now_s=now_s) else _SAID[request.service]

    def forget(self) -> None:
        """Every bucket is full again."""
        self._buckets.clear()


_SAID: Mapping[str, str] = {
    "kms": "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.",
    "ssm": "Rate exceeded",
}
