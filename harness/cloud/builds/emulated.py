"""CodeBuild in the emulator: StartBuild runs, StopBuild stops, and a project keeps all that it was given.

ministack says that every build succeeded at once.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.cloud.builds.build import Build
from harness.cloud.doors import Doors, Publish
from harness.cloud.ministack_hooks import before_first_call
from harness.cloud.sessions import RoleSession
from harness.cloud.settings import CloudSettings
from harness.target import Target

Record = dict[str, Any]
_SOURCES = frozenset({"S3", "NO_SOURCE", "CODEPIPELINE"})
_OVERRIDES = {
    "sourceTypeOverride": ("source", "type"), "sourceLocationOverride": ("source", "location"),
    "buildspecOverride": ("source", "buildspec"), "imageOverride": ("environment", "image"),
    "computeTypeOverride": ("environment", "computeType"),
}  # fmt: skip
_WHOLE = {"artifactsOverride": "artifacts", "serviceRoleOverride": "serviceRole",
          "timeoutInMinutesOverride": "timeoutInMinutes", "logsConfigOverride": "logsConfig"}  # fmt: skip
_REFUSED = ("secondarySources", "secondaryArtifacts", "fileSystemLocations", "buildBatchConfig")


@dataclass(slots=True, kw_only=True)
class Builds:
    """The builds of one cloud."""

    target: Target
    folder: Path
    registry: Path
    publish: Publish
    _running: dict[str, Build] = field(default_factory=dict)

    @classmethod
    def install(cls, settings: CloudSettings, doors: Doors) -> Builds:
        """Run what is started from now on."""
        made = cls(
            target=doors.target,
            folder=settings.state_dir / "builds",
            registry=settings.environments,
            publish=doors.publish,
        )
        _authorize_builds_by_project()
        before_first_call("codebuild", made._answer)
        return made

    def reset(self) -> None:
        """Stop what runs, and forget it."""
        for build in list(self._running.values()):
            build.stop()
        self._running.clear()

    def _answer(self) -> None:
        from ministack.services import codebuild

        create, update = codebuild._create_project, codebuild._update_project  # noqa: SLF001
        stop, shape = codebuild._stop_build, codebuild._project_shape  # noqa: SLF001

        def keeping(builtin: Callable[[Record], Any]) -> Callable[[Record], Any]:
            """Ministack drops the members that it does not know."""

            def kept(data: Record) -> Any:
                answer = builtin(data)
                project = codebuild._projects.get(data.get("name", ""))  # noqa: SLF001
                if project is not None and answer[0] < 300:
                    project |= {name: value for name, value in data.items() if name != "name"}
                    return codebuild.json_response({"project": shaped(project)})
                return answer

            return kept

        def shaped(project: Record) -> Record:
            found: Record = {**project, **shape(project)}
            return found

        def stopped(data: Record) -> Any:
            build = self._running.get(data.get("id", ""))
            if build is None:
                return stop(data)
            build.stop()
            return codebuild.json_response({"build": {**build.record, "buildStatus": "STOPPED"}})

        codebuild._create_project, codebuild._update_project = keeping(create), keeping(update)  # noqa: SLF001
        codebuild._project_shape = shaped  # noqa: SLF001
        codebuild._start_build, codebuild._stop_build = self._start, stopped  # noqa: SLF001

    def _start(self, data: Record) -> Any:
        from ministack.services import codebuild

        stored = codebuild._projects.get(data.get("projectName", ""))  # noqa: SLF001
        if stored is None:
            words = f"Project cannot be found: {data.get('projectName', '')}"
            return codebuild.error_response_json("ResourceNotFoundException", words, 400)
        project = _overridden(stored, data)
        if refusal := _refusal(project):
            return codebuild.error_response_json("InvalidInputException", refusal, 400)
        name = codebuild._build_id(project["name"])  # noqa: SLF001
        record = codebuild._make_build_record(project, name, data.get("sourceVersion"))  # noqa: SLF001
        now_s = time.time()
        phases = [
            {"phaseType": name, "phaseStatus": "SUCCEEDED", "startTime": now_s, "endTime": now_s}
            for name in ("SUBMITTED", "QUEUED", "PROVISIONING")
        ]
        record |= {"phases": phases, "currentPhase": "PROVISIONING", "startTime": now_s, "buildComplete": False}
        record |= {"serviceRole": project["serviceRole"], "buildStatus": "IN_PROGRESS"}
        record.pop("endTime", None)
        record["initiator"] = str(data.get("initiator") or record["initiator"])
        named = ((project.get("logsConfig") or {}).get("cloudWatchLogs") or {}) | {}
        group = str(named.get("groupName") or f"/aws/codebuild/{project['name']}")
        stream = "/".join(filter(None, (str(named.get("streamName") or ""), record["id"].partition(":")[2])))
        record["logs"] = {"groupName": group, "streamName": stream, "cloudWatchLogs": {"status": "ENABLED", **named}}
        told = dict(record)  # as it starts, whatever has become of it by the time that the answer is written
        codebuild._builds[record["id"]] = record  # noqa: SLF001
        self._run(record, project)
        return codebuild.json_response({"build": told})

    def _run(self, record: Record, project: Record) -> None:
        region, account = str(record["arn"]).split(":")[3:5]
        role, name = str(project["serviceRole"]), f"codebuild-{record['projectName']}"
        session = RoleSession(role=role, account=account, region=region, name=name)
        build = Build(
            record=record,
            project=project,
            folder=self.folder / record["id"].partition(":")[2],
            registry=self.registry,
            client=session.clients(self.target),
            variables={
                **session.credentials(),
                "AWS_ENDPOINT_URL": str(self.target.endpoint),
                "AWS_REGION": region,
                "AWS_DEFAULT_REGION": region,
                "PATH": _path(),
            },
            ended=functools.partial(self._ended, region),
        )
        self._running[record["id"]] = build
        threading.Thread(target=build.run, name=f"build of {record['projectName']}", daemon=True).start()

    def _ended(self, region: str, record: Record) -> None:
        self._running.pop(record["id"], None)
        detail = {
            "build-status": record["buildStatus"], "project-name": record["projectName"], "build-id": record["arn"],
            "current-phase": "COMPLETED", "version": "1",
        }  # fmt: skip
        self.publish(
            region=region,
            source="aws.codebuild",
            detail_type="CodeBuild Build State Change",
            resources=[record["arn"]],
            detail=detail,
        )


def _authorize_builds_by_project() -> None:
    """Calls about builds are authorized on their project, as on AWS; ministack knows no resource for them.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscodebuild.html
    """
    from ministack.core import iam_actions

    builtin = iam_actions._safe_json_field  # noqa: SLF001

    def field_of(body: bytes, name: str) -> str:
        found = str(builtin(body, name))
        if found or name != "projectName":
            return found
        with contextlib.suppress(ValueError, IndexError, AttributeError, TypeError):
            asked = json.loads(body)
            build = str((asked.get("ids") or [asked.get("id", "")])[0])
            return build.rpartition("/")[2].partition(":")[0]
        return found

    iam_actions._safe_json_field = field_of  # noqa: SLF001


def _overridden(stored: Mapping[str, Any], data: Mapping[str, Any]) -> Record:
    """The project as this build has it."""
    project: Record = {name: dict(value) if isinstance(value, dict) else value for name, value in stored.items()}
    for name, (part, member) in _OVERRIDES.items():
        if name in data:
            project[part] = {**project.get(part, {}), member: data[name]}
    for name, member in _WHOLE.items():
        if name in data:
            project[member] = data[name]
    environment = project.get("environment") or {}
    given = {one["name"]: one for one in environment.get("environmentVariables") or ()}
    given |= {one["name"]: one for one in data.get("environmentVariablesOverride") or ()}
    project["environment"] = {**environment, "environmentVariables": list(given.values())}
    return project


def _refusal(project: Mapping[str, Any]) -> str:
    """What of a project cannot be built here, by name; '' when all can."""
    source, environment = project.get("source") or {}, project.get("environment") or {}
    if source.get("type") not in _SOURCES:
        return f"source type {source.get('type')} is not supported by this cloud: bring the source as a zip in S3"
    if environment.get("type", "LINUX_CONTAINER") not in {"LINUX_CONTAINER", "ARM_CONTAINER"}:
        return f"environment type {environment['type']} is not supported by this cloud: commands run in bash here"
    if environment.get("privilegedMode"):
        return "privilegedMode is not supported by this cloud: there is no Docker daemon"
    named = next((name for name in _REFUSED if project.get(name)), "")
    return f"{named} is not supported by this cloud" if named else ""


def _path() -> str:
    """Where commands are found: the Python of this installation is `python`, as images of CodeBuild have one."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "/usr/bin:/bin")])
