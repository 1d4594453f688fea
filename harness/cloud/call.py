"""What one AWS request is, as far as faults, routing and recording need to know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Layer = Literal["api", "invocation"]
"""`api`: a request through the gate. `invocation`: a Lambda invocation, whoever triggered it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A process of ours that runs inside the cloud; a caller outside has no `Caller`."""

    zone_id: str
    """For example `use1-az1`."""
    subnet_id: str = ""
    """The subnet of a VPC function, task or instance; empty without a VPC."""
    function: str = ""
    """The Lambda function's name, empty for other processes."""
    role: str = ""
    """The ARN of its role, without the role's path; empty when it has none."""
    environment_id: str = ""
    task: str = ""
    """The ARN of the ECS task, empty for other processes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsCall:
    """One AWS operation on its way to the backend.

    `operation` is the API's own name (`PutItem`); empty when the request is no AWS operation (an HTTP
    request to an API Gateway stage has service `execute-api` and operation `Invoke`).
    `resource` is what the call is about as far as the request says it: an ARN, or the plain name
    (table, bucket, queue, function); empty when unknown.
    """

    layer: Layer = "api"
    service: str
    operation: str
    region: str
    account: str
    resource: str = ""
    caller: Caller | None = None
    caller_role: str = ""
    """The role that signs, `arn:aws:iam::000000000000:role/orders` without its path; filled in where a rule asks."""
