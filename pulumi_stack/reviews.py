"""Reviews of products, in Aurora PostgreSQL over the RDS Data API: a writer, and a reader that takes over."""

import json
import secrets
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from function import Function, FunctionArgs
from placement import Placement
from statement import Statement

DATABASE = "reviews"


@dataclass(frozen=True)
class ReviewsArgs:
    """`instances` of the cluster: the first is the writer."""

    placement: Placement
    instances: int = 2


class Reviews(pulumi.ComponentResource):
    """Outputs: `cluster`, `secret`, `review` (function), `functions`."""

    def __init__(self, name: str, args: ReviewsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("shop:index:Reviews", name, None, opts)
        self._name, self._child = name, pulumi.ResourceOptions(parent=self)
        tags = {"app": "shop", "database": name}
        password = pulumi.Output.secret(secrets.token_urlsafe(24))
        self.secret = aws.secretsmanager.Secret(name, recovery_window_in_days=0, tags=tags, opts=self._child)
        aws.secretsmanager.SecretVersion(
            name,
            secret_id=self.secret.id,
            secret_string=password.apply(lambda made: json.dumps({"username": "reviews", "password": made})),
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["secretString"]),
        )
        subnets = aws.rds.SubnetGroup(name, subnet_ids=list(args.placement.subnet_ids), tags=tags, opts=self._child)
        self.cluster = aws.rds.Cluster(
            name,
            engine="aurora-postgresql",
            database_name=DATABASE,
            master_username="reviews",
            master_password=password,
            enable_http_endpoint=True,
            db_subnet_group_name=subnets.name,
            vpc_security_group_ids=[args.placement.security_group_id],
            storage_encrypted=True,
            skip_final_snapshot=True,
            tags=tags,
            # The first password counts: what changes it is a rotation.
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["masterPassword"]),
        )
        instances = [
            aws.rds.ClusterInstance(
                f"{name}-{number}",
                cluster_identifier=self.cluster.id,
                engine="aurora-postgresql",
                instance_class="db.r6g.large",
                promotion_tier=number,
                tags=tags,
                opts=self._child,
            )
            for number in range(args.instances)
        ]
        self.review = self._function(args, instances)
        self.functions = [self.review]
        self.register_outputs({})

    def _function(self, args: ReviewsArgs, instances: list[aws.rds.ClusterInstance]) -> Function:
        return Function(
            "review",
            FunctionArgs(
                handler="review_product",
                app="shop",
                statements=[
                    Statement(["rds-data:ExecuteStatement"], [self.cluster.arn]),
                    Statement(["secretsmanager:GetSecretValue"], [self.secret.arn]),
                ],
                environment={
                    "CLUSTER_ARN": self.cluster.arn,
                    "SECRET_ARN": self.secret.arn,
                    "DATABASE": DATABASE,
                },
                placement=args.placement,
            ),
            pulumi.ResourceOptions(parent=self, depends_on=instances),
        )
