"""The general ledger: accounts and transfers in Aurora PostgreSQL Serverless v2, writer and reader in two zones."""

import sys
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from function import Function, ShopFunctionArgs
from layer import Libraries
from placement import Placement
from statement import Statement

DATABASE = "ledger"
PORT = 5432
DATA_API = ("BeginTransaction", "ExecuteStatement", "CommitTransaction", "RollbackTransaction")
DRIVER = ("psycopg", "psycopg_binary", "typing_extensions")


@dataclass(frozen=True)
class GeneralLedgerArgs:
    """Capacity in Aurora capacity units (2 GiB of memory each); `instances`, the first of which is the writer."""

    placement: Placement
    vpc_id: pulumi.Input[str]
    least_units: float = 0.5
    most_units: float = 2.0
    instances: int = 2


class GeneralLedger(pulumi.ComponentResource):
    """Outputs: `cluster`, `transfer` and `report` (functions), `functions`."""

    def __init__(self, name: str, args: GeneralLedgerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("shop:index:GeneralLedger", name, None, opts)
        self._name, self._args, self._child = name, args, pulumi.ResourceOptions(parent=self)
        self._tags = {"app": "shop", "database": name}
        self.cluster = self._cluster()
        instances = [self._instance(number) for number in range(args.instances)]
        # RDS makes the secret, keeps it in Secrets Manager and rotates it.
        self.secret_arn = self.cluster.master_user_secrets.apply(
            lambda made: made[0].secret_arn or "" if made else ""
        )
        where = {"SECRET_ARN": self.secret_arn, "DATABASE": DATABASE}
        secret = Statement(["secretsmanager:GetSecretValue"], [self.secret_arn])
        ready = pulumi.ResourceOptions(parent=self, depends_on=instances)
        self.transfer = Function(
            "transfer",
            ShopFunctionArgs(
                handler="transfer_money",
                statements=[Statement([f"rds-data:{call}" for call in DATA_API], [self.cluster.arn]), secret],
                environment={**where, "CLUSTER_ARN": self.cluster.arn},
                placement=args.placement,
            ),
            ready,
        )
        endpoint = {
            "ENDPOINT": self.cluster.endpoint,
            "PORT": self.cluster.port.apply(lambda port: str(int(port or PORT))),
        }
        self.report = Function(
            "report",
            ShopFunctionArgs(
                handler="report_balances",
                statements=[secret],
                environment={**where, **endpoint},
                # The driver is compiled for this program's Python: the layer and the function go by it.
                runtime=f"python{sys.version_info.major}.{sys.version_info.minor}",
                layers=[Libraries(f"{name}-driver", DRIVER, self._child).arn],
                placement=args.placement,
            ),
            ready,
        )
        self.functions = [self.transfer, self.report]
        self.register_outputs({})

    def _cluster(self) -> aws.rds.Cluster:
        subnets = aws.rds.SubnetGroup(
            self._name, subnet_ids=list(self._args.placement.subnet_ids), tags=self._tags, opts=self._child
        )
        way_in = aws.ec2.SecurityGroup(
            self._name,
            description="The ledger's database: the functions come in, nothing goes out",
            vpc_id=self._args.vpc_id,
            ingress=[
                {
                    "protocol": "tcp",
                    "from_port": PORT,
                    "to_port": PORT,
                    "security_groups": [self._args.placement.security_group_id],
                }
            ],
            tags=self._tags,
            opts=self._child,
        )
        return aws.rds.Cluster(
            self._name,
            engine="aurora-postgresql",
            database_name=DATABASE,
            master_username="ledger",
            manage_master_user_password=True,
            enable_http_endpoint=True,
            serverlessv2_scaling_configuration={
                "min_capacity": self._args.least_units,
                "max_capacity": self._args.most_units,
            },
            db_subnet_group_name=subnets.name,
            vpc_security_group_ids=[way_in.id],
            storage_encrypted=True,
            skip_final_snapshot=True,
            copy_tags_to_snapshot=True,
            tags=self._tags,
            opts=self._child,
        )

    def _instance(self, number: int) -> aws.rds.ClusterInstance:
        """Each in a zone of its own, as the subnet group has several."""
        return aws.rds.ClusterInstance(
            f"{self._name}-{number}",
            cluster_identifier=self.cluster.id,
            engine="aurora-postgresql",
            instance_class="db.serverless",
            promotion_tier=number,
            tags=self._tags,
            opts=self._child,
        )
