"""Which emulator an AWS service lives on, by botocore's names: the one table that says so.

`tests/contract/test_homes.py` holds it against the real emulators: it fails when ministack learns one of `MOTO`.
What stands in neither is emulated by nobody; ministack answers such a call with HTTP 400, "Unsupported service".
"""

from __future__ import annotations

from collections.abc import Mapping

OURS = frozenset({"arc-zonal-shift", "codedeploy", "fis", "schemas"})

MINISTACK = frozenset({
    "account", "acm", "apigateway", "apigatewaymanagementapi", "apigatewayv2", "appconfig", "appconfigdata",
    "appsync", "athena", "autoscaling", "backup", "batch", "bedrock", "bedrock-agent", "bedrock-agent-runtime",
    "bedrock-agentcore", "bedrock-agentcore-control", "bedrock-runtime", "budgets", "cloudformation", "cloudfront",
    "cloudfront-keyvaluestore", "cloudtrail", "cloudwatch", "codebuild", "cognito-identity", "cognito-idp",
    "cur", "docdb", "dsql", "dynamodb", "dynamodbstreams", "ec2", "ecr", "ecs", "efs", "eks",
    "elasticache", "elbv2", "emr", "es", "events", "firehose", "glue", "iam", "inspector2", "iot", "iot-data",
    "iot-jobs-data", "iotwireless", "kafka", "kinesis", "kinesisanalyticsv2", "kms", "lambda", "location", "logs",
    "mediaconnect", "mq", "mwaa", "neptune", "opensearch", "opensearchserverless", "organizations", "pipes", "rds",
    "rds-data", "resource-groups", "resourcegroupstaggingapi", "route53", "s3", "s3control", "s3files", "s3tables",
    "scheduler", "secretsmanager", "servicediscovery", "ses", "sesv2", "signer", "sns", "sqs", "ssm",
    "stepfunctions", "sts", "transcribe", "transfer", "translate", "waf", "waf-regional", "wafv2",
})  # fmt: skip

MOTO: Mapping[str, str] = {
    "acm-pca": "acmpca",
    "amp": "amp",
    "application-autoscaling": "applicationautoscaling",
    "appmesh": "appmesh",
    "ce": "ce",
    "cloudhsmv2": "cloudhsmv2",
    "codecommit": "codecommit",
    "codepipeline": "codepipeline",
    "comprehend": "comprehend",
    "config": "config",
    "connect": "connect",
    "databrew": "databrew",
    "datapipeline": "datapipeline",
    "datasync": "datasync",
    "dax": "dax",
    "directconnect": "directconnect",
    "dms": "dms",
    "ds": "ds",
    "elasticbeanstalk": "elasticbeanstalk",
    "emr-serverless": "emrserverless",
    "forecast": "forecast",
    "fsx": "fsx",
    "glacier": "glacier",
    "guardduty": "guardduty",
    "identitystore": "identitystore",
    "ivs": "ivs",
    "kinesisvideo": "kinesisvideo",
    "lakeformation": "lakeformation",
    "lexv2-models": "lexv2models",
    "macie2": "macie2",
    "managedblockchain": "managedblockchain",
    "medialive": "medialive",
    "mediapackage": "mediapackage",
    "mediastore": "mediastore",
    "memorydb": "memorydb",
    "network-firewall": "networkfirewall",
    "networkmanager": "networkmanager",
    "osis": "osis",
    "personalize": "personalize",
    "pinpoint": "pinpoint",
    "polly": "polly",
    "quicksight": "quicksight",
    "ram": "ram",
    "redshift": "redshift",
    "redshift-data": "redshiftdata",
    "rekognition": "rekognition",
    "resiliencehub": "resiliencehub",
    "route53domains": "route53domains",
    "route53resolver": "route53resolver",
    "sagemaker": "sagemaker",
    "securityhub": "securityhub",
    "service-quotas": "servicequotas",
    "servicecatalog": "servicecatalog",
    "servicecatalog-appregistry": "servicecatalogappregistry",
    "shield": "shield",
    "sso-admin": "ssoadmin",
    "support": "support",
    "swf": "swf",
    "synthetics": "synthetics",
    "textract": "textract",
    "timestream-query": "timestreamquery",
    "timestream-write": "timestreamwrite",
    "vpc-lattice": "vpclattice",
    "workspaces": "workspaces",
    "workspaces-web": "workspacesweb",
    "xray": "xray",
}
"""botocore's service → moto's backend. State of the API only: nothing runs, and no event leaves these services."""

FULLER_IN_MOTO = frozenset({"config"})
"""Those of `MOTO` that ministack answers too, but in part: its Config cannot delete what it creates."""


def home_of(service: str) -> str:
    """`blackstart`, `ministack`, `moto`, or '' when nobody emulates the service.

    >>> home_of("xray")
    'moto'
    """
    if service in OURS:
        return "blackstart"
    return "moto" if service in MOTO else "ministack" if service in MINISTACK else ""
