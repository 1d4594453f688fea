"""What partners are trusted by: a signing key in Secrets Manager under a KMS key, rotated by a function."""

import secrets
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from function import Function, ShopFunctionArgs
from placement import Placement
from statement import Statement


@dataclass(frozen=True)
class PartnersArgs:
    """The key is made anew every `days`."""

    placement: Placement
    days: int = 30


class Partners(pulumi.ComponentResource):
    """Outputs: `key` (KMS), `secret`, `sign` (function), `functions`."""

    def __init__(self, name: str, args: PartnersArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("shop:index:Partners", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.key = aws.kms.Key(
            name,
            description="What partners are trusted by",
            enable_key_rotation=True,
            deletion_window_in_days=7,
            tags={"app": "shop"},
            opts=child,
        )
        aws.kms.Alias(name, name=f"alias/{pulumi.get_project()}-{name}", target_key_id=self.key.id, opts=child)
        self.secret = aws.secretsmanager.Secret(
            name, kms_key_id=self.key.arn, recovery_window_in_days=0, tags={"app": "shop"}, opts=child
        )
        aws.secretsmanager.SecretVersion(
            name,
            secret_id=self.secret.id,
            secret_string=pulumi.Output.secret(secrets.token_urlsafe(30)),
            # Only the first key is ours: rotation makes the others.
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["secretString"]),
        )
        rotate = Function("rotate", self._rotating(args), child)
        self.sign = Function("partner", self._signing(args), child)
        self.functions = [rotate, self.sign]
        allowed = rotate.allow(name, "secretsmanager.amazonaws.com", self.secret.arn)
        aws.secretsmanager.SecretRotation(
            name,
            secret_id=self.secret.id,
            rotation_lambda_arn=rotate.arn,
            rotate_immediately=False,
            rotation_rules={"automatically_after_days": args.days},
            opts=pulumi.ResourceOptions(parent=self, depends_on=[allowed]),
        )
        self.register_outputs({})

    def _rotating(self, args: PartnersArgs) -> ShopFunctionArgs:
        return ShopFunctionArgs(
            handler="rotate_key",
            statements=[
                Statement(
                    [
                        "secretsmanager:DescribeSecret",
                        "secretsmanager:GetSecretValue",
                        "secretsmanager:PutSecretValue",
                        "secretsmanager:UpdateSecretVersionStage",
                    ],
                    [self.secret.arn],
                ),
                Statement(["secretsmanager:GetRandomPassword"], ["*"]),
                Statement(["kms:Decrypt", "kms:GenerateDataKey"], [self.key.arn]),
            ],
            placement=args.placement,
        )

    def _signing(self, args: PartnersArgs) -> ShopFunctionArgs:
        return ShopFunctionArgs(
            handler="sign_for_partner",
            statements=[
                Statement(["secretsmanager:GetSecretValue"], [self.secret.arn]),
                Statement(["kms:Decrypt"], [self.key.arn]),
            ],
            environment={"SECRET_ARN": self.secret.arn},
            placement=args.placement,
        )
