"""The resource types that targets may have, with their parameters.

Source: https://docs.aws.amazon.com/fis/latest/userguide/targets.html#resource-types
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class TargetParameter:
    """A parameter of a target, as GetTargetResourceType tells it."""

    description: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class ResourceType:
    """A resource type. `by_tag_quota` is how many resources tags or parameters may pick for one action; 0: any."""

    description: str
    parameters: Mapping[str, TargetParameter] = field(default_factory=dict)
    by_tag_quota: int = 0
    tags_only: bool = False


_ZONE = TargetParameter("The code (us-east-1a) or id (use1-az1) of the Availability Zone.")
_POD = {
    "clusterIdentifier": TargetParameter("The name or ARN of the EKS cluster.", required=True),
    "namespace": TargetParameter("The Kubernetes namespace of the pods.", required=True),
    "selectorType": TargetParameter("labelSelector, deploymentName or podName.", required=True),
    "selectorValue": TargetParameter("The value of the selector.", required=True),
    "availabilityZoneIdentifier": _ZONE,
    "targetContainerName": TargetParameter("The container of the pod."),
}

RESOURCE_TYPES: Mapping[str, ResourceType] = {
    "aws:arc:zonal-shift-managed-resource": ResourceType("Resources managed by ARC zonal shift."),
    "aws:directconnect:virtual-interface": ResourceType("AWS Direct Connect virtual interfaces."),
    "aws:dsql:cluster": ResourceType("Amazon Aurora DSQL clusters."),
    "aws:dynamodb:global-table": ResourceType("Amazon DynamoDB global tables."),
    "aws:ec2:autoscaling-group": ResourceType("Amazon EC2 Auto Scaling groups."),
    "aws:ec2:ebs-volume": ResourceType("Amazon EBS volumes.", {"availabilityZoneIdentifier": _ZONE}),
    "aws:ec2:instance": ResourceType("Amazon EC2 instances.", by_tag_quota=5),
    "aws:ec2:spot-instance": ResourceType("Amazon EC2 Spot Instances.", by_tag_quota=5),
    "aws:ec2:subnet": ResourceType(
        "Amazon VPC subnets.",
        {
            "availabilityZoneIdentifier": _ZONE,
            "vpc": TargetParameter("The VPC of the subnets."),
        },
        by_tag_quota=5,
    ),
    "aws:ec2:transit-gateway": ResourceType("Transit gateways.", by_tag_quota=5),
    "aws:ec2:vpc-endpoint": ResourceType("VPC endpoints."),
    "aws:ecs:cluster": ResourceType("Amazon ECS clusters.", by_tag_quota=5),
    "aws:ecs:task": ResourceType(
        "Amazon ECS tasks.",
        {
            "cluster": TargetParameter("The cluster of the tasks."),
            "service": TargetParameter("The service of the tasks."),
        },
        by_tag_quota=5,
    ),
    "aws:eks:cluster": ResourceType("Amazon EKS clusters."),
    "aws:eks:nodegroup": ResourceType("Amazon EKS node groups.", by_tag_quota=5),
    "aws:eks:pod": ResourceType("Kubernetes pods.", _POD, by_tag_quota=50),
    "aws:elasticache:replicationgroup": ResourceType(
        "Amazon ElastiCache replication groups.",
        {"availabilityZoneIdentifier": TargetParameter("The code or id of the Availability Zone.", required=True)},
    ),
    "aws:iam:role": ResourceType("IAM roles."),
    "aws:kinesis:stream": ResourceType("Amazon Kinesis data streams."),
    "aws:lambda:function": ResourceType(
        "AWS Lambda functions.", {"functionQualifier": TargetParameter("A version or an alias of the function.")}
    ),
    "aws:memorydb:multi-region-cluster": ResourceType("Amazon MemoryDB Multi-Region clusters."),
    "aws:rds:cluster": ResourceType(
        "Amazon Aurora DB clusters.",
        {"writerAvailabilityZoneIdentifiers": TargetParameter("The zones of the writers.")},
        by_tag_quota=5,
    ),
    "aws:rds:db": ResourceType(
        "Amazon RDS DB instances.",
        {"availabilityZoneIdentifiers": TargetParameter("The zones of the instances.")},
        by_tag_quota=5,
    ),
    "aws:s3:bucket": ResourceType("Amazon S3 buckets.", by_tag_quota=20, tags_only=True),
}
