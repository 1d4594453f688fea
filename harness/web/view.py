"""What the console shows, taken from the running stack as one JSON object."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chaos.drill_file import drill_names
from chaos.fis.watching import ENDED, Watcher
from harness.cloud.control_client import ControlClient
from harness.errors import BlackstartError
from harness.report.run_json import read_run
from harness.stack import RunningStack
from harness.workspace import Workspace

Shown = dict[str, Any]  # JSON

EVENTS = 80
RUNS = 12
ALARMS_EVERY_S = 2.0
_QUICK: dict[str, Any] = {"connect_timeout": 1, "read_timeout": 1.5, "retries": {"total_max_attempts": 1}}
"""A region that has lost its power does not answer; the console says so and goes on."""


@dataclass(slots=True)
class View:
    """One console's eyes. For one thread at a time."""

    workspace: Workspace
    stack: RunningStack
    control: ControlClient = field(init=False)
    _events: list[Shown] = field(default_factory=list)
    _seen: int = 0
    _alarms: list[Shown] = field(default_factory=list)
    _alarms_at_s: float = 0.0
    _watchers: dict[str, Watcher] = field(default_factory=dict)
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)
    _runs: dict[str, Shown] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.control = ControlClient(self.stack.target, timeout_s=5)

    def look(self) -> Shown:
        """How everything is now.

        Raises:
            NotReadyError: the cloud no longer answers.
        """
        return {
            "stack": self.stack.name,
            "endpoint": self.stack.target.endpoint,
            "at": time.time(),
            "zones": self._zones(),
            "faults": self._faults(),
            "experiments": self._experiments(),
            "templates": self._templates(),
            "alarms": self._alarm_states(),
            "copies": self.control.replication(),
            "pulse": self.control.pulse(),
            "events": self._what_happened(),
            "drills": drill_names(self.workspace.drills),
            "runs": self._past_runs(),
        }

    def _zones(self) -> list[Shown]:
        """Each zone with what lives in it, alike ones of a function as one row."""
        environments = self.control.environments()
        functions = Counter((row["zone"], row["function"]) for row in environments)
        busy = Counter((row["zone"], row["function"]) for row in environments if row["busy"])
        rows = [
            {"zone": zone, "kind": "function", "name": name, "count": count, "busy": busy[zone, name], "alive": True}
            for (zone, name), count in sorted(functions.items())
        ]
        tasks = Counter((row["zone"], row["group"].partition(":")[2], row["status"]) for row in self.control.tasks())
        rows += [
            {"zone": zone, "kind": "task", "name": name, "count": count, "role": status, "alive": status == "RUNNING"}
            for (zone, name, status), count in sorted(tasks.items())
        ]
        rows += self.control.databases()
        return [
            {**zone, "residents": [row for row in rows if row["zone"] == zone["id"]]} for zone in self.control.zones()
        ]

    def _faults(self) -> list[Shown]:
        rules = [
            {"id": one.rule.id, "owner": one.rule.owner, "what": type(one.rule.effect).__name__, "fired": one.fired}
            for one in self.control.rules()
        ]
        links = [
            {"id": one["id"], "owner": one["owner"], "what": "link", "fired": one["fired"]}
            for one in self.control.links()
        ]
        return rules + links

    def _experiments(self) -> list[Shown]:
        fis = self._client("fis")
        found = [one for page in fis.get_paginator("list_experiments").paginate() for one in page["experiments"]]
        newest = sorted(found, key=lambda one: one["creationTime"], reverse=True)[:6]
        return [
            {
                "id": one["id"],
                "template": one["experimentTemplateId"],
                "status": one["state"]["status"],
                "ended": one["state"]["status"] in ENDED,
                "began": one.get("startTime", one["creationTime"]).timestamp(),
                "actions": self._actions(one["id"]) if one["state"]["status"] not in ENDED else [],
            }
            for one in newest
        ]

    def _actions(self, experiment: str) -> list[Shown]:
        watcher = self._watchers.setdefault(experiment, Watcher(self.stack.target, experiment))
        return [
            {"name": one.name, "action": one.action_id, "status": one.status, "fired": one.fired}
            for one in watcher.look().actions
        ]

    def _templates(self) -> list[Shown]:
        pages = self._client("fis").get_paginator("list_experiment_templates").paginate()
        return [
            {"id": one["id"], "description": one.get("description", "")}
            for page in pages
            for one in page["experimentTemplates"]
        ]

    def _alarm_states(self) -> list[Shown]:
        if time.monotonic() - self._alarms_at_s > ALARMS_EVERY_S:
            found = [row for region in self.stack.target.regions for row in self._alarms_of(region)]
            self._alarms, self._alarms_at_s = found, time.monotonic()
        return self._alarms

    def _alarms_of(self, region: str) -> list[Shown]:
        try:
            pages = list(self._client("cloudwatch", region).get_paginator("describe_alarms").paginate())
        except (BotoCoreError, ClientError):
            known = [row for row in self._alarms if row["region"] == region and row["name"]]
            return [{**row, "state": "NO ANSWER"} for row in known] or [
                {"region": region, "name": "", "state": "NO ANSWER", "since": time.time()}
            ]
        return [
            {
                "region": region,
                "name": one["AlarmName"],
                "state": one["StateValue"],
                "since": one["StateUpdatedTimestamp"].timestamp(),
            }
            for page in pages
            for one in (*page["MetricAlarms"], *page.get("CompositeAlarms", ()))
        ]

    def _client(self, service: str, region: str = "") -> Any:  # boto3 makes clients at run time
        """Made once: the console looks every second, and a client costs tens of milliseconds."""
        key = (service, region)
        if key not in self._clients:
            self._clients[key] = self.stack.target.client(service, region=region or None, **_QUICK)
        return self._clients[key]

    def _what_happened(self) -> list[Shown]:
        """The newest first; the clock of evidence is this machine's monotonic one."""
        found, offset_s = self.control.evidence(self._seen), time.time() - time.monotonic()
        if found:
            self._seen = found[-1].sequence
        self._events += [
            {
                "sequence": one.sequence,
                "at": one.at_s + offset_s,
                "kind": one.kind,
                "owner": one.owner,
                "detail": one.detail,
            }
            for one in found[-EVENTS:]
        ]
        del self._events[:-EVENTS]
        return self._events[::-1]

    def _past_runs(self) -> list[Shown]:
        names = sorted((path.parent.name for path in self.workspace.runs.glob("*/run.json")), reverse=True)[:RUNS]
        for name in names:
            if name not in self._runs:
                self._runs[name] = self._run(name)
        return [self._runs[name] for name in names]

    def _run(self, name: str) -> Shown:
        folder = self.workspace.runs / name
        try:
            record = read_run(folder / "run.json")
        except BlackstartError as error:
            return {"id": name, "verdict": "", "what": str(error), "report": False}
        parts = [f"{one.name} {one.verdict}" for one in record.drills]
        if record.scenarios:
            parts.insert(0, f"{record.scenarios.passed} scenarios passed, {record.scenarios.failed} failed")
        report = (folder / "report.html").is_file()
        return {"id": name, "verdict": record.verdict, "what": ", ".join(parts), "report": report}
