"""AWS errors in the exact form that each protocol gives them, from botocore's service models.

Forms: Smithy's protocol specifications, https://smithy.io/2.0/aws/protocols/index.html, and S3's own
error document, https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from __future__ import annotations

import json
import struct
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from harness.cloud.models import Model, Models

_COMMON = {
    "InternalFailure": 500, "InternalError": 500, "InternalServerError": 500, "ServiceUnavailable": 503,
    "ServiceUnavailableException": 503, "SlowDown": 503, "Throttling": 400, "ThrottlingException": 400,
    "RequestLimitExceeded": 400, "TooManyRequestsException": 429, "AccessDenied": 403, "AccessDeniedException": 403,
    "ExpiredToken": 403, "RequestTimeout": 400, "ValidationError": 400, "ValidationException": 400,
}  # fmt: skip
"""HTTP status of errors common to all services.

Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/CommonErrors.html and the same page of other services;
S3's are in its ErrorResponses page.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class WireError:
    """A response, ready to be sent."""

    status: int
    content_type: str
    body: bytes
    headers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fault:
    """What the error is, before it takes a form."""

    service: str
    shape: str
    code: str
    status: int
    message: str
    request_id: str
    model: Model

    @property
    def kind(self) -> str:
        """`Sender` for the caller's fault, `Receiver` for the service's."""
        return "Sender" if self.status < 500 else "Receiver"


def wire_error(
    models: Models, service: str, sent_as: str, *, code: str, status: int = 0, message: str = ""
) -> WireError:
    """The response that the service gives for an error.

    Args:
        models: where the service's model comes from.
        service: botocore's name.
        sent_as: how the request came: `json`, `cbor`, `query`, `rest`; the answer takes the same protocol.
        code: the error's shape name or its code on the wire; unknown ones are sent as given.
        status: HTTP status; 0 takes the model's, else that of AWS's common errors, else 500.
        message: what the error says.
    """
    model = models.get(service) if service else {"metadata": {}, "operations": {}, "shapes": {}}
    shape, described = _find_shape(model, code)
    error = described.get("error", {})
    fault = _Fault(
        service=service,
        shape=shape,
        code=error.get("code", shape),
        status=status or error.get("httpStatusCode") or _status(shape, described),
        message=message or f"{shape}: injected by Blackstart",
        request_id=str(uuid.uuid4()),
        model=model,
    )
    return _FORMS[_form(model, service, sent_as)](fault)


def _find_shape(model: Model, code: str) -> tuple[str, Mapping[str, Any]]:
    shapes = model["shapes"]
    if shapes.get(code, {}).get("exception"):
        return code, shapes[code]
    for name, shape in shapes.items():
        if shape.get("exception") and shape.get("error", {}).get("code") == code:
            return name, shape
    return code, {}


def _status(shape: str, described: Mapping[str, Any]) -> int:
    if shape in _COMMON:
        return _COMMON[shape]
    # An error of the model without a status is the caller's (400) unless it is marked as the service's fault.
    return 400 if described and not described.get("fault") else 500


def _form(model: Model, service: str, sent_as: str) -> str:
    if service == "s3":
        return "s3"
    if service == "ec2":
        return "ec2"
    if sent_as == "rest" or not sent_as:
        return "rest-xml" if model["metadata"].get("protocol") == "rest-xml" else "rest-json"
    return sent_as


def _json(fault: _Fault) -> WireError:
    metadata = fault.model["metadata"]
    headers: tuple[tuple[str, str], ...] = (("x-amzn-requestid", fault.request_id),)
    kind = fault.shape
    if "awsQueryCompatible" in metadata:
        # SQS: the code that the query protocol had is what SDKs go on raising.
        headers += (("x-amzn-query-error", f"{fault.code};{fault.kind}"),)
        kind = f"{_namespace(fault)}#{fault.shape}"
    elif metadata.get("jsonVersion") == "1.0":
        kind = f"{_namespace(fault)}#{fault.shape}"
    return WireError(
        status=fault.status,
        content_type=f"application/x-amz-json-{metadata.get('jsonVersion', '1.0')}",
        body=json.dumps({"__type": kind, "message": fault.message}).encode(),
        headers=headers,
    )


def _namespace(fault: _Fault) -> str:
    """For example `com.amazonaws.dynamodb.v20120810`, as the JSON 1.0 services write it."""
    version = str(fault.model["metadata"].get("apiVersion", "")).replace("-", "")
    return f"com.amazonaws.{fault.service}.v{version}"


def _rest_json(fault: _Fault) -> WireError:
    return WireError(
        status=fault.status,
        content_type="application/json",
        body=json.dumps({"message": fault.message}).encode(),
        headers=(("x-amzn-requestid", fault.request_id), ("x-amzn-errortype", fault.shape)),
    )


def _query(fault: _Fault) -> WireError:
    namespace = fault.model["metadata"].get("xmlNamespace", "")
    body = (
        f'<ErrorResponse xmlns="{escape(namespace)}"><Error><Type>{fault.kind}</Type>'
        f"<Code>{escape(fault.code)}</Code><Message>{escape(fault.message)}</Message></Error><RequestId>{fault.request_id}</RequestId></ErrorResponse>"
    )
    return _xml(fault, body, (("x-amzn-requestid", fault.request_id),))


def _ec2(fault: _Fault) -> WireError:
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Response><Errors><Error><Code>{escape(fault.code)}</Code><Message>{escape(fault.message)}</Message></Error>"
        f"</Errors><RequestID>{fault.request_id}</RequestID></Response>"
    )
    return _xml(fault, body, (("x-amzn-requestid", fault.request_id),))


def _s3(fault: _Fault) -> WireError:
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{escape(fault.code)}</Code><Message>{escape(fault.message)}</Message>"
        f"<RequestId>{fault.request_id}</RequestId><HostId>blackstart</HostId></Error>"
    )
    return _xml(fault, body, (("x-amz-request-id", fault.request_id), ("x-amz-id-2", "blackstart")))


def _xml(fault: _Fault, body: str, headers: tuple[tuple[str, str], ...]) -> WireError:
    content_type = "application/xml" if fault.service == "s3" else "text/xml"
    return WireError(status=fault.status, content_type=content_type, body=body.encode(), headers=headers)


def _cbor(fault: _Fault) -> WireError:
    namespace = fault.model["metadata"].get("targetPrefix", fault.service)
    pairs = {"__type": f"com.amazonaws.{namespace.lower()}#{fault.shape}", "message": fault.message}
    body = b"\xa2" + b"".join(_cbor_text(text) for pair in pairs.items() for text in pair)
    headers: tuple[tuple[str, str], ...] = (
        ("smithy-protocol", "rpc-v2-cbor"),
        ("x-amzn-requestid", fault.request_id),
    )
    if "awsQueryCompatible" in fault.model["metadata"]:
        headers += (("x-amzn-query-error", f"{fault.code};{fault.kind}"),)
    return WireError(status=fault.status, content_type="application/cbor", body=body, headers=headers)


def _cbor_text(text: str) -> bytes:
    """A text string, major type 3 (RFC 8949 3.1), with a two-byte length."""
    data = text.encode()
    return b"\x79" + struct.pack(">H", len(data)) + data


_FORMS: Mapping[str, Callable[[_Fault], WireError]] = {
    "json": _json,
    "cbor": _cbor,
    "query": _query,
    "ec2": _ec2,
    "rest-json": _rest_json,
    "rest-xml": _query,
    "s3": _s3,
}
