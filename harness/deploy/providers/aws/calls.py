"""What every handler does with the AWS API: call by shape, tell "gone" from other errors, wait until usable."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import botocore
from botocore.exceptions import ClientError

from harness.deploy.providers.aws.shapes import NO_RENAMES, Renames, to_request
from harness.errors import ProviderError

_LACKING_CODES = frozenset({
    "InvalidAction", "UnknownOperationException", "UnsupportedOperation", "NotImplemented", "NotImplementedException",
    "501",
})  # fmt: skip
_LACKING_TEXTS = (
    "Unknown API Gateway path", "Unknown path", "No route for", "Unknown action", "Unsupported service",
    "not implemented", "is not supported by", "Couldn't parse the specified URI", "Function not found: /",
)  # fmt: skip
_GONE_MARKS = (
    "NotFound", "NoSuch", "NonExistent", "DoesNotExist", "Nonexistent", "InvalidPlacementGroup.Unknown",
    "NotAttached",
)  # fmt: skip
_GONE_TEXTS = (
    ("InvalidRequestException", "not found"),
    ("InvalidDocument", "does not exist"),
    ("BadRequestException", "not owned by the current account"),
)
"""Athena and GuardDuty have one code for everything that is wrong with a request."""


def is_gone(error: ClientError) -> bool:
    """True when AWS says that the thing does not exist.

    Services do not agree on the code: `NoSuchBucket`, `ResourceNotFoundException`, `InvalidVpcID.NotFound`,
    `AWS.SimpleQueueService.NonExistentQueue`, `QueueDoesNotExist`, a bare `404` from HEAD requests.
    """
    code = str(error.response.get("Error", {}).get("Code", ""))
    if lacks_operation(error):
        return False
    text = str(error.response.get("Error", {}).get("Message", ""))
    if any(code == one and mark in text for one, mark in _GONE_TEXTS):
        return True
    return code == "404" or any(mark in code for mark in _GONE_MARKS)


def lacks_operation(error: ClientError) -> bool:
    """True when it is the operation that does not exist here: emulators lack some, each in its own words.

    A bare 400 is the answer for a service that nobody emulates; its text is in no form that an SDK reads.
    """
    said = error.response.get("Error", {})
    code, text = str(said.get("Code", "")), str(said.get("Message", ""))
    return code in _LACKING_CODES or (code == "400" and not text) or any(mark in text for mark in _LACKING_TEXTS)


@contextlib.contextmanager
def lacks_said(token: str, where: str) -> Iterator[None]:
    """Around a type's operations: one that this cloud lacks becomes an error that names type and operation.

    Raises:
        ProviderError: the cloud has no such operation.
    """
    try:
        yield
    except ClientError as error:
        if not lacks_operation(error):
            raise
        raise ProviderError(
            f"{token} is not supported by this cloud: it lacks {error.operation_name}",
            where=where,
            hint="deploy this resource on real AWS only, or leave it out for this target",
        ) from error


@contextlib.contextmanager
def gone_is_fine() -> Iterator[None]:
    """For deletes: what is gone already needs no deleting."""
    try:
        yield
    except ClientError as error:
        if not is_gone(error):
            raise


def call(
    client: Any,  # boto3 makes clients at run time
    operation: str,
    properties: Mapping[str, Any],
    renames: Renames = NO_RENAMES,
    **fixed: Any,
) -> dict[str, Any]:
    """Call `operation` (AWS's name, `CreateApi`) with what it takes of `properties`, and `fixed` as it is."""
    shape = client.meta.service_model.operation_model(operation).input_shape
    return answer_of(client, operation, {**to_request(shape, properties, renames), **fixed})


def answer_of(client: Any, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """Call `operation` with exactly `request`."""
    response: dict[str, Any] = getattr(client, botocore.xform_name(operation))(**request)
    response.pop("ResponseMetadata", None)
    return response
