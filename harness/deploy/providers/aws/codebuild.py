"""CodeBuild: projects and what starts and reports builds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.declared import Declared
from harness.deploy.providers.aws.tags import Tagging
from harness.deploy.providers.resource import Context, Properties


class Project(Declared, noun="Project", verbs="Create - Update Delete"):
    """aws:codebuild/project:Project; the id is the ARN."""

    token: ClassVar = "aws:codebuild/project:Project"
    reads: ClassVar = "BatchGetProjects"
    key: ClassVar = {"name": "name", "names": "name"}
    id_from: ClassVar = "project.arn"
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 150}
    body: ClassVar = "projects"
    defaults: ClassVar = {"badgeEnabled": False, "buildTimeout": 60, "queuedTimeout": 480, "autoRetryLimit": 0}
    tagging: ClassVar = Tagging(tags="tags", key="key", value="value")
    renames: ClassVar = {
        "buildTimeout": "timeoutInMinutes", "queuedTimeout": "queuedTimeoutInMinutes", "badgeEnabled": "",
        "buildBatchConfig": "buildBatchConfig", "computeTypesAlloweds": "computeTypesAllowed",
    }  # fmt: skip
    replace_on: ClassVar = frozenset({"name"})

    def known(self, resource_id: str, state: Properties) -> Properties:
        """The name is the last part of the ARN."""
        return {"name": resource_id.rpartition("/")[2], **super().known(resource_id, state)}

    def update(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> Properties:
        """Everything at once: CodeBuild tags only with the project itself."""
        tags = self.wire_tags(context, news)
        self.send(context, "UpdateProject", self.arrange(context, news), name=news["name"], tags=tags)
        return self._outputs(context, news, self.look(context, resource_id, news) or {})


class ReportGroup(Declared, noun="ReportGroup", verbs="Create - Update Delete"):
    """aws:codebuild/reportGroup:ReportGroup; the id is the ARN."""

    token: ClassVar = "aws:codebuild/reportGroup:ReportGroup"
    reads: ClassVar = "BatchGetReportGroups"
    key: ClassVar = {"arn": "id", "reportGroupArns": "id"}
    id_from: ClassVar = "reportGroup.arn"
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 128}
    body: ClassVar = "reportGroups"
    defaults: ClassVar = {"deleteReports": False}
    replace_on: ClassVar = frozenset({"name", "type"})


class Webhook(Declared, noun="Webhook", verbs="Create - Update Delete"):
    """aws:codebuild/webhook:Webhook; the id is the project."""

    token: ClassVar = "aws:codebuild/webhook:Webhook"
    reads: ClassVar = "BatchGetProjects"
    key: ClassVar = {"projectName": "id", "names": "id"}
    parts: ClassVar = ("projectName",)
    body: ClassVar = "projects"
    replace_on: ClassVar = frozenset({"projectName"})
    secret_outputs: ClassVar = frozenset({"secret"})

    def ask(self, context: Context, resource_id: str, inputs: Properties) -> dict[str, Any] | None:
        """A part of its project."""
        project: Mapping[str, Any] = super().ask(context, resource_id, inputs) or {}
        return project.get("webhook")


class SourceCredential(Declared):
    """aws:codebuild/sourceCredential:SourceCredential; the id is the ARN."""

    token: ClassVar = "aws:codebuild/sourceCredential:SourceCredential"
    creates: ClassVar = "ImportSourceCredentials"
    reads: ClassVar = "ListSourceCredentials"
    deletes: ClassVar = "DeleteSourceCredentials"
    key: ClassVar = {"arn": "id"}
    id_from: ClassVar = "arn"
    body: ClassVar = "sourceCredentialsInfos"
    match: ClassVar = ("arn", "id")
    renames: ClassVar = {"userName": "username"}
    replace_on: ClassVar = frozenset({"authType", "serverType", "token", "userName"})
    secret_outputs: ClassVar = frozenset({"token"})


RESOURCES = (Project(), ReportGroup(), Webhook(), SourceCredential())
