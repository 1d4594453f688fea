"""What builds, deploys, records, backs up and watches the bill."""

from typing import Any

ROLE = "arn:aws:iam::000000000000:role/x"
TOPIC = "arn:aws:sns:us-east-1:000000000000:t"
CFG, BUILD, BACKUP, BUDGETS = "aws:cfg/", "aws:codebuild/", "aws:backup/", "aws:budgets/"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "codepipeline.amazonaws.com"}}
    ],
}
STAGES = [
    {"name": "Source", "actions": [{
        "name": "S", "category": "Source", "owner": "AWS", "provider": "S3", "version": "1",
        "outputArtifacts": ["src"], "configuration": {"S3Bucket": "b", "S3ObjectKey": "k"}}]},
    {"name": "Build", "actions": [{
        "name": "B", "category": "Build", "owner": "AWS", "provider": "CodeBuild", "version": "1",
        "inputArtifacts": ["src"], "configuration": {"ProjectName": "p"}, "runOrder": 2}]},
]  # fmt: skip
RULES = [{
    "ruleName": "daily", "targetVaultName": "${vault}", "schedule": "cron(0 5 * * ? *)", "startWindow": 60,
    "lifecycle": {"deleteAfter": 14}}]  # fmt: skip
NOTIFY = {
    "comparisonOperator": "GREATER_THAN", "threshold": 80, "thresholdType": "PERCENTAGE",
    "notificationType": "ACTUAL", "subscriberEmailAddresses": ["a@example.com"]}  # fmt: skip

ROWS = {
    "logs": ("aws:s3/bucket:Bucket", {"bucket": "trail-and-config-logs", "forceDestroy": True}),
    "role": ("aws:iam/role:Role", {"name": "pipeline", "assumeRolePolicy": TRUST}),
    "recorder": (CFG + "recorder:Recorder", {
        "roleArn": ROLE, "recordingGroup": {"allSupported": True, "includeGlobalResourceTypes": True}}),
    "channel": (CFG + "deliveryChannel:DeliveryChannel", {"s3BucketName": "${logs}"}),
    "recording": (CFG + "recorderStatus:RecorderStatus", {"name": "${recorder}", "isEnabled": True}),
    "rule": (CFG + "rule:Rule", {
        "description": "encrypted", "source": {
            "owner": "AWS", "sourceIdentifier": "S3_BUCKET_SERVER_SIDE_ENCRYPTION_ENABLED"}, "tags": {"a": "b"}}),
    "trail": ("aws:cloudtrail/trail:Trail", {
        "s3BucketName": "${logs}", "isMultiRegionTrail": True, "enableLogFileValidation": True, "tags": {"a": "b"},
        "eventSelectors": [{"readWriteType": "All", "includeManagementEvents": True}]}),
    "project": (BUILD + "project:Project", {
        "serviceRole": ROLE, "artifacts": {"type": "NO_ARTIFACTS"}, "source": {"type": "NO_SOURCE", "buildspec": "x"},
        "environment": {"computeType": "BUILD_GENERAL1_SMALL", "image": "aws/codebuild/standard:7.0",
            "type": "LINUX_CONTAINER", "environmentVariables": [{"name": "A", "value": "1"}]},
        "tags": {"a": "b"}}),
    "pipeline": ("aws:codepipeline/pipeline:Pipeline", {
        "roleArn": "${role.arn}", "artifactStores": [{"location": "artifacts", "type": "S3"}], "stages": STAGES,
        "tags": {"a": "b"}}),
    "application": ("aws:codedeploy/application:Application", {"computePlatform": "Lambda", "tags": {"a": "b"}}),
    "canary": ("aws:codedeploy/deploymentConfig:DeploymentConfig", {
        "deploymentConfigName": "canary", "computePlatform": "Lambda", "trafficRoutingConfig": {
            "type": "TimeBasedCanary", "timeBasedCanary": {"interval": 2, "percentage": 25}}}),
    "deploys": ("aws:codedeploy/deploymentGroup:DeploymentGroup", {
        "appName": "${application.name}", "deploymentGroupName": "blue", "serviceRoleArn": ROLE,
        "deploymentConfigName": "${canary}",
        "deploymentStyle": {"deploymentOption": "WITH_TRAFFIC_CONTROL", "deploymentType": "BLUE_GREEN"},
        "autoRollbackConfiguration": {"enabled": True, "events": ["DEPLOYMENT_FAILURE"]},
        "alarmConfiguration": {"enabled": True, "alarms": ["errors"]}}),
    "repository": ("aws:codecommit/repository:Repository", {"repositoryName": "shop", "description": "code"}),
    "vault": (BACKUP + "vault:Vault", {"tags": {"a": "b"}}),
    "plan": (BACKUP + "plan:Plan", {"rules": RULES, "tags": {"a": "b"}}),
    "selection": (BACKUP + "selection:Selection", {
        "planId": "${plan}", "iamRoleArn": ROLE, "resources": ["*"],
        "selectionTags": [{"type": "STRINGEQUALS", "key": "backup", "value": "yes"}]}),
    "budget": (BUDGETS + "budget:Budget", {
        "budgetType": "COST", "limitAmount": "100", "limitUnit": "USD", "timeUnit": "MONTHLY",
        "timePeriodStart": "2026-01-01_00:00", "notifications": [NOTIFY], "tags": {"a": "b"}}),
    "action": (BUDGETS + "budgetAction:BudgetAction", {
        "budgetName": "monthly", "actionType": "APPLY_IAM_POLICY", "approvalModel": "AUTOMATIC",
        "notificationType": "ACTUAL", "executionRoleArn": ROLE,
        "actionThreshold": {"actionThresholdType": "ABSOLUTE_VALUE", "actionThresholdValue": 100},
        "definition": {"iamActionDefinition": {
            "policyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess", "roles": ["x"]}},
        "subscribers": [{"address": "a@example.com", "subscriptionType": "EMAIL"}]}),
    "lock": (BACKUP + "vaultLockConfiguration:VaultLockConfiguration", {
        "backupVaultName": "${vault}", "minRetentionDays": 1}),
    "vaultPolicy": (BACKUP + "vaultPolicy:VaultPolicy", {"backupVaultName": "v", "policy": "{}"}),
    "told": (BACKUP + "vaultNotifications:VaultNotifications", {
        "backupVaultName": "v", "snsTopicArn": TOPIC, "backupVaultEvents": ["BACKUP_JOB_FAILED"]}),
    "reports": (BUILD + "reportGroup:ReportGroup", {"type": "TEST", "exportConfig": {"type": "NO_EXPORT"}}),
    "hook": (BUILD + "webhook:Webhook", {"projectName": "shop"}),
    "credential": (BUILD + "sourceCredential:SourceCredential", {
        "authType": "PERSONAL_ACCESS_TOKEN", "serverType": "GITHUB", "token": "x"}),
}  # fmt: skip
CHANGES: dict[str, dict[str, Any]] = {
    "recorder": {"roleArn": ROLE + "2"},
    "recording": {"isEnabled": False},
    "channel": {"s3KeyPrefix": "config"},
    "rule": {"description": "all encrypted"},
    "trail": {"s3KeyPrefix": "trail", "enableLogging": False, "tags": {"c": "d"}},
    "project": {"description": "builds", "buildTimeout": 30, "tags": {"a": "c"}},
    "pipeline": {"artifactStores": [{"location": "artifacts2", "type": "S3"}], "tags": {"c": "d"}},
    "deploys": {"serviceRoleArn": ROLE + "2", "autoRollbackConfiguration": {"enabled": False}},
    "plan": {"rules": [{**RULES[0], "startWindow": 90}], "tags": {"c": "d"}},
    "budget": {"limitAmount": "120", "notifications": [{**NOTIFY, "threshold": 90}]},
}
LACKING = ("action", "vaultPolicy", "told", "reports", "hook", "credential")


def test_operations(lives: Any) -> None:
    lives.run(ROWS, CHANGES, lacking=LACKING)
