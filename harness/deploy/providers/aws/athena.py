"""Athena: workgroups, databases, named queries, data catalogs. Queries themselves are the cloud's business."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.aws_type import AwsType
from harness.deploy.providers.aws.declared import Declared
from harness.deploy.providers.aws.tags import Tagging
from harness.deploy.providers.resource import Context, Properties
from harness.errors import ProviderError

_TAGGING = Tagging(resource="ResourceARN")
_ENDED = frozenset({"SUCCEEDED", "FAILED", "CANCELLED"})


class Workgroup(Declared, noun="WorkGroup", verbs="Create Get - Delete"):
    """aws:athena/workgroup:Workgroup; the id is the name."""

    token: ClassVar = "aws:athena/workgroup:Workgroup"
    key: ClassVar = {"WorkGroup": "id"}
    parts: ClassVar = ("name",)
    named: ClassVar = "name"
    body: ClassVar = "WorkGroup"
    defaults: ClassVar = {"forceDestroy": False, "state": "ENABLED"}
    computed: ClassVar = {"arn": "arn:aws:athena:{region}:{account}:workgroup/{id}"}
    tagging: ClassVar = _TAGGING
    renames: ClassVar = {"kmsKeyArn": "KmsKey", "publishCloudwatchMetricsEnabled": "PublishCloudWatchMetricsEnabled"}
    replace_on: ClassVar = frozenset({"name"})

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """What is configured is an update of its own shape."""
        known = {key: news[key] for key in ("description", "state", "configuration") if news.get(key) is not None}
        renames = {**known, "configurationUpdates": known.pop("configuration", None)}
        renamed = {key: value for key, value in renames.items() if value is not None and key != "configuration"}
        block = renamed.get("configurationUpdates")
        block = block[0] if isinstance(block, list) else block
        if block and block.get("resultConfiguration"):
            updates = {key: value for key, value in block.items() if key != "resultConfiguration"}
            renamed["configurationUpdates"] = {**updates, "resultConfigurationUpdates": block["resultConfiguration"]}
        self.send(context, "UpdateWorkGroup", renamed, WorkGroup=resource_id)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """With what is in it only by force."""
        self.client(context).delete_work_group(
            WorkGroup=resource_id, RecursiveDeleteOption=bool(state.get("forceDestroy"))
        )


class NamedQuery(Declared, noun="NamedQuery", verbs="Create Get - Delete"):
    """aws:athena/namedQuery:NamedQuery."""

    token: ClassVar = "aws:athena/namedQuery:NamedQuery"
    key: ClassVar = {"NamedQueryId": "id"}
    id_from: ClassVar = "NamedQueryId"
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 128}
    body: ClassVar = "NamedQuery"
    defaults: ClassVar = {"workgroup": "primary"}
    renames: ClassVar = {"query": "QueryString", "workgroup": "WorkGroup"}
    replace_on: ClassVar = frozenset({"database", "description", "name", "query", "workgroup"})


class Database(AwsType):
    """aws:athena/database:Database: made and dropped by queries, as the real provider does; the id is the name."""

    token: ClassVar = "aws:athena/database:Database"
    parts: ClassVar = ("name",)
    defaults: ClassVar = {"forceDestroy": False}
    named: ClassVar = "name"
    name_rules: ClassVar = {"lower": True}
    replace_on: ClassVar = frozenset({"aclConfiguration", "bucket", "comment", "encryptionConfiguration", "name"})

    def check(self, context: Context, inputs: Properties, olds: Properties | None) -> Properties:
        """Names of databases have underscores instead of hyphens."""
        given = super().check(context, inputs, olds)
        return given if inputs.get("name") else {**given, "name": str(given["name"]).replace("-", "_")}

    def make(self, context: Context, inputs: Properties) -> str:
        """CREATE DATABASE."""
        comment = (
            f" comment '{str(inputs['comment']).replace(chr(39), chr(92) + chr(39))}'"
            if inputs.get("comment")
            else ""
        )
        self._run(context, f"create database `{inputs['name']}`{comment};", inputs)
        return str(inputs["name"])

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """In the catalog, or not."""
        client = context.client("glue")
        try:
            client.get_database(Name=resource_id)
        except client.exceptions.EntityNotFoundException:
            return None
        return {"name": resource_id}

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """DROP DATABASE, with its tables only by force."""
        if self.look(context, resource_id, state) is not None:
            cascade = " cascade" if state.get("forceDestroy") else ""
            self._run(context, f"drop database `{resource_id}`{cascade};", state)

    def _run(self, context: Context, statement: str, inputs: Mapping[str, Any]) -> None:
        client = self.client(context)
        where = {"OutputLocation": f"s3://{inputs['bucket']}"} if inputs.get("bucket") else {}
        started = client.start_query_execution(QueryString=statement, ResultConfiguration=where)
        execution = str(started["QueryExecutionId"])
        status: dict[str, Any] = {}

        def ended() -> bool:
            found = client.get_query_execution(QueryExecutionId=execution)["QueryExecution"]["Status"]
            status.update(found)
            return found["State"] in _ENDED

        context.wait_until(ended, f"Athena's query {execution}")
        if status["State"] != "SUCCEEDED":
            raise ProviderError(f"Athena: {statement} {status.get('StateChangeReason', '')}", where=context.urn)


RESOURCES = (Workgroup(), NamedQuery(), Database())
