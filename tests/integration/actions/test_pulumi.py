"""The same template from Pulumi's inputs and from boto3 is the same template."""

from typing import Any

from harness.deploy.providers.aws.fis import _template

LOGS = "arn:aws:logs:us-east-1:000000000000:log-group:fis:*"
INPUTS = {
    "description": "both",
    "roleArn": "arn:aws:iam::000000000000:role/fis",
    "stopConditions": [{"source": "none", "value": ""}],
    "actions": [
        {"name": "w", "actionId": "aws:fis:wait", "parameters": [{"key": "duration", "value": "PT1M"}]},
        {
            "name": "slow",
            "actionId": "aws:lambda:invocation-add-delay",
            "parameters": [{"key": "duration", "value": "PT1M"}],
            "target": {"key": "Functions", "value": "t"},
            "startAfters": ["w"],
        },
    ],
    "targets": [
        {
            "name": "t",
            "resourceType": "aws:lambda:function",
            "selectionMode": "PERCENT(50)",
            "resourceTags": [{"key": "app", "value": "orders"}],
            "filters": [{"path": "Runtime", "values": ["python3.12"]}],
        }
    ],
    "experimentOptions": {"accountTargeting": "single-account", "emptyTargetResolutionMode": "skip"},
    "logConfiguration": {"logSchemaVersion": 2, "cloudwatchLogsConfiguration": {"logGroupArn": LOGS}},
    "experimentReportConfiguration": {
        "outputs": {"s3Configuration": {"bucketName": "reports"}},
        "dataSources": {"cloudwatchDashboards": [{"dashboardArn": "arn:aws:cloudwatch::000000000000:dashboard/d"}]},
        "postExperimentDuration": "PT5M",
    },
}


def test_pulumi_and_boto3_make_the_same_template(aws: Any) -> None:
    fis = aws.client("fis")
    by_boto3 = fis.create_experiment_template(
        description="both",
        roleArn="arn:aws:iam::000000000000:role/fis",
        stopConditions=[{"source": "none"}],
        targets={
            "t": {
                "resourceType": "aws:lambda:function",
                "selectionMode": "PERCENT(50)",
                "resourceTags": {"app": "orders"},
                "filters": [{"path": "Runtime", "values": ["python3.12"]}],
            }
        },
        actions={
            "w": {"actionId": "aws:fis:wait", "parameters": {"duration": "PT1M"}},
            "slow": {
                "actionId": "aws:lambda:invocation-add-delay",
                "parameters": {"duration": "PT1M"},
                "targets": {"Functions": "t"},
                "startAfter": ["w"],
            },
        },
        experimentOptions={"accountTargeting": "single-account", "emptyTargetResolutionMode": "skip"},
        logConfiguration={"logSchemaVersion": 2, "cloudWatchLogsConfiguration": {"logGroupArn": LOGS}},
        experimentReportConfiguration={
            "outputs": {"s3Configuration": {"bucketName": "reports"}},
            "dataSources": {
                "cloudWatchDashboards": [{"dashboardIdentifier": "arn:aws:cloudwatch::000000000000:dashboard/d"}]
            },
            "postExperimentDuration": "PT5M",
        },
    )["experimentTemplate"]
    by_pulumi = fis.create_experiment_template(**_template(INPUTS))["experimentTemplate"]
    own = {"id", "arn", "creationTime", "lastUpdateTime"}
    assert {k: v for k, v in by_pulumi.items() if k not in own} == {k: v for k, v in by_boto3.items() if k not in own}
