"""What every handler does with the AWS API: call by shape, tell "gone" from other errors, wait until usable."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import botocore
from botocore.exceptions import ClientError

from harness.deploy.providers.aws.shapes import NO_RENAMES, Renames, to_request

_GONE_MARKS = ("NotFound", "NoSuch", "NonExistent", "DoesNotExist")


def is_gone(error: ClientError) -> bool:
    """True when AWS says that the thing does not exist.

    Services do not agree on the code: `NoSuchBucket`, `ResourceNotFoundException`, `InvalidVpcID.NotFound`,
    `AWS.SimpleQueueService.NonExistentQueue`, `QueueDoesNotExist`, a bare `404` from HEAD requests.
    """
    code = str(error.response.get("Error", {}).get("Code", ""))
    return code == "404" or any(mark in code for mark in _GONE_MARKS)


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
    request = {**to_request(shape, properties, renames), **fixed}
    response: dict[str, Any] = getattr(client, botocore.xform_name(operation))(**request)
    response.pop("ResponseMetadata", None)
    return response
