"""A Lambda function with a role of its own that may do exactly what it is given."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import pulumi
import pulumi_aws as aws
from allocation import SERVICE
from placement import Placement
from statement import Statement, document

APP = Path(__file__).parent / "app"
RUNTIME = "python3.12"
CONSUME = (
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ChangeMessageVisibility",
)
"""What an event source mapping does with a queue under the function's role."""


@dataclass(frozen=True)
class FunctionArgs:
    """`handler` is the module in `app/` whose `handler` runs. `timeout_s` must stay below the caller's patience.

    An AWS call of the function gives up after `read_timeout_s` and is tried three times (app/aws.py), within the time
    that the invocation has left (app/time_budget.py): what the calls add up to needs no arithmetic here. `app` is the
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
    runtime: str = RUNTIME


@dataclass(frozen=True)
class ShopFunctionArgs(FunctionArgs):
    """A function that no load waits for: it is patient."""

    timeout_s: int = 20
    app: str = "shop"
    read_timeout_s: float = 5.0


class Answering(Protocol):
    """What can stand behind a route: a function, or an alias of one."""

    invoke_arn: pulumi.Output[str]
    timeout_s: int

    def allow(self, name: str, service: str, source: pulumi.Input[str]) -> aws.lambda_.Permission:
        """Let a service invoke it on behalf of one source."""
        ...


class Function(pulumi.ComponentResource):
    """Outputs: `name`, `arn`, `role` and `function`."""

    def __init__(self, name: str, args: FunctionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("orders:index:Function", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        tags = {"app": args.app, "role": name}
        faults = args.placement.fault_injection
        statements = [*args.statements, *(faults.statements if faults else ())]
        self.role, granted = service_role(name, "lambda.amazonaws.com", statements, child, args.app)
        # Logs and the network interfaces of a VPC function.
        network = aws.iam.RolePolicyAttachment(
            f"{name}-network",
            role=self.role.name,
            policy_arn="arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole",
            opts=child,
        )
        tracing = traced(name, self.role, child)
        self.label, self.timeout_s = name, args.timeout_s
        if not args.placement.made:
            self.register_outputs({})
            return
        self.function = aws.lambda_.Function(
            name,
            runtime=args.runtime,
            handler=f"{args.handler}.handler",
            code=pulumi.FileArchive(str(APP)),
            role=self.role.arn,
            timeout=args.timeout_s,
            memory_size=args.memory_mb,
            tracing_config={"mode": "Active"},
            environment={
                "variables": {
                    "SERVICE": SERVICE,
                    "READ_TIMEOUT_S": str(args.read_timeout_s),
                    **args.environment,
                    **(faults.environment if faults else {}),
                }
            },
            layers=[*args.layers, *([faults.layer_arn] if faults else ())] or None,
            publish=args.publish or None,
            reserved_concurrent_executions=args.placement.concurrency,
            vpc_config={
                "subnet_ids": list(args.placement.subnet_ids),
                "security_group_ids": [args.placement.security_group_id],
            },
            tags=tags,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[network, tracing, *granted]),
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
        self.invoke_arn = self.function.invoke_arn
        self.register_outputs({"name": self.name, "arn": self.arn})

    def allow(self, name: str, service: str, source: pulumi.Input[str]) -> aws.lambda_.Permission:
        """Let a service invoke the function on behalf of one source."""
        return aws.lambda_.Permission(
            name,
            action="lambda:InvokeFunction",
            function=self.function.name,
            principal=service,
            source_arn=source,
            opts=pulumi.ResourceOptions(parent=self),
        )


def traced(name: str, role: aws.iam.Role, opts: pulumi.ResourceOptions) -> aws.iam.RolePolicyAttachment:
    """Let a role send what it does to X-Ray."""
    return aws.iam.RolePolicyAttachment(
        f"{name}-tracing",
        role=role.name,
        policy_arn="arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess",
        opts=opts,
    )


def service_role(
    name: str, service: str, statements: Sequence[Statement], opts: pulumi.ResourceOptions, app: str = "shop"
) -> tuple[aws.iam.Role, list[pulumi.Resource]]:
    """A role that one service may take on, which may do exactly what the statements say; and what grants it that."""
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}}
    role = aws.iam.Role(
        name,
        assume_role_policy=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        tags={"app": app, "role": name},
        opts=opts,
    )
    granted: list[pulumi.Resource] = []
    if statements:
        policy = pulumi.Output.json_dumps(document(statements))
        granted.append(aws.iam.RolePolicy(f"{name}-own", role=role.id, policy=policy, opts=opts))
    return role, granted
