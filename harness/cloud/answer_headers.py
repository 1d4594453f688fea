"""Headers that the emulator adds to every answer and AWS to few: each costs the caller's SDK time to parse.

AWS answers with CORS headers only where a browser asked (`Origin`), and with `x-amz-request-id` and `x-amz-id-2` only
from S3; the other services have `x-amzn-requestid`.
Source: https://docs.aws.amazon.com/AmazonS3/latest/API/RESTCommonResponseHeaders.html
"""

from __future__ import annotations

from collections.abc import Iterable

from harness.cloud.asgi import Message, Send

_BROWSERS_ONLY = b"access-control-"
_S3_ONLY = frozenset({b"x-amz-request-id", b"x-amz-id-2"})
_S3 = frozenset({"s3", "s3control"})


def as_aws_sends_them(send: Send, service: str, request_headers: Iterable[tuple[bytes, bytes]]) -> Send:
    """`send`, without the headers that the service of this request would not answer with."""
    by_browser = any(name == b"origin" for name, _ in request_headers)
    from_s3 = service in _S3

    async def trimmed(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [
                header
                for header in message["headers"]
                if (by_browser or not header[0].lower().startswith(_BROWSERS_ONLY))
                and (from_s3 or header[0].lower() not in _S3_ONLY)
            ]
        await send(message)

    return trimmed
