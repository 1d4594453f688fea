"""A Lambda function with a role of its own that may do exactly what it is given."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pulumi
import pulumi_aws as aws

APP = Path(__file__).parent / "app"
RUNTIME = "python3.12"


@dataclass(frozen=True)
class Statement:
    """One permission: these actions on these resources."""

    actions: Sequence[str]
    resources: Sequence[pulumi.Input[str]]


@dataclass(frozen=True)
class FunctionArgs:
    """`handler` is the module in `app/` whose `handler` runs. `timeout_s` must stay below the caller's patience."""

    handler: str
    statements: Sequence[Statement]
    subnet_ids: Sequence[pulumi.Input[str]]
    security_group_id: pulumi.Input[str]
    environment: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    timeout_s: int = 5
    memory_mb: int = 256


class Function(pulumi.ComponentResource):
    """Outputs: `name`, `arn`, `invoke_arn`."""

    def __init__(self, name: str, args: FunctionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("orders:index:Function", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        tags = {"app": "orders", "role": name}
        self.role = aws.iam.Role(
            name,
            assume_role_policy=json.dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Action": "sts:AssumeRole",
                            "Principal": {"Service": "lambda.amazonaws.com"},
                        }
                    ],
                }
            ),
            tags=tags,
            opts=child,
        )
        # Logs and the network interfaces of a VPC function.
        network = aws.iam.RolePolicyAttachment(
            f"{name}-network",
            role=self.role.name,
            policy_arn="arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole",
            opts=child,
        )
        policy = aws.iam.RolePolicy(
            f"{name}-own",
            role=self.role.id,
            policy=pulumi.Output.json_dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [
                        {"Effect": "Allow", "Action": list(s.actions), "Resource": list(s.resources)}
                        for s in args.statements
                    ],
                }
            ),
            opts=child,
        )
        self.function = aws.lambda_.Function(
            name,
            runtime=RUNTIME,
            handler=f"{args.handler}.handler",
            code=pulumi.FileArchive(str(APP)),
            role=self.role.arn,
            timeout=args.timeout_s,
            memory_size=args.memory_mb,
            environment={"variables": dict(args.environment)},
            vpc_config={"subnet_ids": list(args.subnet_ids), "security_group_ids": [args.security_group_id]},
            tags=tags,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[network, policy]),
        )
        aws.cloudwatch.LogGroup(
            name,
            name=self.function.name.apply(lambda made: f"/aws/lambda/{made}"),
            retention_in_days=14,
            tags=tags,
            opts=child,
        )
        self.name = self.function.name
        self.arn = self.function.arn
        self.register_outputs({"name": self.name, "arn": self.arn})
