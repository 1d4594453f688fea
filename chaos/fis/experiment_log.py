"""What an experiment logs: records of AWS's schema, to CloudWatch Logs as they come and to S3 at the end.

Source: https://docs.aws.amazon.com/fis/latest/userguide/monitoring-logging.html
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from botocore.exceptions import BotoCoreError, ClientError

from chaos.fis.errors import ActionError
from chaos.fis.region import Members, Region

_PAGE = 100


@dataclass(slots=True, kw_only=True)
class ExperimentLog:
    """The log of one experiment. Writing never delays the experiment: one thread of the region writes, in order."""

    region: Region
    experiment: str
    version: int
    group: str
    bucket: str
    prefix: str
    _lines: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, region: Region, experiment: str, given: Members | None) -> ExperimentLog:
        """The log that a template's `logConfiguration` asks for; without one, nothing is written."""
        given = given or {}
        logs, objects = given.get("cloudWatchLogsConfiguration") or {}, given.get("s3Configuration") or {}
        return cls(
            region=region,
            experiment=experiment,
            version=int(given.get("logSchemaVersion", 2)),
            group=str(logs.get("logGroupArn", "")).partition(":log-group:")[2].removesuffix(":*"),
            bucket=str(objects.get("bucketName", "")),
            prefix=str(objects.get("prefix", "")),
        )

    @property
    def stream(self) -> str:
        """The name of the log stream."""
        return f"/aws/fis/{self.experiment}"

    def open(self) -> None:
        """Look whether the destinations take anything.

        Raises:
            ActionError: one does not.
        """
        try:
            if self.group:
                self.region.clients.get("logs").create_log_stream(logGroupName=self.group, logStreamName=self.stream)
            if self.bucket:
                self.region.clients.get("s3").head_bucket(Bucket=self.bucket)
        except (ClientError, BotoCoreError) as error:
            raise ActionError(f"Unable to write to the log destination: {error}") from error

    def later(self, step: Callable[[], object]) -> None:
        """Do something after all that was logged before, on the writer's thread."""
        self.region.writer.submit(_quietly, step)

    # -- records ---------------------------------------------------------------------------------------------

    def experiment_started(self, template: str) -> None:
        """`experiment-start`."""
        self._add("experiment-start", experiment_template_id=template, experiment_start_time=self._now())

    def resolution_started(self, target: str) -> None:
        """`target-resolution-start`."""
        self._add("target-resolution-start", target_resolution_start_time=self._now(), target_name=target)

    def resolution_failed(self, target: str, kind: str, error: str) -> None:
        """`target-resolution-detail` with what went wrong."""
        self._detail(target, kind, 0, status="failed", error_information=error)

    def resolution_ended(self, target: str, kind: str, arns: Sequence[str]) -> None:
        """`target-resolution-detail`, then `target-resolution-end` page by page."""
        self._detail(target, kind, len(arns), status="completed")
        pages = [arns[at : at + _PAGE] for at in range(0, len(arns), _PAGE)] or [[]]
        for number, found in enumerate(pages, 1):
            self._add(
                "target-resolution-end",
                target_resolution_end_time=self._now(),
                target_name=target,
                target_type=kind,
                resolved_targets=list(found) if self.version == 1 else [{"arn": arn} for arn in found],
                page=number,
                total_pages=len(pages),
            )

    def action_changed(self, name: str, given: Members, status: str, reason: str) -> None:
        """`action-start`, `action-error` or `action-end`; other changes are not logged."""
        action = {"action_name": name, "action_id": given["actionId"]}
        state = {"action_state": {"status": status, "reason": reason}}
        if status == "initiating":
            parameters = {"parameters": given["parameters"]} if given.get("parameters") else {}
            targets = given.get("targets") or {}
            self._add("action-start", **action, action_start_time=self._now(), action_targets=targets, **parameters)
        elif status == "failed":
            self._add("action-error", **action, account_id=self.region.doors.target.account_id, **state)
        elif status in {"completed", "stopped", "cancelled", "skipped"}:
            self._add("action-end", **action, action_end_time=self._now(), **state)

    def experiment_ended(self, status: str, reason: str) -> None:
        """`experiment-end`; then the log is whole, and S3 gets it."""
        state = {"status": status, "reason": reason}
        self._add("experiment-end", experiment_end_time=self._now(), experiment_state=state)
        if self.bucket:
            self.later(self._write_object)

    # -- writing ---------------------------------------------------------------------------------------------

    def _detail(self, target: str, kind: str, count: int, **rest: str) -> None:
        self._add(
            "target-resolution-detail",
            target_resolution_end_time=self._now(),
            target_name=target,
            target_type=kind,
            account_id=self.region.doors.target.account_id,
            resolved_targets_count=count,
            **rest,
        )

    def _add(self, log_type: str, **details: object) -> None:
        if not self.group and not self.bucket:
            return
        record = {
            "id": self.experiment,
            "log_type": log_type,
            "event_timestamp": self._now(),
            "version": str(self.version),
            "details": details,
        }
        line, at_ms = json.dumps(record), int(self.region.epoch_s() * 1000)
        self._lines.append(line)
        if self.group:
            self.later(lambda: self._write_line(line, at_ms))

    def _write_line(self, line: str, at_ms: int) -> None:
        self.region.clients.get("logs").put_log_events(
            logGroupName=self.group, logStreamName=self.stream, logEvents=[{"timestamp": at_ms, "message": line}]
        )

    def _write_object(self) -> None:
        account, region = self.region.doors.target.account_id, self.region.name
        now = datetime.fromtimestamp(self.region.epoch_s(), UTC)
        folder = f"{self.prefix.rstrip('/')}/" if self.prefix else ""
        name = f"{account}_awsfislogs_{region}_{self.experiment}_{now:%Y%m%d%H%MZ}_{secrets.token_hex(4)}.log"
        key = f"{folder}AWSLogs/{account}/fis/{region}/{self.experiment}/{now:%Y/%m/%d}/{name}"
        body = "\n".join(self._lines) + "\n"
        self.region.clients.get("s3").put_object(Bucket=self.bucket, Key=key, Body=body.encode())

    def _now(self) -> str:
        at = datetime.fromtimestamp(self.region.epoch_s(), UTC)
        return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _quietly(step: Callable[[], object]) -> None:
    """Logs and events are best effort, as on AWS: a destination that fails does not fail the experiment."""
    try:
        step()
    except (ClientError, BotoCoreError) as error:
        logging.getLogger(__name__).warning("an experiment could not write: %s", error)
