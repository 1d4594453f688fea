"""What one bucket has is copied into another: the role that S3 takes on, and the rule."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from function import service_role
from statement import Statement


@dataclass(frozen=True)
class Copies:
    """Objects below `<what>/` are copied; deletions too where `delete_markers` says so."""

    what: str
    source: aws.s3.Bucket
    replica: aws.s3.Bucket
    delete_markers: bool = False
    storage_class: str = ""
    app: str = "orders"


def replicate(
    name: str, copies: Copies, versions: Sequence[pulumi.Resource], parent: pulumi.Resource
) -> aws.s3.BucketReplicationConfig:
    """Cross-region replication; it needs the `versions` of both sides."""
    role, granted = _role(f"{name}-copy", copies, pulumi.ResourceOptions(parent=parent))
    to = {"storage_class": copies.storage_class} if copies.storage_class else {}
    return aws.s3.BucketReplicationConfig(
        name,
        bucket=copies.source.id,
        role=role.arn,
        rules=[
            {
                "id": copies.what,
                "status": "Enabled",
                "priority": 1,
                "filter": {"prefix": f"{copies.what}/"},
                "delete_marker_replication": {"status": "Enabled" if copies.delete_markers else "Disabled"},
                "destination": {"bucket": copies.replica.arn, **to},
            }
        ],
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[*versions, *granted]),
    )


def _role(name: str, copies: Copies, opts: pulumi.ResourceOptions) -> tuple[aws.iam.Role, list[pulumi.Resource]]:
    objects = ["s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging"]
    return service_role(
        name,
        "s3.amazonaws.com",
        [
            Statement(["s3:GetReplicationConfiguration", "s3:ListBucket"], [copies.source.arn]),
            Statement(objects, [copies.source.arn.apply(lambda arn: f"{arn}/*")]),
            Statement(
                ["s3:ReplicateObject", "s3:ReplicateDelete"], [copies.replica.arn.apply(lambda arn: f"{arn}/*")]
            ),
        ],
        opts,
        copies.app,
    )
