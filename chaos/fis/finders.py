"""The resources of each type, asked of the cloud's own APIs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from chaos.fis.clients import Clients
from chaos.fis.finding import Resource


class Finder(Protocol):
    """Lists every resource of one type."""

    def __call__(self, clients: Clients, *, tagged: bool) -> list[Resource]:
        """The resources; without their tags unless `tagged`, where tags cost a call each."""
        ...


def functions(clients: Clients, *, tagged: bool) -> list[Resource]:
    """Lambda functions."""
    client = clients.get("lambda")
    return [
        Resource(
            arn=one["FunctionArn"],
            tags=client.list_tags(Resource=one["FunctionArn"]).get("Tags", {}) if tagged else {},
            described=one,
        )
        for one in _pages(client, "list_functions", "Functions")
    ]


def subnets(clients: Clients, *, tagged: bool) -> list[Resource]:
    """Subnets of VPCs."""
    del tagged
    found = _pages(clients.get("ec2"), "describe_subnets", "Subnets")
    return [
        _ec2(clients, "subnet", "SubnetId", one, arn=one.get("SubnetArn", ""), zone=one["AvailabilityZone"])
        for one in found
    ]


def instances(clients: Clients, *, tagged: bool) -> list[Resource]:
    """EC2 instances, those that were terminated included."""
    del tagged
    reservations = _pages(clients.get("ec2"), "describe_instances", "Reservations")
    return [
        _ec2(clients, "instance", "InstanceId", one, zone=one["Placement"]["AvailabilityZone"])
        for reservation in reservations
        for one in reservation["Instances"]
    ]


def spot_instances(clients: Clients, *, tagged: bool) -> list[Resource]:
    """EC2 Spot Instances."""
    return [one for one in instances(clients, tagged=tagged) if one.described.get("InstanceLifecycle") == "spot"]


def volumes(clients: Clients, *, tagged: bool) -> list[Resource]:
    """EBS volumes."""
    del tagged
    found = _pages(clients.get("ec2"), "describe_volumes", "Volumes")
    return [_ec2(clients, "volume", "VolumeId", one, zone=one["AvailabilityZone"]) for one in found]


def vpc_endpoints(clients: Clients, *, tagged: bool) -> list[Resource]:
    """Interface endpoints of VPCs."""
    del tagged
    found = _pages(clients.get("ec2"), "describe_vpc_endpoints", "VpcEndpoints")
    return [
        _ec2(clients, "vpc-endpoint", "VpcEndpointId", one)
        for one in found
        if one.get("VpcEndpointType", "Interface") == "Interface"
    ]


def transit_gateways(clients: Clients, *, tagged: bool) -> list[Resource]:
    """Transit gateways."""
    del tagged
    found = _pages(clients.get("ec2"), "describe_transit_gateways", "TransitGateways")
    return [
        _ec2(clients, "transit-gateway", "TransitGatewayId", one, arn=one.get("TransitGatewayArn", ""))
        for one in found
    ]


def scaling_groups(clients: Clients, *, tagged: bool) -> list[Resource]:
    """Auto Scaling groups."""
    del tagged
    found = _pages(clients.get("autoscaling"), "describe_auto_scaling_groups", "AutoScalingGroups")
    return [Resource(arn=one["AutoScalingGroupARN"], tags=_tags(one.get("Tags")), described=one) for one in found]


def roles(clients: Clients, *, tagged: bool) -> list[Resource]:
    """IAM roles."""
    iam = clients.get("iam")
    return [
        Resource(
            arn=one["Arn"],
            tags=_tags(iam.list_role_tags(RoleName=one["RoleName"])["Tags"]) if tagged else {},
            described=one,
        )
        for one in _pages(iam, "list_roles", "Roles")
    ]


def streams(clients: Clients, *, tagged: bool) -> list[Resource]:
    """Kinesis data streams."""
    client = clients.get("kinesis")
    found = []
    for name in _pages(client, "list_streams", "StreamNames"):
        told = client.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
        tags = client.list_tags_for_stream(StreamName=name)["Tags"] if tagged else ()
        found.append(Resource(arn=told["StreamARN"], tags=_tags(tags), described=told))
    return found


def global_tables(clients: Clients, *, tagged: bool) -> list[Resource]:
    """DynamoDB tables that have replicas."""
    client = clients.get("dynamodb")
    found = []
    for name in _pages(client, "list_tables", "TableNames"):
        table = client.describe_table(TableName=name)["Table"]
        if table.get("Replicas"):
            tags = client.list_tags_of_resource(ResourceArn=table["TableArn"])["Tags"] if tagged else ()
            found.append(Resource(arn=table["TableArn"], tags=_tags(tags), described=table))
    return found


def buckets(clients: Clients, *, tagged: bool) -> list[Resource]:
    """S3 buckets."""
    from botocore.exceptions import ClientError

    client = clients.get("s3")
    found = []
    for bucket in client.list_buckets()["Buckets"]:
        tags: Iterable[Mapping[str, str]] = ()
        if tagged:
            try:
                tags = client.get_bucket_tagging(Bucket=bucket["Name"])["TagSet"]
            except ClientError:  # NoSuchTagSet, or a bucket that has gone since
                tags = ()
        found.append(Resource(arn=f"arn:aws:s3:::{bucket['Name']}", tags=_tags(tags), described=bucket))
    return found


def db_clusters(clients: Clients, *, tagged: bool) -> list[Resource]:
    """Aurora DB clusters; the zone is the writer's."""
    del tagged
    zones = {one.described["DBInstanceIdentifier"]: one.zone for one in db_instances(clients, tagged=False)}
    found = []
    for one in _pages(clients.get("rds"), "describe_db_clusters", "DBClusters"):
        members = one.get("DBClusterMembers") or ()
        writers = [member["DBInstanceIdentifier"] for member in members if member["IsClusterWriter"]]
        zone = zones.get(writers[0], "") if writers else ""
        found.append(Resource(arn=one["DBClusterArn"], tags=_tags(one.get("TagList")), described=one, zone=zone))
    return found


def db_instances(clients: Clients, *, tagged: bool) -> list[Resource]:
    """RDS DB instances."""
    del tagged
    return [
        Resource(
            arn=one["DBInstanceArn"],
            tags=_tags(one.get("TagList")),
            described=one,
            zone=one.get("AvailabilityZone", ""),
        )
        for one in _pages(clients.get("rds"), "describe_db_instances", "DBInstances")
    ]


def replication_groups(clients: Clients, *, tagged: bool) -> list[Resource]:
    """ElastiCache replication groups."""
    client = clients.get("elasticache")
    found = []
    for one in _pages(client, "describe_replication_groups", "ReplicationGroups"):
        members = [member for group in one.get("NodeGroups") or () for member in group["NodeGroupMembers"]]
        tags = client.list_tags_for_resource(ResourceName=one["ARN"])["TagList"] if tagged else ()
        zones = tuple(sorted({m["PreferredAvailabilityZone"] for m in members if m.get("PreferredAvailabilityZone")}))
        found.append(Resource(arn=one["ARN"], tags=_tags(tags), described=one, zones=zones))
    return found


def ecs_clusters(clients: Clients, *, tagged: bool) -> list[Resource]:
    """ECS clusters."""
    del tagged
    client = clients.get("ecs")
    arns = list(_pages(client, "list_clusters", "clusterArns"))
    found = client.describe_clusters(clusters=arns, include=["TAGS"])["clusters"] if arns else []
    return [Resource(arn=one["clusterArn"], tags=_small_tags(one), described=_pascal(one)) for one in found]


def ecs_tasks(clients: Clients, *, tagged: bool) -> list[Resource]:
    """ECS tasks that run."""
    del tagged
    client, found = clients.get("ecs"), []
    for cluster in _pages(client, "list_clusters", "clusterArns"):
        arns = list(_pages(client, "list_tasks", "taskArns", cluster=cluster))
        for at in range(0, len(arns), 100):
            page = client.describe_tasks(cluster=cluster, tasks=arns[at : at + 100], include=["TAGS"])["tasks"]
            found += [one for one in page if one["lastStatus"] == "RUNNING"]
    return [
        Resource(
            arn=one["taskArn"], tags=_small_tags(one), described=_pascal(one), zone=one.get("availabilityZone", "")
        )
        for one in found
    ]


def shiftable(clients: Clients, *, tagged: bool) -> list[Resource]:
    """Load balancers that a zonal shift may keep away from a zone."""
    found = list(_pages(clients.get("arc-zonal-shift"), "list_managed_resources", "items"))
    elb, tags = clients.get("elbv2"), {}
    for at in range(0, len(found) if tagged else 0, 20):
        arns = [one["arn"] for one in found[at : at + 20]]
        told = elb.describe_tags(ResourceArns=arns)["TagDescriptions"]
        tags.update({one["ResourceArn"]: _tags(one["Tags"]) for one in told})
    return [
        Resource(
            arn=one["arn"],
            tags=tags.get(one["arn"], {}),
            described=_pascal(one),
            zones=tuple(one["availabilityZones"]),
        )
        for one in found
    ]


FINDERS: Mapping[str, tuple[str, Finder]] = {
    "aws:arc:zonal-shift-managed-resource": ("arc-zonal-shift", shiftable),
    "aws:dynamodb:global-table": ("dynamodb", global_tables),
    "aws:ec2:autoscaling-group": ("autoscaling", scaling_groups),
    "aws:ec2:ebs-volume": ("ec2", volumes),
    "aws:ec2:instance": ("ec2", instances),
    "aws:ec2:spot-instance": ("ec2", spot_instances),
    "aws:ec2:subnet": ("ec2", subnets),
    "aws:ec2:transit-gateway": ("ec2", transit_gateways),
    "aws:ec2:vpc-endpoint": ("ec2", vpc_endpoints),
    "aws:ecs:cluster": ("ecs", ecs_clusters),
    "aws:ecs:task": ("ecs", ecs_tasks),
    "aws:elasticache:replicationgroup": ("elasticache", replication_groups),
    "aws:iam:role": ("iam", roles),
    "aws:kinesis:stream": ("kinesis", streams),
    "aws:lambda:function": ("lambda", functions),
    "aws:rds:cluster": ("rds", db_clusters),
    "aws:rds:db": ("rds", db_instances),
    "aws:s3:bucket": ("s3", buckets),
}
"""Resource type → the service that knows it, and its finder."""


def _pages(client: Any, operation: str, key: str, **given: str) -> Iterable[Any]:  # a boto3 client
    for page in client.get_paginator(operation).paginate(**given):
        yield from page[key]


def _ec2(
    clients: Clients, kind: str, key: str, described: Mapping[str, Any], *, arn: str = "", zone: str = ""
) -> Resource:
    target = clients.target
    arn = arn or f"arn:aws:ec2:{target.region}:{target.account_id}:{kind}/{described[key]}"
    return Resource(arn=arn, tags=_tags(described.get("Tags")), described=described, zone=zone)


def _small_tags(described: Mapping[str, Any]) -> dict[str, str]:
    return {tag["key"]: tag.get("value", "") for tag in described.get("tags") or ()}


def _pascal(value: Any) -> Any:
    """ECS's answer in the PascalCase that filters are written in."""
    if isinstance(value, Mapping):
        return {name[:1].upper() + name[1:]: _pascal(inner) for name, inner in value.items()}
    return [_pascal(one) for one in value] if isinstance(value, list) else value


def _tags(given: Iterable[Mapping[str, Any]] | None) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in given or ()}
