"""Browsing the catalogue: a function behind a cache with a replica in another zone; stale when it must be."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from function import Function, ShopFunctionArgs
from placement import Placement
from statement import Statement


@dataclass(frozen=True)
class CacheArgs:
    """`table` is the catalogue's; `libraries` the layer with breaker and client."""

    placement: Placement
    table: aws.dynamodb.Table
    libraries: pulumi.Input[str]


class Cache(pulumi.ComponentResource):
    """Outputs: `group` (replication group), `browse` (function), `functions`."""

    def __init__(self, name: str, args: CacheArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("shop:index:Cache", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        subnets = aws.elasticache.SubnetGroup(
            name, subnet_ids=list(args.placement.subnet_ids), tags={"app": "shop"}, opts=child
        )
        self.group = aws.elasticache.ReplicationGroup(
            name,
            description="The catalogue, as it was last read",
            engine="valkey",
            node_type="cache.t4g.micro",
            num_cache_clusters=2,
            automatic_failover_enabled=True,
            multi_az_enabled=True,
            subnet_group_name=subnets.name,
            security_group_ids=[args.placement.security_group_id],
            at_rest_encryption_enabled=True,
            tags={"app": "shop"},
            opts=child,
        )
        endpoint = pulumi.Output.all(self.group.primary_endpoint_address, self.group.port).apply(
            lambda found: f"{found[0]}:{int(found[1] or 6379)}"
        )
        self.browse = Function(
            "browse",
            ShopFunctionArgs(
                handler="browse_catalogue",
                statements=[Statement(["dynamodb:Query"], [args.table.arn.apply(lambda arn: f"{arn}/index/*")])],
                environment={"CATALOGUE_TABLE": args.table.name, "CACHE_ENDPOINT": endpoint},
                layers=[args.libraries],
                placement=args.placement,
            ),
            child,
        )
        self.functions = [self.browse]
        self.register_outputs({})
