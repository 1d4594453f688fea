"""Lambda: functions, and all that is set on them or points to them."""

import io
import json
import zipfile
from typing import Any

from harness.deploy.engine.values import Archive, Asset

LAMBDA = "aws:lambda/"


def trust(service: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def code(answer: str) -> Archive:
    text = f"def handler(event, context):\n    return {{'said': {answer!r}, 'heard': event}}\n"
    return Archive("assets", {"app.py": Asset("text", text, hash=answer)}, hash=answer)


ROWS = {
    "role": ("aws:iam/role:Role", {"assumeRolePolicy": trust("lambda.amazonaws.com")}),
    "queue": ("aws:sqs/queue:Queue", {}),
    "dead": ("aws:sqs/queue:Queue", {}),
    "layer": (LAMBDA + "layerVersion:LayerVersion", {
        "layerName": "shared", "code": code("layer"), "compatibleRuntimes": ["python3.11"]}),
    "layer-permission": (LAMBDA + "layerVersionPermission:LayerVersionPermission", {
        "layerName": "shared", "versionNumber": 1, "action": "lambda:GetLayerVersion", "principal": "111111111111",
        "statementId": "other"}),
    "function": (LAMBDA + "function:Function", {
        "role": "${role.arn}", "runtime": "python3.11", "handler": "app.handler", "code": code("one"),
        "environment": {"variables": {"A": "1"}}, "layers": ["${layer.arn}"], "timeout": 5, "memorySize": 256,
        "deadLetterConfig": {"targetArn": "${dead.arn}"}, "publish": True, "tags": {"a": "b"},
        "reservedConcurrentExecutions": 5, "tracingConfig": {"mode": "Active"}, "description": "orders",
        "ephemeralStorage": {"size": 600}, "loggingConfig": {"logFormat": "JSON", "logGroup": "/shop"}}),
    "permission": (LAMBDA + "permission:Permission", {
        "function": "${function.name}", "action": "lambda:InvokeFunction", "principal": "s3.amazonaws.com",
        "sourceArn": "arn:aws:s3:::shop", "sourceAccount": "000000000000"}),
    "source": (LAMBDA + "eventSourceMapping:EventSourceMapping", {
        "functionName": "${function.name}", "eventSourceArn": "${queue.arn}", "batchSize": 5,
        "functionResponseTypes": ["ReportBatchItemFailures"], "maximumBatchingWindowInSeconds": 1,
        "filterCriteria": {"filters": [{"pattern": '{"body": {"a": [1]}}'}]},
        "scalingConfig": {"maximumConcurrency": 4}}),
    "alias": (LAMBDA + "alias:Alias", {
        "functionName": "${function.name}", "name": "live", "functionVersion": "${function.version}"}),
    "url": (LAMBDA + "functionUrl:FunctionUrl", {
        "functionName": "${function.name}", "authorizationType": "NONE",
        "cors": {"allowOrigins": ["*"], "maxAge": 5}}),
    "async": (LAMBDA + "functionEventInvokeConfig:FunctionEventInvokeConfig", {
        "functionName": "${function.name}", "maximumRetryAttempts": 1, "maximumEventAgeInSeconds": 120,
        "destinationConfig": {"onFailure": {"destination": "${dead.arn}"}}}),
    "provisioned": (LAMBDA + "provisionedConcurrencyConfig:ProvisionedConcurrencyConfig", {
        "functionName": "${function.name}", "qualifier": "${alias.name}", "provisionedConcurrentExecutions": 1}),
    "recursion": (LAMBDA + "functionRecursionConfig:FunctionRecursionConfig", {
        "functionName": "${function.name}", "recursiveLoop": "Allow"}),
    "called": (LAMBDA + "invocation:Invocation", {"functionName": "${function.name}", "input": '{"x": 1}'}),
    "signing": (LAMBDA + "codeSigningConfig:CodeSigningConfig", {
        "allowedPublishers": {"signingProfileVersionArns": [
            "arn:aws:signer:us-east-1:000000000000:/signing-profiles/p/1234567890"]},
        "policies": {"untrustedArtifactOnDeployment": "Warn"}}),
    "runtime": (LAMBDA + "runtimeManagementConfig:RuntimeManagementConfig", {"functionName": "none"}),
}  # fmt: skip
CHANGES: dict[str, dict[str, Any]] = {
    "function": {
        "code": code("two"), "environment": {"variables": {"B": "2"}}, "layers": None, "timeout": 6,
        "deadLetterConfig": None, "tags": {"c": "d"}, "reservedConcurrentExecutions": -1, "description": None,
        "memorySize": 512},
    "source": {"batchSize": 6, "enabled": False},
    "alias": {"description": "the live one"},
    "url": {"authorizationType": "AWS_IAM", "cors": None},
    "async": {"maximumRetryAttempts": 0},
    "provisioned": {"provisionedConcurrentExecutions": 2},
    "recursion": {"recursiveLoop": "Terminate"},
    "called": {"input": '{"x": 2}'},
}  # fmt: skip


def test_functions_and_what_is_set_on_them(lives: Any) -> None:
    lives.run(ROWS, CHANGES, blind=("called",), lacking=("signing", "runtime"), lingering=("layer",))


def test_a_changed_function_runs_its_new_code_with_its_new_settings(lives: Any, cloud: Any) -> None:
    lives.create("role", *ROWS["role"])
    body = {"role": "${role.arn}", "runtime": "python3.11", "handler": "app.handler", "publish": True}
    made = lives.create("function", LAMBDA + "function:Function", {**body, "name": "shop", "code": code("one")})
    assert made.outputs["version"] == "1"
    assert made.outputs["qualifiedArn"].endswith(":function:shop:1")
    lives.change("function", {"code": code("two")}, seen=False)
    assert lives.living["function"].outputs["version"] == "2"
    client = cloud.target.client("lambda")
    said = json.loads(client.invoke(FunctionName="shop", Payload=b'{"a": 1}')["Payload"].read())
    assert said == {"said": "two", "heard": {"a": 1}}
    found = lives.registry.invokes["aws:lambda/getFunction:getFunction"](made.context, {"functionName": "shop"})
    assert found["arn"] == made.outputs["arn"]
    assert zipfile.is_zipfile(io.BytesIO(made.context.zip_bytes(code("one"))))
    lives.delete("function")
    lives.delete("role")
