"""Catalogs, mail, configuration, organizations, stacks inside stacks."""

import json
from typing import Any

from harness.deploy.providers.aws import registry

SES, V2, APP, ORG, GLUE, ATHENA = (
    "aws:ses/", "aws:sesv2/", "aws:appconfig/", "aws:organizations/", "aws:glue/", "aws:athena/"
)  # fmt: skip
QUERY = json.dumps({"ResourceTypeFilters": ["AWS::AllSupported"], "TagFilters": [{"Key": "a", "Values": ["b"]}]})
TEMPLATE = {
    "Parameters": {"Name": {"Type": "String"}},
    "Resources": {"Q": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Ref": "Name"}}}},
    "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Q", "Arn"]}}},
}
SCP = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "ec2:*", "Resource": "*"}]}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "glue.amazonaws.com"}}],
}
COLUMNS = {"columns": [{"name": "id", "type": "string"}], "location": "s3://results/orders"}

ROWS = {
    "group": ("aws:resourcegroups/group:Group", {
        "resourceQuery": {"query": QUERY}, "description": "all", "tags": {"a": "b"}}),
    "results": ("aws:s3/bucket:Bucket", {"bucket": "results", "forceDestroy": True}),
    "workgroup": (ATHENA + "workgroup:Workgroup", {
        "description": "reports", "tags": {"a": "b"}, "configuration": {
            "enforceWorkgroupConfiguration": True, "resultConfiguration": {"outputLocation": "s3://results/q/"}}}),
    "catalog": (GLUE + "catalogDatabase:CatalogDatabase", {"name": "shop", "description": "orders"}),
    "table": (GLUE + "catalogTable:CatalogTable", {
        "databaseName": "${catalog.name}", "tableType": "EXTERNAL_TABLE", "storageDescriptor": COLUMNS,
        "parameters": {"EXTERNAL": "TRUE"}}),
    "query": (ATHENA + "namedQuery:NamedQuery", {"database": "shop", "query": "select 1"}),
    "job": (GLUE + "job:Job", {
        "roleArn": "arn:aws:iam::000000000000:role/x", "command": {"scriptLocation": "s3://results/j.py"}}),
    "role": ("aws:iam/role:Role", {"name": "crawler", "assumeRolePolicy": json.dumps(TRUST)}),
    "crawler": (GLUE + "crawler:Crawler", {
        "databaseName": "shop", "role": "${role.arn}",
        "s3Targets": [{"path": "s3://results/orders"}], "schedule": "cron(0 1 * * ? *)"}),
    "domain": (SES + "domainIdentity:DomainIdentity", {"domain": "example.com"}),
    "dkim": (SES + "domainDkim:DomainDkim", {"domain": "${domain}"}),
    "address": (SES + "emailIdentity:EmailIdentity", {"email": "a@example.org"}),
    "template": (SES + "template:Template", {"subject": "Hi", "html": "<b>hi</b>", "text": "hi"}),
    "set": (SES + "configurationSet:ConfigurationSet", {}),
    "identity": (V2 + "emailIdentity:EmailIdentity", {"emailIdentity": "example.net", "tags": {"a": "b"}}),
    "set2": (V2 + "configurationSet:ConfigurationSet", {"configurationSetName": "orders"}),
    "app": (APP + "application:Application", {"description": "shop", "tags": {"a": "b"}}),
    "env": (APP + "environment:Environment", {"applicationId": "${app}", "tags": {"a": "b"}}),
    "profile": (APP + "configurationProfile:ConfigurationProfile", {
        "applicationId": "${app}", "locationUri": "hosted"}),
    "version": (APP + "hostedConfigurationVersion:HostedConfigurationVersion", {
        "applicationId": "${app}", "configurationProfileId": "${profile.configurationProfileId}",
        "content": '{"on": true}', "contentType": "application/json"}),
    "strategy": (APP + "deploymentStrategy:DeploymentStrategy", {
        "deploymentDurationInMinutes": 0, "growthFactor": 100, "replicateTo": "NONE"}),
    "deployment": (APP + "deployment:Deployment", {
        "applicationId": "${app}", "environmentId": "${env.environmentId}",
        "configurationProfileId": "${profile.configurationProfileId}", "deploymentStrategyId": "${strategy}",
        "configurationVersion": "${version.versionNumber}"}),
    "organization": (ORG + "organization:Organization", {"enabledPolicyTypes": ["SERVICE_CONTROL_POLICY"]}),
    "scp": (ORG + "policy:Policy", {"content": json.dumps(SCP), "tags": {"a": "b"}}),
    "stack": ("aws:cloudformation/stack:Stack", {
        "templateBody": json.dumps(TEMPLATE), "parameters": {"Name": "from-a-stack"}, "tags": {"a": "b"}}),
    "detector": ("aws:guardduty/detector:Detector", {}),
    "hub": ("aws:securityhub/account:Account", {}),
}  # fmt: skip
CHANGES: dict[str, dict[str, Any]] = {
    "group": {"description": "everything", "resourceQuery": {"query": QUERY.replace("b", "c")}, "tags": {"c": "d"}},
    "workgroup": {
        "description": "all reports",
        "configuration": {
            "enforceWorkgroupConfiguration": False,
            "resultConfiguration": {"outputLocation": "s3://results/r/"},
        },
    },
    "catalog": {"description": "all orders"},
    "table": {"parameters": {"EXTERNAL": "FALSE"}},
    "job": {"maxRetries": 2},
    "crawler": {"description": "orders", "schedule": "cron(0 2 * * ? *)"},
    "template": {"subject": "Hello"},
    "app": {"description": "all", "tags": {"a": "c"}},
    "env": {"description": "live"},
    "profile": {"description": "flags"},
    "strategy": {"deploymentDurationInMinutes": 1},
    "scp": {"content": json.dumps({**SCP, "Id": "second"})},
    "stack": {"templateBody": json.dumps({**TEMPLATE, "Description": "second"})},
    "detector": {"enable": False},
}


def test_accounts(lives: Any) -> None:
    lives.run(ROWS, CHANGES, lacking=("organization",))


def test_units_and_policies_of_the_organization_that_there_is(lives: Any) -> None:
    scp = lives.create("scp", ORG + "policy:Policy", {"content": json.dumps(SCP)})
    found = registry().invokes[ORG + "getOrganization:getOrganization"](scp.context, {})
    root = found["roots"][0]["id"]
    lives.create("unit", ORG + "organizationalUnit:OrganizationalUnit", {"parentId": root, "tags": {"a": "b"}})
    attachment = {"policyId": "${scp}", "targetId": "${unit}"}
    attached = lives.create("attached", ORG + "policyAttachment:PolicyAttachment", attachment)
    for name in ("attached", "unit", "scp"):
        lives.delete(name)
    assert attached.read() is None
