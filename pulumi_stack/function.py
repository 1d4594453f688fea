"""A Lambda function with a role of its own that may do exactly what it is given."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pulumi
import pulumi_aws as aws
from placement import Placement
from statement import Statement, document

APP = Path(__file__).parent / "app"
RUNTIME = "python3.12"


@dataclass(frozen=True)
class FunctionArgs:
    """`handler` is the module in `app/` whose `handler` runs. `timeout_s` must stay below the caller's patience.

    An AWS call of the function gives up after `read_timeout_s` and is tried three times (app/aws.py). `app` is the
    tag that says whose part it is. `layers` are ARNs of layer versions. `publish` makes a version of each change,
    which an alias can point to.
    """

    handler: str
    statements: Sequence[Statement]
    placement: Placement
    environment: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    timeout_s: int = 5
    memory_mb: int = 256
    app: str = "orders"
    read_timeout_s: float = 1.0
    layers: Sequence[pulumi.Input[str]] = ()
    publish: bool = False


@dataclass(frozen=True)
class ShopFunctionArgs(FunctionArgs):
    """A function that no load waits for: it is patient."""

    timeout_s: int = 20
    app: str = "shop"
    read_timeout_s: float = 5.0


class Function(pulumi.ComponentResource):
    """Outputs: `name`, `arn`, `role` and `function`; `statements` is what the role may do."""

    def __init__(self, name: str, args: FunctionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("orders:index:Function", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        tags = {"app": args.app, "role": name}
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
        faults = args.placement.fault_injection
        statements = [*args.statements, *(faults.statements if faults else ())]
        own = [
            aws.iam.RolePolicy(
                f"{name}-own",
                role=self.role.id,
                policy=pulumi.Output.json_dumps(document(statements)),
                opts=child,
            )
            for _ in statements[:1]
        ]
        self.function = aws.lambda_.Function(
            name,
            runtime=RUNTIME,
            handler=f"{args.handler}.handler",
            code=pulumi.FileArchive(str(APP)),
            role=self.role.arn,
            timeout=args.timeout_s,
            memory_size=args.memory_mb,
            environment={
                "variables": {
                    "READ_TIMEOUT_S": str(args.read_timeout_s),
                    **args.environment,
                    **(faults.environment if faults else {}),
                }
            },
            layers=[*args.layers, *([faults.layer_arn] if faults else ())] or None,
            publish=args.publish or None,
            vpc_config={
                "subnet_ids": list(args.placement.subnet_ids),
                "security_group_ids": [args.placement.security_group_id],
            },
            tags=tags,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[network, *own]),
        )
        aws.cloudwatch.LogGroup(
            name,
            name=self.function.name.apply(lambda made: f"/aws/lambda/{made}"),
            retention_in_days=14,
            tags=tags,
            opts=child,
        )
        self.label, self.timeout_s = name, args.timeout_s
        self.name = self.function.name
        self.arn = self.function.arn
        self.register_outputs({"name": self.name, "arn": self.arn})

    def allow(self, name: str, service: str, source: pulumi.Input[str]) -> None:
        """Let a service invoke the function on behalf of one source."""
        aws.lambda_.Permission(
            name,
            action="lambda:InvokeFunction",
            function=self.function.name,
            principal=service,
            source_arn=source,
            opts=pulumi.ResourceOptions(parent=self),
        )
