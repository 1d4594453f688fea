"""The ledger of both regions: an Aurora global database, written in one region and followed in the other.

What the other region is behind, AuroraGlobalDBReplicationLag, is what is lost with the first; a switchover waits for
it and loses nothing. Source:
https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-global-database-disaster-recovery.html
"""

import json
import secrets
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

DATABASE, USER = "ledger", "ledger"


@dataclass(frozen=True)
class GlobalLedgerArgs:
    """Capacity in Aurora capacity units, of each region's instance."""

    region: str
    replica_region: str
    least_units: float = 0.5
    most_units: float = 2.0


class GlobalLedger(pulumi.ComponentResource):
    """Outputs: `group` (the global cluster); `clusters` and `secrets` by region, for the RDS Data API.

    RDS does not manage the password of clusters that are part of a global database, and secrets are regional: each
    region has its own, with the one password. Nobody comes to the clusters but by the Data API, so that they lie in
    the default VPC of their region.
    """

    def __init__(self, name: str, args: GlobalLedgerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("shop:index:GlobalLedger", name, None, opts)
        self._name, self._args, self._child = name, args, pulumi.ResourceOptions(parent=self)
        self._tags = {"app": "shop", "database": name}
        self._password = pulumi.Output.secret(secrets.token_urlsafe(24))
        self.group = aws.rds.GlobalCluster(
            name,
            global_cluster_identifier=f"{pulumi.get_project()}-{pulumi.get_stack()}-{name}",
            engine="aurora-postgresql",
            storage_encrypted=True,
            opts=self._child,
        )
        owner = {"database_name": DATABASE, "master_username": USER, "master_password": self._password}
        home = self._cluster(args.region, [], **owner)
        writer = self._instance(args.region, home)
        abroad = self._cluster(args.replica_region, [writer])
        self._instance(args.replica_region, abroad)
        self.clusters = {args.region: home, args.replica_region: abroad}
        self.secrets = {region: self._secret(region) for region in self.clusters}
        self.register_outputs({})

    def _cluster(self, region: str, after: list[pulumi.Resource], **owner: Any) -> aws.rds.Cluster:
        """It follows whoever was there before it, and takes the owner from there."""
        return aws.rds.Cluster(
            f"{self._name}-{region}",
            region=region,
            engine="aurora-postgresql",
            global_cluster_identifier=self.group.id,
            enable_http_endpoint=True,
            serverlessv2_scaling_configuration={
                "min_capacity": self._args.least_units,
                "max_capacity": self._args.most_units,
            },
            storage_encrypted=True,
            skip_final_snapshot=True,
            tags=self._tags,
            **owner,
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=after,
                # The first password counts, and failovers change who follows whom.
                ignore_changes=["masterPassword", "globalClusterIdentifier", "replicationSourceIdentifier"],
            ),
        )

    def _instance(self, region: str, cluster: aws.rds.Cluster) -> aws.rds.ClusterInstance:
        return aws.rds.ClusterInstance(
            f"{self._name}-{region}",
            region=region,
            cluster_identifier=cluster.id,
            engine="aurora-postgresql",
            instance_class="db.serverless",
            tags=self._tags,
            opts=self._child,
        )

    def _secret(self, region: str) -> aws.secretsmanager.Secret:
        made = aws.secretsmanager.Secret(
            f"{self._name}-{region}", region=region, recovery_window_in_days=0, tags=self._tags, opts=self._child
        )
        aws.secretsmanager.SecretVersion(
            f"{self._name}-{region}",
            region=region,
            secret_id=made.id,
            secret_string=self._password.apply(lambda password: json.dumps({"username": USER, "password": password})),
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["secretString"]),
        )
        return made
