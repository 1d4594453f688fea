"""AWS Backup: the tables are copied each hour, and each copy goes to a vault of the other region too."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from function import service_role

_POLICY = "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyFor"


@dataclass(frozen=True)
class SafeCopiesArgs:
    """Where the second vault is, and the tables that are copied."""

    replica_region: str
    tables: tuple[pulumi.Input[str], ...]


class SafeCopies(pulumi.ComponentResource):
    """Outputs: `vault` and `far_vault`, `role` (which AWS Backup takes on) and `plan`."""

    def __init__(self, name: str, args: SafeCopiesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("orders:index:SafeCopies", name, None, opts)
        child, tags = pulumi.ResourceOptions(parent=self), {"app": "orders"}
        self.vault = aws.backup.Vault(name, force_destroy=True, tags=tags, opts=child)
        self.far_vault = aws.backup.Vault(
            f"{name}-far", region=args.replica_region, force_destroy=True, tags=tags, opts=child
        )
        self.role, _ = service_role(f"{name}-backup", "backup.amazonaws.com", [], child, "orders")
        for work in ("Backup", "Restores"):
            aws.iam.RolePolicyAttachment(
                f"{name}-{work.lower()}", role=self.role.name, policy_arn=f"{_POLICY}{work}", opts=child
            )
        self.plan = aws.backup.Plan(
            name,
            rules=[
                {
                    "rule_name": "hourly",
                    "target_vault_name": self.vault.name,
                    "schedule": "cron(0 * ? * * *)",
                    "lifecycle": {"delete_after": 7},
                    "copy_actions": [{"destination_vault_arn": self.far_vault.arn, "lifecycle": {"delete_after": 7}}],
                }
            ],
            tags=tags,
            opts=child,
        )
        aws.backup.Selection(
            name, plan_id=self.plan.id, iam_role_arn=self.role.arn, resources=list(args.tables), opts=child
        )
        self.register_outputs({"vault": self.vault.name})
