"""One build as it runs: source, phases as processes of its own, artifacts; its log goes to CloudWatch as it is made.

All that it does on AWS it does under the project's service role, and so do its commands.
https://docs.aws.amazon.com/codebuild/latest/userguide/view-build-details-phases.html
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from harness import processes
from harness.cloud.builds.buildspec import PHASES, Artifacts, Buildspec, BuildspecError, Phase, read_buildspec
from harness.cloud.builds.files import chosen, packed, unpack
from harness.cloud.builds.script import script_of

Record = dict[str, Any]
_LINES_AT_ONCE = 1000
_FLUSH_EVERY_S = 0.5
_KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV")


class StoppedError(Exception):
    """Somebody stopped it."""


@dataclass(slots=True, kw_only=True)
class Build:
    """`record` is CodeBuild's of this build; readers see each state of it whole, because its end is written last.

    `client` makes clients under the service role; `variables` are what its processes find beside those of the build.
    `source` gives the zip of the source where a pipeline brings it; `kept` takes the artifact's there.
    """

    record: Record
    project: Mapping[str, Any]
    folder: Path
    registry: Path
    client: Callable[[str], Any]
    variables: Mapping[str, str]
    ended: Callable[[Record], None]
    _process: subprocess.Popen[bytes] | None = None
    _stopped: bool = False
    _lines: list[str] = field(default_factory=list)
    _flushed_s: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self) -> None:
        """From its source to its end; never raises for what the build did."""
        status = "FAULT"
        try:
            status = self._run()
        except StoppedError:
            status = "STOPPED"
        except subprocess.TimeoutExpired:
            status = "TIMED_OUT"
        except (BuildspecError, ClientError, BotoCoreError, OSError) as error:
            self._fail_phase(str(error))
            status = "FAILED"
        finally:
            with contextlib.suppress(ClientError, BotoCoreError):
                self._flush()
            shutil.rmtree(self.folder, ignore_errors=True)
            self._end(status)

    def stop(self) -> None:
        """End it now."""
        with self._lock:
            self._stopped = True
            if self._process is not None:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(self._process.pid, signal.SIGKILL)

    # -- from phase to phase -----------------------------------------------------------------------------------

    def _run(self) -> str:
        deadline_s = time.monotonic() + 60.0 * float(self.project.get("timeoutInMinutes") or 60)
        source = self.folder / "src"
        source.mkdir(parents=True)
        self._begin("DOWNLOAD_SOURCE")
        spec = self._fetch(source)
        environ = self._environ(spec, source)
        self._complete("SUCCEEDED")
        good = True
        for name in PHASES:
            if not good and name != "post_build":
                continue
            self._begin(name.upper())
            environ["CODEBUILD_BUILD_SUCCEEDING"] = str(int(good))
            code = self._phase(spec.phases.get(name, Phase()), environ, source, deadline_s)
            good = good and (code == 0 or spec.phases[name].goes_on)
            self._complete("SUCCEEDED" if code == 0 else "FAILED", code)
            if code and name in {"install", "pre_build"}:
                break  # nothing was built, so nothing comes after it
        self._export(spec)
        if good:
            self._begin("UPLOAD_ARTIFACTS")
            self._upload(spec.artifacts, source)
            self._complete("SUCCEEDED")
        return "SUCCEEDED" if good else "FAILED"

    def _phase(self, phase: Phase, environ: Mapping[str, str], source: Path, deadline_s: float) -> int:
        code = self._shell(phase.commands, environ, source, deadline_s) if phase.commands else 0
        if phase.cleanup:
            code = self._shell(phase.cleanup, environ, source, deadline_s) or code
        return code

    def _shell(self, commands: tuple[str, ...], environ: Mapping[str, str], source: Path, deadline_s: float) -> int:
        script = self.folder / "phase.sh"
        script.write_text(script_of(commands, self.folder / "state"), encoding="utf-8")
        with self._lock:
            if self._stopped:
                raise StoppedError
            self._process = process = processes.spawn(
                ["bash", str(script)],
                role=f"codebuild {self.record['projectName']}",
                registry=self.registry,
                env=environ,
                cwd=source,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
        alarm = threading.Timer(max(0.0, deadline_s - time.monotonic()), self._kill)
        alarm.start()
        try:
            for line in process.stdout or ():
                self._say(line.decode(errors="replace").rstrip("\n"))
            code = process.wait()
        finally:
            alarm.cancel()
            self._kill()  # what its commands left behind
            processes.forget(self.registry, process.pid)
            if process.stdout is not None:
                process.stdout.close()
        if self._stopped:
            raise StoppedError
        if time.monotonic() >= deadline_s:
            raise subprocess.TimeoutExpired("build", 60.0 * float(self.project.get("timeoutInMinutes") or 60))
        return code

    def _kill(self) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    # -- source, variables, artifacts --------------------------------------------------------------------------

    def _fetch(self, source: Path) -> Buildspec:
        given = self.project["source"]
        if given["type"] in {"S3", "CODEPIPELINE"}:
            bucket, _, key = str(given["location"]).removeprefix("arn:aws:s3:::").partition("/")
            unpack(self.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read(), source)
        named = str(given.get("buildspec") or "buildspec.yml")
        if "\n" in named or named.lstrip().startswith("{"):
            return read_buildspec(named)
        path = (source / named).resolve()
        if not path.is_relative_to(source.resolve()) or not path.is_file():
            raise BuildspecError(f"YAML_FILE_ERROR: stat {named}: no such file or directory")
        return read_buildspec(path.read_text(encoding="utf-8"))

    def _environ(self, spec: Buildspec, source: Path) -> dict[str, str]:
        """What a command finds: the project's variables come before the buildspec's, ours before both."""
        ssm, secrets = self.client("ssm"), self.client("secretsmanager")
        found = {**spec.variables}
        found |= {name: _parameter(ssm, where) for name, where in spec.parameters.items()}
        found |= {name: _secret(secrets, where) for name, where in spec.secrets.items()}
        for one in (self.project.get("environment") or {}).get("environmentVariables") or ():
            kind = one.get("type", "PLAINTEXT")
            if kind == "PARAMETER_STORE":
                found[one["name"]] = _parameter(ssm, one["value"])
            elif kind == "SECRETS_MANAGER":
                found[one["name"]] = _secret(secrets, one["value"])
            else:
                found[one["name"]] = str(one["value"])
        build = self.record
        return {
            **{name: os.environ[name] for name in _KEPT if name in os.environ},
            **found,
            "CI": "true",
            "CODEBUILD_CI": "true",
            "CODEBUILD_BUILD_ID": build["id"],
            "CODEBUILD_BUILD_ARN": build["arn"],
            "CODEBUILD_BUILD_NUMBER": str(build["buildNumber"]),
            "CODEBUILD_INITIATOR": build["initiator"],
            "CODEBUILD_LOG_PATH": build["logs"]["streamName"],
            "CODEBUILD_RESOLVED_SOURCE_VERSION": str(build.get("resolvedSourceVersion", "")),
            "CODEBUILD_SOURCE_VERSION": str(build.get("sourceVersion", "")),
            "CODEBUILD_SRC_DIR": str(source),
            "CODEBUILD_START_TIME": str(int(build["startTime"] * 1000)),
            **self.variables,
        }

    def _upload(self, artifacts: Artifacts, source: Path) -> None:
        given = self.project.get("artifacts") or {}
        if given.get("type") not in {"S3", "CODEPIPELINE"}:
            return
        s3, bucket = self.client("s3"), str(given["location"]).removeprefix("arn:aws:s3:::")
        key = _key_of(given, self.record, artifacts.name)
        if given["type"] == "CODEPIPELINE" or given.get("packaging") == "ZIP":
            s3.put_object(Bucket=bucket, Key=key, Body=packed(artifacts, source))
        else:
            for name, path in chosen(artifacts, source):
                s3.put_object(Bucket=bucket, Key=f"{key}/{name}", Body=path.read_bytes())
        self.record["artifacts"] = {"location": f"arn:aws:s3:::{bucket}/{key}"}

    def _export(self, spec: Buildspec) -> None:
        """Exported variables, as the last command left them."""
        state = self.folder / "state"
        if not spec.exported or not state.is_file():
            return
        script = f'. "$1"; for name in {" ".join(spec.exported)}; do printf "%s=%s\\0" "$name" "${{!name}}"; done'
        told = subprocess.run(
            ["bash", "-c", script, "export", str(state)], capture_output=True, check=False, timeout=10
        )
        pairs = [one.partition("=") for one in told.stdout.decode(errors="replace").split("\0") if one]
        self.record["exportedEnvironmentVariables"] = [{"name": name, "value": value} for name, _, value in pairs]

    # -- record and log ----------------------------------------------------------------------------------------

    def _begin(self, phase: str) -> None:
        self.record["phases"] = [*self.record["phases"], {"phaseType": phase, "startTime": time.time()}]
        self.record["currentPhase"] = phase
        self._say(f"[Container] {time.strftime('%Y/%m/%d %H:%M:%S', time.gmtime())} Entering phase {phase}")

    def _complete(self, status: str, code: int = 0) -> None:
        *before, phase = self.record["phases"]
        words = f"Error while executing command. Reason: exit status {code}"
        contexts = [{"statusCode": "COMMAND_EXECUTION_ERROR", "message": words}] if code else []
        self._settle(before, phase, status, contexts)
        at = time.strftime("%Y/%m/%d %H:%M:%S", time.gmtime())
        self._say(f"[Container] {at} Phase complete: {phase['phaseType']} State: {status}")

    def _fail_phase(self, why: str) -> None:
        *before, phase = self.record["phases"]
        self._settle(before, phase, "FAILED", [{"statusCode": "CLIENT_ERROR", "message": why}])
        self._say(f"[Container] {phase['phaseType']}: {why}")

    def _settle(self, before: list[Record], phase: Record, status: str, contexts: list[Record]) -> None:
        now_s = time.time()
        ended = {"endTime": now_s, "durationInSeconds": int(now_s - phase["startTime"]), "contexts": contexts}
        self.record["phases"] = [*before, {**phase, **ended, "phaseStatus": status}]

    def _end(self, status: str) -> None:
        now_s = time.time()
        last = {"phaseType": "COMPLETED", "startTime": now_s}
        self.record["phases"] = [*self.record["phases"], last]
        self.record |= {"endTime": now_s, "currentPhase": "COMPLETED", "buildComplete": True}
        self.record["buildStatus"] = status  # last: whoever sees it sees all
        self.ended(self.record)

    def _say(self, line: str) -> None:
        self._lines.append(line)
        if len(self._lines) >= _LINES_AT_ONCE or time.monotonic() - self._flushed_s > _FLUSH_EVERY_S:
            self._flush()

    def _flush(self) -> None:
        """Send the lines so far under the service role; its group and stream are made when needed."""
        lines, self._lines, self._flushed_s = self._lines, [], time.monotonic()
        if not lines:
            return
        logs, named = self.client("logs"), self.record["logs"]
        where = {"logGroupName": named["groupName"], "logStreamName": named["streamName"]}
        events = [{"timestamp": int(time.time() * 1000), "message": line or " "} for line in lines]
        try:
            logs.put_log_events(**where, logEvents=events)
        except logs.exceptions.ResourceNotFoundException:
            with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):
                logs.create_log_group(logGroupName=named["groupName"])
            with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):
                logs.create_log_stream(**where)
            logs.put_log_events(**where, logEvents=events)


def _key_of(given: Mapping[str, Any], build: Record, named: str) -> str:
    """Where an artifact goes: `path/build id/name`, as its settings say."""
    name = named if named and given.get("overrideArtifactName") else given.get("name") or build["projectName"]
    parts = [str(given.get("path", "")).strip("/")]
    if given.get("namespaceType") == "BUILD_ID":
        parts.append(build["id"].partition(":")[2])
    return "/".join(part for part in (*parts, str(name)) if part and part != "/")


def _parameter(ssm: Any, name: str) -> str:
    return str(ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"])


def _secret(secrets: Any, reference: str) -> str:
    """`secret-id:json-key:version-stage:version-id`, all but the first may be left out; the id may be an ARN."""
    import json

    arn = reference.startswith("arn:")
    parts = reference.split(":")
    secret, rest = (":".join(parts[:7]), parts[7:]) if arn else (parts[0], parts[1:])
    value = str(secrets.get_secret_value(SecretId=secret)["SecretString"])
    return str(json.loads(value)[rest[0]]) if rest and rest[0] else value
