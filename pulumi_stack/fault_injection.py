"""What AWS FIS needs on real AWS to break the functions: its role, and the extension that each function then carries.

The embedded cloud needs none of it. On AWS the extension polls a bucket for faults, up to 60 s late; a function
without it is silently left alone while the experiment completes.
Source: https://docs.aws.amazon.com/fis/latest/userguide/use-lambda-actions.html
"""

import json

import pulumi
import pulumi_aws as aws
from statement import Statement, document

LAYER_PARAMETER = "/aws/service/fis/lambda-extension/AWS-FIS-extension-x86_64/1.x.x"
FOLDER = "faults/"


class FaultInjection(pulumi.ComponentResource):
    """Outputs: `role_arn`, the role that FIS takes. `layer_arn`, `environment` and `statements` are for functions."""

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("orders:index:FaultInjection", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        tags = {"app": "orders", "role": "fault-injection"}
        self.bucket = aws.s3.Bucket(f"{name}-faults", force_destroy=True, tags=tags, opts=child)
        self.role = aws.iam.Role(
            f"{name}-fis", assume_role_policy=_trusted_by("fis.amazonaws.com"), tags=tags, opts=child
        )
        faults = self.bucket.arn.apply(lambda arn: f"{arn}/{FOLDER}*")
        aws.iam.RolePolicy(
            f"{name}-fis",
            role=self.role.id,
            policy=pulumi.Output.json_dumps(
                document(
                    [
                        Statement(["s3:PutObject", "s3:DeleteObject"], [faults]),
                        Statement(["lambda:GetFunction", "tag:GetResources"], ["*"]),
                    ]
                )
            ),
            opts=child,
        )
        self.layer_arn = aws.ssm.get_parameter_output(name=LAYER_PARAMETER).value
        self.environment = {
            "AWS_FIS_CONFIGURATION_LOCATION": self.bucket.arn.apply(lambda arn: f"{arn}/{FOLDER}"),
            "AWS_LAMBDA_EXEC_WRAPPER": "/opt/aws-fis/bootstrap",
        }
        self.statements = [
            Statement(["s3:ListBucket"], [self.bucket.arn]),
            Statement(["s3:GetObject"], [faults]),
        ]
        self.role_arn = self.role.arn
        self.register_outputs({"role_arn": self.role_arn})


def _trusted_by(service: str) -> str:
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}}
    return json.dumps({"Version": "2012-10-17", "Statement": [trust]})
