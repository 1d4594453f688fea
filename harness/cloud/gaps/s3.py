"""Sub-resources of S3 that ministack does not know: what it takes for the bucket itself, and deletes or creates.

- Metrics, inventory, analytics and Intelligent-Tiering configurations are kept by their ids; nothing acts on them.
- Anything else of AWS's that it does not know is refused with NotImplemented, and leaves bucket and object alone.
"""

from __future__ import annotations

import functools
from typing import Any
from xml.etree.ElementTree import Element, fromstring, tostring

from harness.cloud.ministack_hooks import before_first_call

_Answer = tuple[int, dict[str, str], bytes]

_LISTS = {
    "metrics": "ListMetricsConfigurationsResult",
    "inventory": "ListInventoryConfigurationsResult",
    "analytics": "ListBucketAnalyticsConfigurationsResult",
    "intelligent-tiering": "ListBucketIntelligentTieringConfigurationsOutput",
}
"""Kind of configuration → the root of the list of them."""

_UNKNOWN = {
    "bucket": frozenset(
        {"abac", "metadataAnnotationTable", "metadataConfiguration", "metadataInventoryTable", "metadataJournalTable",
         "metadataTable", "policyStatus", "session"}
    ),
    "object": frozenset({"encryption", "renameObject", "select", "torrent"}),
}  # fmt: skip
"""What ministack has no word for: it answers as if it were not there."""

_KEPT = "BlackstartConfigurations"


def close() -> None:
    """Call it before S3 is used."""
    before_first_call("s3", _install)


def _install() -> None:
    from ministack.services import s3

    builtin = s3._dispatch  # noqa: SLF001

    def dispatch(method: str, bucket: str, key: str, *rest: Any) -> Any:
        _headers, body, query = rest
        level = "object" if key else "bucket"
        asked = query.keys() & _methods(level).keys() if bucket else frozenset()
        if not asked:
            return builtin(method, bucket, key, *rest)
        name = min(asked)
        if not any(method in _methods(level)[one] for one in asked):
            return s3._error("MethodNotAllowed", "The specified method is not allowed against this resource.", 405)  # noqa: SLF001
        if asked & _UNKNOWN[level]:
            return s3._error("NotImplemented", f"?{name} is not supported by this cloud", 501, f"/{bucket}/{key}")  # noqa: SLF001
        if level == "bucket" and name in _LISTS:
            return _configuration(method, bucket, name, _first(query.get("id")), body)
        if level == "bucket" and (method, name) == ("GET", "requestPayment"):  # ministack waits for request-payment
            return s3._get_bucket_request_payment(bucket)  # noqa: SLF001
        return builtin(method, bucket, key, *rest)

    s3._dispatch = dispatch  # noqa: SLF001


@functools.cache
def _methods(level: str) -> dict[str, frozenset[str]]:
    """Sub-resource → the methods that AWS has for it, of buckets or of objects."""
    from harness.cloud.models import Models

    found: dict[str, set[str]] = {}
    for operation in Models().get("s3")["operations"].values():
        path, _, query = operation["http"]["requestUri"].partition("?")
        if query and ("object" if "{Key" in path else "bucket") == level:
            found.setdefault(query.partition("&")[0].partition("=")[0], set()).add(operation["http"]["method"])
    return {name: frozenset(methods) for name, methods in found.items()}


def _configuration(method: str, bucket: str, kind: str, identity: str, body: bytes) -> _Answer:
    """Put, get, list or delete configurations of one kind; they go with their bucket.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketMetricsConfiguration.html and its likes
    """
    from ministack.services import s3

    record = s3._buckets.get(bucket)  # noqa: SLF001
    if record is None:
        missing: _Answer = s3._no_such_bucket(bucket)  # noqa: SLF001
        return missing
    kept: dict[str, str] = record.setdefault(_KEPT, {}).setdefault(kind, {})
    if method == "PUT":
        kept[identity] = body.decode()
        return 200, {}, b""
    if method == "GET" and not identity:
        return _xml(_listed(kind, [kept[name] for name in sorted(kept)]))
    if identity not in kept:
        words = "The specified configuration does not exist."
        absent: _Answer = s3._error("NoSuchConfiguration", words, 404, f"/{bucket}")  # noqa: SLF001
        return absent
    if method == "GET":
        return _xml(kept[identity].encode())
    del kept[identity]
    return 204, {}, b""


def _listed(kind: str, bodies: list[str]) -> bytes:
    root = Element(_LISTS[kind])
    truncated = Element("IsTruncated")
    truncated.text = "false"
    root.extend([truncated, *(fromstring(body) for body in bodies)])  # noqa: S314 - ministack's callers are ours
    return tostring(root)


def _xml(body: bytes) -> _Answer:
    return 200, {"Content-Type": "application/xml"}, body


def _first(value: Any) -> str:
    """A query parameter as ministack gives it: a list of values, or one."""
    return str((value or [""])[0] if isinstance(value, list) else value or "")
