"""How a process in a subnet reaches an AWS service: through an interface endpoint of its VPC, or outside of it.

A service with an interface endpoint is reached at the endpoint's network interfaces, one in each of the endpoint's
subnets; any other (gateway endpoints included) is reached outside the VPC.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chaos.fis.clients import Clients
from harness.cloud.service_names import BY_SIGNING_NAME

_ENDPOINT_NAMES = {"kinesis-streams": "kinesis", "ecr.api": "ecr", "email-smtp": "ses"}
"""Endpoint service names that are no signing name.

Source: https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html
"""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An interface endpoint: botocore's name of its service, and the subnets with its network interfaces."""

    id: str
    service: str
    subnets: tuple[str, ...]


def service_of(endpoint_name: str) -> str:
    """Botocore's name of the service behind `com.amazonaws.us-east-1.states`.

    >>> service_of("com.amazonaws.us-east-1.states")
    'stepfunctions'
    >>> service_of("com.amazonaws.us-east-1.s3")
    's3'
    """
    name = ".".join(endpoint_name.split(".")[3:])
    name = _ENDPOINT_NAMES.get(name, name)
    return BY_SIGNING_NAME.get(name, (name,))[0]


def interface_endpoints(clients: Clients, vpc: str) -> list[Endpoint]:
    """The interface endpoints of a VPC."""
    found = clients.get("ec2").describe_vpc_endpoints(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["VpcEndpoints"]
    return [endpoint(one) for one in found if one.get("VpcEndpointType") == "Interface" and one["VpcId"] == vpc]


def endpoint(described: Mapping[str, Any]) -> Endpoint:
    """An endpoint as DescribeVpcEndpoints tells it."""
    subnets: Sequence[str] = described.get("SubnetIds") or ()
    return Endpoint(described["VpcEndpointId"], service_of(described["ServiceName"]), tuple(subnets))


def subnets_of(clients: Clients, vpc: str) -> list[Mapping[str, Any]]:
    """The subnets of a VPC as DescribeSubnets tells them."""
    found = clients.get("ec2").describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])
    subnets: list[Mapping[str, Any]] = found["Subnets"]
    return subnets
