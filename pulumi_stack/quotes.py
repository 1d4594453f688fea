"""What delivery costs: a function that is released by moving an alias, and waits warm behind it.

The tariffs are a layer of their own, so that they change without the code. Callers know the alias only: CodeDeploy
moves it, a tenth of the calls first, and back when the alarm goes off.
"""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from alarms import Metric, alarm_at_one
from function import Function, ShopFunctionArgs, service_role
from placement import Placement

ALIAS = "live"
TARIFFS = 'STANDARD_CENTS, EXPRESS_CENTS, VERSION = 490, 990, "spring"\n'


@dataclass(frozen=True)
class QuotesArgs:
    """`warm` environments of the alias are initialised before anybody asks."""

    placement: Placement
    warm: int = 1


class Quotes(pulumi.ComponentResource):
    """Outputs: `alias`, `function`, `tariffs` (layer), `alarm`, `releases`; it can stand behind a route."""

    def __init__(self, name: str, args: QuotesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("shop:index:Quotes", name, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self.tariffs = aws.lambda_.LayerVersion(
            f"{name}-tariffs",
            layer_name=f"{pulumi.get_project()}-tariffs-{pulumi.get_stack()}",
            code=pulumi.AssetArchive({"python/tariffs.py": pulumi.StringAsset(TARIFFS)}),
            compatible_runtimes=["python3.12"],
            opts=self._child,
        )
        self.function = Function(
            "quote",
            ShopFunctionArgs(
                handler="quote_delivery",
                statements=[],
                placement=args.placement,
                layers=[self.tariffs.arn],
                publish=True,
            ),
            self._child,
        )
        self.alias = aws.lambda_.Alias(
            name,
            name=ALIAS,
            function_name=self.function.name,
            function_version=self.function.function.version,
            # Releases move it, not deployments of the stack.
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["functionVersion", "routingConfig"]),
        )
        aws.lambda_.ProvisionedConcurrencyConfig(
            name,
            function_name=self.function.name,
            qualifier=self.alias.name,
            provisioned_concurrent_executions=args.warm,
            opts=self._child,
        )
        errors = Metric("AWS/Lambda", "Errors", {"FunctionName": self.function.name})
        self.alarm = alarm_at_one(f"{name}-errors", errors, self._child, app="shop")
        self.releases = self._releases(name)
        self.invoke_arn, self.timeout_s = self.alias.invoke_arn, self.function.timeout_s
        self.register_outputs({"alias": self.alias.arn})

    def _releases(self, name: str) -> aws.codedeploy.DeploymentGroup:
        """A tenth of the calls for half an hour, then all; back at once when the alarm goes off."""
        role, _ = service_role(f"{name}-releases", "codedeploy.amazonaws.com", [], self._child)
        allowed = aws.iam.RolePolicyAttachment(
            f"{name}-releases",
            role=role.name,
            policy_arn="arn:aws:iam::aws:policy/service-role/AWSCodeDeployRoleForLambda",
            opts=self._child,
        )
        application = aws.codedeploy.Application(
            name, compute_platform="Lambda", tags={"app": "shop"}, opts=self._child
        )
        return aws.codedeploy.DeploymentGroup(
            name,
            app_name=application.name,
            deployment_group_name=self.function.name,
            service_role_arn=role.arn,
            deployment_config_name="CodeDeployDefault.LambdaCanary10Percent30Minutes",
            deployment_style={"deployment_option": "WITH_TRAFFIC_CONTROL", "deployment_type": "BLUE_GREEN"},
            alarm_configuration={"enabled": True, "alarms": [self.alarm.name]},
            auto_rollback_configuration={
                "enabled": True,
                "events": ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"],
            },
            tags={"app": "shop"},
            opts=pulumi.ResourceOptions(parent=self, depends_on=[allowed]),
        )

    def allow(self, name: str, service: str, source: pulumi.Input[str]) -> aws.lambda_.Permission:
        """Let a service invoke what the alias points to, whatever that is."""
        return aws.lambda_.Permission(
            name,
            action="lambda:InvokeFunction",
            function=self.function.name,
            qualifier=self.alias.name,
            principal=service,
            source_arn=source,
            opts=self._child,
        )
