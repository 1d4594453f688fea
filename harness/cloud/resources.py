"""Which resource a call is about, as far as the request says it: an ARN or a plain name."""

from __future__ import annotations

from collections.abc import Mapping

from harness.cloud.models import Models

_NAMES = (
    "TableName", "QueueUrl", "TopicArn", "TargetArn", "FunctionName", "StreamName", "StreamARN", "SecretId", "KeyId",
    "stateMachineArn", "executionArn", "EventBusName", "logGroupName", "UserPoolId", "RoleName", "RoleArn", "cluster",
    "DBClusterIdentifier", "DBInstanceIdentifier", "ReplicationGroupId", "LoadBalancerArn", "TargetGroupArn",
    "QueueName", "Name", "name",
)  # fmt: skip
"""Members that name the resource, the most telling first. A service's other calls fall back to their first
required string member, which in botocore's models is nearly always the identifier."""

_WHERE_LAUNCHED = (
    "SubnetId", "NetworkInterface.1.SubnetId", "Placement.AvailabilityZone", "AvailabilityZone", "InstanceId.1",
)  # fmt: skip
"""What EC2's launches are about, as far as faults go: the place, or the instance that is started again."""

_LAUNCHES = frozenset({"RunInstances", "StartInstances", "CreateCapacityReservation"})

_IN_LABELS = ("FunctionName", "Bucket", "ApiId", "restApiId", "Name", "Arn", "ResourceArn")


def resource_in_labels(labels: Mapping[str, str]) -> str:
    """The resource in a REST path's labels (URL-encoded), or '' when the path has none."""
    for name in _IN_LABELS:
        if name in labels:
            return labels[name]
    return next(iter(labels.values()), "")


def resource_in_body(models: Models, service: str, operation: str, body: Mapping[str, object]) -> str:
    """The resource in a decoded request body or form, or ''. A queue URL counts by its queue name."""
    for name in _WHERE_LAUNCHED if service == "ec2" and operation in _LAUNCHES else _NAMES:
        value = body.get(name)
        if isinstance(value, str) and value:
            return value.rsplit("/", 1)[-1] if name == "QueueUrl" else value
    for name in _required_strings(models, service, operation):
        value = body.get(name)
        if isinstance(value, str) and value:
            return value
    return ""


def _required_strings(models: Models, service: str, operation: str) -> list[str]:
    model = models.get(service) if service else None
    described = model["operations"].get(operation) if model else None
    if not model or not described or "input" not in described:
        return []
    shape = model["shapes"][described["input"]["shape"]]
    return [
        member
        for member in shape.get("required", ())
        if model["shapes"][shape["members"][member]["shape"]]["type"] == "string"
    ]
