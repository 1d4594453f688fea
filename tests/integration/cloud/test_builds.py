"""CodeBuild and CodePipeline beyond what the shop's pipeline needs: S3, stores, stops, refusals, somebody's word."""

import io
import json
import zipfile
from typing import Any

import pytest
from botocore.exceptions import ClientError

from harness.cloud.client import RunningCloud
from tests.waiting import awaited

SPEC = """
version: 0.2
env: {parameter-store: {LIMIT: /build/limit}, secrets-manager: {TOKEN: "build:token"}}
phases:
  build: {commands: ["printf '%s %s %s' $LIMIT $TOKEN $COLOUR > said.txt"], finally: ["echo tidy"]}
artifacts: {files: [said.txt]}
"""
SLOW = "version: 0.2\nphases: {build: {commands: ['echo begun', 'sleep 600']}}\n"


def role(cloud: RunningCloud, service: str) -> str:
    trust = {"Effect": "Allow", "Principal": {"Service": f"{service}.amazonaws.com"}, "Action": "sts:AssumeRole"}
    allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    iam = cloud.target.client("iam")
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn = iam.create_role(RoleName=service, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_role_policy(RoleName=service, PolicyName="all", PolicyDocument=policy)
    return str(arn)


@pytest.fixture
def builder(cloud: RunningCloud) -> Any:
    """CodeBuild, and a project `builds` whose source and artifacts are in the bucket of its name."""
    client = cloud.target.client
    client("s3").create_bucket(Bucket="builds")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("buildspec.yml", SPEC)
    client("s3").put_object(Bucket="builds", Key="source.zip", Body=buffer.getvalue())
    client("ssm").put_parameter(Name="/build/limit", Type="SecureString", Value="seven")
    client("secretsmanager").create_secret(Name="build", SecretString='{"token": "hush"}')
    client("codebuild").create_project(
        name="builds",
        serviceRole=role(cloud, "codebuild"),
        source={"type": "S3", "location": "builds/source.zip"},
        artifacts={"type": "S3", "location": "builds", "path": "out", "name": "made", "packaging": "NONE"},
        environment={
            "type": "LINUX_CONTAINER",
            "image": "standard:7.0",
            "computeType": "BUILD_GENERAL1_SMALL",
            "environmentVariables": [{"name": "COLOUR", "value": "red"}],
        },
    )
    return client("codebuild")


def ended(builder: Any, build: str) -> dict[str, Any]:
    def looked() -> dict[str, Any] | None:
        found: dict[str, Any] = builder.batch_get_builds(ids=[build])["builds"][0]
        return found if found["buildStatus"] != "IN_PROGRESS" else None

    told = awaited(looked)
    assert told is not None
    return told


def test_a_build_reads_its_source_and_stores_and_keeps_its_artifacts(cloud: RunningCloud, builder: Any) -> None:
    blue = [{"name": "COLOUR", "value": "blue"}]
    build = builder.start_build(projectName="builds", environmentVariablesOverride=blue)["build"]
    assert build["buildStatus"] == "IN_PROGRESS"
    told = ended(builder, build["id"])
    assert told["buildStatus"] == "SUCCEEDED", told["phases"]
    kept = cloud.target.client("s3").get_object(Bucket="builds", Key="out/made/said.txt")["Body"].read()
    assert kept == b"seven hush blue"


def test_builds_are_stopped_time_out_and_are_refused_by_name(builder: Any) -> None:
    build = builder.start_build(projectName="builds", buildspecOverride=SLOW)["build"]["id"]
    awaited(lambda: builder.batch_get_builds(ids=[build])["builds"][0]["currentPhase"] == "BUILD")
    builder.stop_build(id=build)
    assert ended(builder, build)["buildStatus"] == "STOPPED"
    broken = builder.start_build(projectName="builds", buildspecOverride="version: 0.2\nreports: {}\n")["build"]["id"]
    told = ended(builder, broken)
    assert told["buildStatus"] == "FAILED"
    assert "reports is not supported" in str(told["phases"])
    with pytest.raises(ClientError, match="source type GITHUB is not supported"):
        builder.start_build(projectName="builds", sourceTypeOverride="GITHUB")


def test_a_pipeline_waits_for_somebodys_word_and_names_what_it_cannot_do(cloud: RunningCloud, builder: Any) -> None:
    pipelines = cloud.target.client("codepipeline")

    def action(category: str, provider: str, **more: Any) -> dict[str, Any]:
        kind = {"category": category, "owner": "AWS", "provider": provider, "version": "1"}
        return {"name": category, "actionTypeId": kind, **more}

    source = {"S3Bucket": "builds", "S3ObjectKey": "source.zip"}
    stages = [
        [action("Source", "S3", configuration=source, outputArtifacts=[{"name": "s"}])],
        [action("Approval", "Manual")],
        [action("Deploy", "ElasticBeanstalk", inputArtifacts=[{"name": "s"}])],
    ]
    pipelines.create_pipeline(
        pipeline={
            "name": "line",
            "roleArn": role(cloud, "codepipeline"),
            "artifactStore": {"type": "S3", "location": "builds"},
            "stages": [{"name": one[0]["name"], "actions": one} for one in stages],
        }
    )
    (first,) = awaited(lambda: pipelines.list_pipeline_executions(pipelineName="line")["pipelineExecutionSummaries"])
    assert first["trigger"]["triggerType"] == "CreatePipeline"  # it starts when it is made
    execution = first["pipelineExecutionId"]

    def waiting() -> str:
        states = pipelines.get_pipeline_state(name="line")["stageStates"][1]["actionStates"][0]
        return str(states.get("latestExecution", {}).get("token", ""))

    yes = {"summary": "go", "status": "Approved"}
    pipelines.put_approval_result(
        pipelineName="line", stageName="Approval", actionName="Approval", result=yes, token=awaited(waiting)
    )

    def status() -> str:
        found = pipelines.get_pipeline_execution(pipelineName="line", pipelineExecutionId=execution)
        return str(found["pipelineExecution"]["status"])

    awaited(lambda: status() == "Failed")
    (deploy, *_) = pipelines.list_action_executions(pipelineName="line")["actionExecutionDetails"]
    assert "AWS Deploy ElasticBeanstalk is not supported" in str(deploy["output"])
    assert (
        pipelines.list_pipeline_executions(pipelineName="line")["pipelineExecutionSummaries"][0]["status"] == "Failed"
    )


def test_a_newer_execution_takes_the_place_of_one_that_waits_before_a_stage(
    cloud: RunningCloud, builder: Any
) -> None:
    pipelines = cloud.target.client("codepipeline")

    def stage(category: str, provider: str, **more: Any) -> dict[str, Any]:
        kind = {"category": category, "owner": "AWS", "provider": provider, "version": "1"}
        return {"name": category, "actions": [{"name": category, "actionTypeId": kind, **more}]}

    source = {"S3Bucket": "builds", "S3ObjectKey": "source.zip"}
    pipelines.create_pipeline(
        pipeline={
            "name": "race",
            "roleArn": role(cloud, "codepipeline"),
            "artifactStore": {"type": "S3", "location": "builds"},
            "stages": [
                stage("Source", "S3", configuration=source, outputArtifacts=[{"name": "s"}]),
                stage("Approval", "Manual"),
            ],
        }
    )

    def actions(execution: str) -> dict[str, str]:
        asked = {"pipelineName": "race", "filter": {"pipelineExecutionId": execution}}
        found = pipelines.list_action_executions(**asked)["actionExecutionDetails"]
        return {one["actionName"]: one["status"] for one in found}

    def status(execution: str) -> str:
        found = pipelines.get_pipeline_execution(pipelineName="race", pipelineExecutionId=execution)
        return str(found["pipelineExecution"]["status"])

    def start() -> str:
        return str(pipelines.start_pipeline_execution(name="race")["pipelineExecutionId"])

    (first,) = awaited(lambda: pipelines.list_pipeline_executions(pipelineName="race")["pipelineExecutionSummaries"])
    oldest = first["pipelineExecutionId"]
    assert first["executionMode"] == "SUPERSEDED"  # by default
    awaited(lambda: actions(oldest) == {"Source": "Succeeded", "Approval": "InProgress"})
    second = start()
    awaited(lambda: actions(second) == {"Source": "Succeeded"})  # the stages are not one: only Approval is taken
    third = start()
    awaited(lambda: status(second) == "Superseded")
    awaited(lambda: actions(third) == {"Source": "Succeeded"})
    pipelines.stop_pipeline_execution(pipelineName="race", pipelineExecutionId=oldest)
    awaited(lambda: status(oldest) == "Stopped")
    awaited(lambda: actions(third) == {"Source": "Succeeded", "Approval": "InProgress"})
    assert actions(second) == {"Source": "Succeeded"}
    pipelines.stop_pipeline_execution(pipelineName="race", pipelineExecutionId=third)
    awaited(lambda: status(third) == "Stopped")
