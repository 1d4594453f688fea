"""What an action of a pipeline does: take a source, build, deploy, invoke, wait for somebody's word.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference.html
"""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.cloud.sessions import Client

_LOOK_EVERY_S = 0.2
_BUILD_ENDED = frozenset({"SUCCEEDED", "FAILED", "FAULT", "STOPPED", "TIMED_OUT"})


class ActionFailedError(Exception):
    """An action failed; `code` is CodePipeline's word."""

    def __init__(self, message: str, code: str = "JobFailed") -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One action as it runs. `inputs` are artifacts by name: their keys in the pipeline's bucket.

    `output` is where the action's own artifact goes, '' when it has none; `goes_on` raises when the pipeline is
    stopped; `approved` waits for somebody's word and returns the summary of a yes.
    """

    client: Client
    configuration: Mapping[str, str]
    bucket: str
    inputs: Mapping[str, str]
    output: str
    goes_on: Callable[[], None]
    approved: Callable[[], str]

    @property
    def first(self) -> str:
        """The key of the only, or first, input."""
        return next(iter(self.inputs.values()), "")

    def pause(self) -> None:
        """Look again later, unless the pipeline is stopped."""
        self.goes_on()
        time.sleep(_LOOK_EVERY_S)


def from_s3(work: Work) -> str:
    """Source: the object, as the artifact; returns its version."""
    bucket, key = work.configuration["S3Bucket"], work.configuration["S3ObjectKey"]
    found = work.client("s3").get_object(Bucket=bucket, Key=key)
    work.client("s3").put_object(Bucket=work.bucket, Key=work.output, Body=found["Body"].read())
    return str(found.get("VersionId") or found["ETag"].strip('"'))


def build(work: Work) -> str:
    """Build and Test by CodeBuild; returns the build's id."""
    codebuild, project = work.client("codebuild"), work.configuration["ProjectName"]
    artifacts: dict[str, Any] = {"type": "NO_ARTIFACTS"}
    if work.output:
        artifacts = {"type": "CODEPIPELINE", "location": work.bucket, "name": work.output}
    variables = json.loads(work.configuration.get("EnvironmentVariables") or "[]")
    started = codebuild.start_build(
        projectName=project,
        sourceTypeOverride="CODEPIPELINE",
        sourceLocationOverride=f"{work.bucket}/{work.first}",
        artifactsOverride=artifacts,
        environmentVariablesOverride=variables,
    )["build"]["id"]
    while True:
        found = codebuild.batch_get_builds(ids=[started])["builds"][0]
        if found["buildStatus"] in _BUILD_ENDED:
            break
        try:
            work.pause()
        except BaseException:
            codebuild.stop_build(id=started)
            raise
    if found["buildStatus"] != "SUCCEEDED":
        raise ActionFailedError(f"Build terminated with state: {found['buildStatus']} ({started})")
    return str(started)


def to_s3(work: Work) -> str:
    """Deploy: the artifact as it is, or its files."""
    content = work.client("s3").get_object(Bucket=work.bucket, Key=work.first)["Body"].read()
    bucket, key = work.configuration["BucketName"], work.configuration.get("ObjectKey", "")
    if work.configuration.get("Extract", "true") != "true":
        work.client("s3").put_object(Bucket=bucket, Key=key, Body=content)
        return key
    prefix = f"{key.strip('/')}/" if key else ""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            if not name.endswith("/"):
                work.client("s3").put_object(Bucket=bucket, Key=prefix + name, Body=archive.read(name))
    return prefix


def by_cloudformation(work: Work) -> str:
    """Deploy by CREATE_UPDATE or DELETE_ONLY; `Artifact::path` names the template, `Fn::GetParam` is not done."""
    formation, wanted = work.client("cloudformation"), work.configuration
    mode, stack = wanted["ActionMode"], wanted["StackName"]
    if mode not in {"CREATE_UPDATE", "DELETE_ONLY"}:
        raise ActionFailedError(f"ActionMode {mode} is not supported by this cloud", "ConfigurationError")
    there = _status(formation, stack)
    if mode == "DELETE_ONLY":
        formation.delete_stack(StackName=stack)
        _settle(work, formation, stack, "DELETE_COMPLETE")
        return stack
    parameters = json.loads(wanted.get("ParameterOverrides") or "{}")
    given = {
        "StackName": stack,
        "TemplateBody": _in_artifact(work, wanted["TemplatePath"]),
        "Parameters": [{"ParameterKey": key, "ParameterValue": str(value)} for key, value in parameters.items()],
        "Capabilities": [one for one in wanted.get("Capabilities", "").split(",") if one],
        **({"RoleARN": wanted["RoleArn"]} if "RoleArn" in wanted else {}),
    }
    if there in {"", "DELETE_COMPLETE"}:
        formation.create_stack(**given)
        _settle(work, formation, stack, "CREATE_COMPLETE")
    else:
        try:
            formation.update_stack(**given)
        except formation.exceptions.ClientError as error:
            if "No updates" in str(error):
                return stack
            raise
        _settle(work, formation, stack, "UPDATE_COMPLETE")
    return stack


def by_lambda(work: Work) -> str:
    """Invoke: a function, which is done when it returns; PutJobSuccessResult is not waited for."""
    name = work.configuration["FunctionName"]
    event = {"CodePipeline.job": {"data": {"actionConfiguration": {"configuration": dict(work.configuration)}}}}
    answer = work.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event).encode())
    if answer.get("FunctionError"):
        raise ActionFailedError(answer["Payload"].read().decode(errors="replace"))
    return name


def by_hand(work: Work) -> str:
    """Approval: somebody says yes, or no."""
    return work.approved()


ACTIONS: Mapping[tuple[str, str], Callable[[Work], str]] = {
    ("Source", "S3"): from_s3,
    ("Build", "CodeBuild"): build,
    ("Test", "CodeBuild"): build,
    ("Deploy", "S3"): to_s3,
    ("Deploy", "CloudFormation"): by_cloudformation,
    ("Invoke", "Lambda"): by_lambda,
    ("Approval", "Manual"): by_hand,
}
"""Category and provider → what is done. Others fail by name."""


def _in_artifact(work: Work, where: str) -> str:
    name, _, path = where.partition("::")
    if name not in work.inputs:
        raise ActionFailedError(f"there is no input artifact {name}", "ConfigurationError")
    content = work.client("s3").get_object(Bucket=work.bucket, Key=work.inputs[name])["Body"].read()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if path not in archive.namelist():
            raise ActionFailedError(f"the artifact {name} has no file {path}", "ConfigurationError")
        return archive.read(path).decode()


def _status(formation: Any, stack: str) -> str:
    try:
        return str(formation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"])
    except formation.exceptions.ClientError:
        return ""


def _settle(work: Work, formation: Any, stack: str, wanted: str) -> None:
    while (status := _status(formation, stack)).endswith("IN_PROGRESS"):
        work.pause()
    if status != wanted and not (wanted == "DELETE_COMPLETE" and not status):
        raise ActionFailedError(f"Stack {stack} is {status}")
