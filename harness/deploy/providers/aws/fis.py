"""FIS: experiment templates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.aws_type import AwsType
from harness.deploy.providers.aws.tags import LOGS
from harness.deploy.providers.resource import Context, Properties


class ExperimentTemplate(AwsType):
    """aws:fis/experimentTemplate:ExperimentTemplate; the id is the template's."""

    token: ClassVar = "aws:fis/experimentTemplate:ExperimentTemplate"
    creates: ClassVar = "CreateExperimentTemplate"
    listed: ClassVar = "id"
    tagging: ClassVar = LOGS

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it."""
        answer = self.client(context).create_experiment_template(tags=self.tags(context, inputs), **_template(inputs))
        return str(answer["experimentTemplate"]["id"])

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """ARN, and what tells it from others."""
        del inputs
        found = self.client(context).get_experiment_template(id=resource_id)["experimentTemplate"]
        return {"arn": found["arn"], "description": found["description"], "roleArn": found["roleArn"]}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Everything may change but the accounts that are aimed at."""
        changed = _template(news)
        changed.get("experimentOptions", {}).pop("accountTargeting", None)
        if olds.get("logConfiguration"):
            changed.setdefault("logConfiguration", {})  # an empty one turns logging off
        self.client(context).update_experiment_template(id=resource_id, **changed)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it."""
        del state
        self.client(context).delete_experiment_template(id=resource_id)


def _template(inputs: Properties) -> dict[str, Any]:
    """Pulumi writes maps of FIS's API as lists with names and keys."""
    return {
        "description": inputs["description"],
        "roleArn": inputs["roleArn"],
        "stopConditions": [
            {key: value for key, value in condition.items() if value} for condition in inputs["stopConditions"]
        ],
        "actions": {action["name"]: _action(action) for action in inputs["actions"]},
        "targets": {target["name"]: _target(target) for target in inputs.get("targets") or ()},
        **_optional(inputs),
    }


def _optional(inputs: Properties) -> dict[str, Any]:
    """Options, logging and report, as far as they are given."""
    found: dict[str, Any] = {}
    if options := inputs.get("experimentOptions"):
        found["experimentOptions"] = dict(options)
    if logs := inputs.get("logConfiguration"):
        found["logConfiguration"] = _renamed(logs, {"cloudwatchLogsConfiguration": "cloudWatchLogsConfiguration"})
    if report := inputs.get("experimentReportConfiguration"):
        dashboards = (report.get("dataSources") or {}).get("cloudwatchDashboards") or ()
        named = [{"dashboardIdentifier": one["dashboardArn"]} for one in dashboards]
        found["experimentReportConfiguration"] = {
            **{key: value for key, value in report.items() if key != "dataSources" and value},
            **({"dataSources": {"cloudWatchDashboards": named}} if named else {}),
        }
    return found


def _renamed(given: Properties, names: Mapping[str, str]) -> dict[str, Any]:
    return {names.get(key, key): value for key, value in given.items() if value}


def _action(action: Properties) -> dict[str, Any]:
    body: dict[str, Any] = {"actionId": action["actionId"]}
    if action.get("description"):
        body["description"] = action["description"]
    if action.get("parameters"):
        body["parameters"] = {one["key"]: str(one["value"]) for one in action["parameters"]}
    if action.get("target"):
        body["targets"] = {action["target"]["key"]: action["target"]["value"]}
    if action.get("startAfters"):
        body["startAfter"] = action["startAfters"]
    return body


def _target(target: Properties) -> dict[str, Any]:
    body: dict[str, Any] = {"resourceType": target["resourceType"], "selectionMode": target["selectionMode"]}
    if target.get("resourceArns"):
        body["resourceArns"] = target["resourceArns"]
    if target.get("resourceTags"):
        body["resourceTags"] = {tag["key"]: tag["value"] for tag in target["resourceTags"]}
    if target.get("filters"):
        body["filters"] = [{"path": one["path"], "values": one["values"]} for one in target["filters"]]
    if target.get("parameters"):
        body["parameters"] = dict(target["parameters"])
    return body


RESOURCES = (ExperimentTemplate(),)
