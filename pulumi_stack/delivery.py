"""The pipeline that builds, tests and deploys the stack's own code: source in S3, CodeBuild, CloudFormation.

What it deploys is the orders API as a template (templates/orders.expanded.yaml), with the code that it has tested.
"""

import json
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws
from function import service_role
from statement import Statement

SOURCE_KEY = "source.zip"
TEMPLATE = "orders.expanded.yaml"


@dataclass(frozen=True)
class DeliveryArgs:
    """`image` is CodeBuild's; `deployed` names the stack that the pipeline keeps."""

    deployed: str
    image: str = "aws/codebuild/amazonlinux-x86_64-standard:5.0"


class Delivery(pulumi.ComponentResource):
    """Outputs: `pipeline`, `project`, `source` (bucket), `code` (bucket)."""

    def __init__(self, name: str, args: DeliveryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("shop:index:Delivery", name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        self.source, self._artifacts, self.code = (self._bucket(use) for use in ("source", "artifacts", "code"))
        self.project = self._project()
        self.pipeline = self._pipeline()
        self.register_outputs({"pipeline": self.pipeline.name})

    def _bucket(self, use: str) -> aws.s3.Bucket:
        label = f"{self._name}-{use}"
        bucket = aws.s3.Bucket(label, force_destroy=True, tags={"app": "shop"}, opts=self._child)
        aws.s3.BucketVersioning(
            label, bucket=bucket.id, versioning_configuration={"status": "Enabled"}, opts=self._child
        )
        return bucket

    def _project(self) -> aws.codebuild.Project:
        label = f"{self._name}-build"
        role, granted = service_role(
            label,
            "codebuild.amazonaws.com",
            [
                Statement(["s3:GetObject", "s3:PutObject"], [_inside(self._artifacts)]),
                Statement(["s3:PutObject"], [_inside(self.code)]),
                Statement(["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], [_any_log()]),
            ],
            self._child,
        )
        return aws.codebuild.Project(
            label,
            service_role=role.arn,
            build_timeout=10,
            source={"type": "CODEPIPELINE", "buildspec": "buildspec.yml"},
            artifacts={"type": "CODEPIPELINE"},
            environment={
                "type": "LINUX_CONTAINER",
                "compute_type": "BUILD_GENERAL1_SMALL",
                "image": self._args.image,
                "environment_variables": [{"name": "CODE_BUCKET", "value": self.code.id}],
            },
            tags={"app": "shop"},
            opts=pulumi.ResourceOptions(parent=self, depends_on=granted),
        )

    def _pipeline(self) -> aws.codepipeline.Pipeline:
        deployer, may_deploy = service_role(
            f"{self._name}-deploy", "cloudformation.amazonaws.com", _what_the_template_needs(self.code), self._child
        )
        role, granted = service_role(
            f"{self._name}-pipeline",
            "codepipeline.amazonaws.com",
            [
                Statement(["s3:GetObject", "s3:GetObjectVersion"], [_inside(self.source)]),
                Statement(["s3:GetObject", "s3:PutObject"], [_inside(self._artifacts)]),
                Statement(["codebuild:StartBuild", "codebuild:BatchGetBuilds"], [self.project.arn]),
                Statement(
                    ["cloudformation:CreateStack", "cloudformation:UpdateStack", "cloudformation:DescribeStacks"],
                    [_stack_arn(self._args.deployed)],
                ),
                Statement(["iam:PassRole"], [deployer.arn]),
            ],
            self._child,
        )
        return aws.codepipeline.Pipeline(
            self._name,
            role_arn=role.arn,
            pipeline_type="V2",
            execution_mode="QUEUED",
            artifact_stores=[{"type": "S3", "location": self._artifacts.id}],
            stages=[
                _stage("Source", "S3", self._from(), outputs=["source"]),
                _stage(
                    "Build", "CodeBuild", {"ProjectName": self.project.name}, inputs=["source"], outputs=["built"]
                ),
                _stage("Deploy", "CloudFormation", self._to(deployer), inputs=["built"]),
            ],
            tags={"app": "shop"},
            opts=pulumi.ResourceOptions(parent=self, depends_on=[*granted, *may_deploy]),
        )

    def _from(self) -> dict[str, pulumi.Input[str]]:
        return {"S3Bucket": self.source.id, "S3ObjectKey": SOURCE_KEY, "PollForSourceChanges": "false"}

    def _to(self, deployer: aws.iam.Role) -> dict[str, pulumi.Input[str]]:
        overrides = self.code.id.apply(lambda bucket: json.dumps({"CodeBucket": bucket, "CodeKey": "app.zip"}))
        return {
            "ActionMode": "CREATE_UPDATE",
            "StackName": self._args.deployed,
            "TemplatePath": f"built::{TEMPLATE}",
            "Capabilities": "CAPABILITY_IAM",
            "RoleArn": deployer.arn,
            "ParameterOverrides": overrides,
        }


def _stage(
    name: str,
    provider: str,
    configuration: dict[str, pulumi.Input[str]],
    *,
    inputs: list[str] | None = None,
    outputs: list[str] | None = None,
) -> dict[str, Any]:
    """A stage of one action."""
    action = {
        "name": name,
        "category": name,
        "owner": "AWS",
        "provider": provider,
        "version": "1",
        "configuration": configuration,
        "input_artifacts": inputs or [],
        "output_artifacts": outputs or [],
    }
    return {"name": name, "actions": [action]}


def _inside(bucket: aws.s3.Bucket) -> pulumi.Output[str]:
    return bucket.arn.apply(lambda arn: f"{arn}/*")


def _here(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{aws.get_region().region}:{aws.get_caller_identity().account_id}:{resource}"


def _any_log() -> str:
    return _here("logs", "log-group:/aws/codebuild/*")


def _stack_arn(name: str) -> str:
    return _here("cloudformation", f"stack/{name}/*")


def _what_the_template_needs(code: aws.s3.Bucket) -> list[Statement]:
    """CloudFormation's own role: it makes functions, tables, an API and roles, of this account only."""
    account = aws.get_caller_identity().account_id
    return [
        Statement(["s3:GetObject"], [_inside(code)]),
        Statement(["lambda:*"], [_here("lambda", "function:*")]),
        Statement(["dynamodb:*"], [_here("dynamodb", "table/*")]),
        Statement(["apigateway:*"], [f"arn:aws:apigateway:{aws.get_region().region}::*"]),
        Statement(["iam:*Role*"], [f"arn:aws:iam::{account}:role/*"]),
    ]
