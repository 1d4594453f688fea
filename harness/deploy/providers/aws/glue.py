"""Glue: the data catalog, jobs and crawlers (stored; nothing crawls)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.declared import Declared
from harness.deploy.providers.aws.tags import Tagging
from harness.deploy.providers.resource import Context, Properties

_TAGGING = Tagging(tags="TagsToAdd", keys="TagsToRemove", key="")


class CatalogDatabase(Declared, noun="Database"):
    """aws:glue/catalogDatabase:CatalogDatabase; the id is `catalog:name`."""

    token: ClassVar = "aws:glue/catalogDatabase:CatalogDatabase"
    key: ClassVar = {"CatalogId": "catalogId", "Name": "name"}
    parts: ClassVar = ("catalogId", "name")
    separator: ClassVar = ":"
    named: ClassVar = "name"
    name_rules: ClassVar = {"lower": True}
    wraps: ClassVar = "DatabaseInput"
    body: ClassVar = "Database"
    computed: ClassVar = {"arn": "arn:aws:glue:{region}:{account}:database/{name}"}
    tagging: ClassVar = _TAGGING
    replace_on: ClassVar = frozenset({"catalogId", "name"})

    def check(self, context: Context, inputs: Properties, olds: Properties | None) -> Properties:
        """The catalog is the account's unless said otherwise."""
        return super().check(context, {"catalogId": context.account_id, **_given(inputs)}, olds)


class CatalogTable(Declared, noun="Table"):
    """aws:glue/catalogTable:CatalogTable; the id is `catalog:database:name`."""

    token: ClassVar = "aws:glue/catalogTable:CatalogTable"
    key: ClassVar = {"CatalogId": "catalogId", "DatabaseName": "databaseName", "Name": "name"}
    parts: ClassVar = ("catalogId", "databaseName", "name")
    separator: ClassVar = ":"
    named: ClassVar = "name"
    name_rules: ClassVar = {"lower": True}
    wraps: ClassVar = "TableInput"
    body: ClassVar = "Table"
    computed: ClassVar = {"arn": "arn:aws:glue:{region}:{account}:table/{databaseName}/{name}"}
    renames: ClassVar = {"serDeInfo": "SerdeInfo"}
    replace_on: ClassVar = frozenset({"catalogId", "databaseName", "name", "partitionIndices"})

    def check(self, context: Context, inputs: Properties, olds: Properties | None) -> Properties:
        """The catalog is the account's unless said otherwise."""
        return super().check(context, {"catalogId": context.account_id, **_given(inputs)}, olds)


def _given(inputs: Properties) -> Properties:
    return {key: value for key, value in inputs.items() if value is not None}


class Job(Declared, noun="Job", verbs="Create Get - Delete"):
    """aws:glue/job:Job; the id is the name."""

    token: ClassVar = "aws:glue/job:Job"
    key: ClassVar = {"JobName": "id"}
    parts: ClassVar = ("name",)
    named: ClassVar = "name"
    body: ClassVar = "Job"
    computed: ClassVar = {"arn": "arn:aws:glue:{region}:{account}:job/{id}"}
    tagging: ClassVar = _TAGGING
    renames: ClassVar = {"roleArn": "Role"}
    replace_on: ClassVar = frozenset({"name"})

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """Connections are a block of one list."""
        names = inputs.get("connections")
        return {**inputs, **({"connections": {"connections": names}} if names else {})}

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """Connections as a plain list."""
        found = (body.get("Connections") or {}).get("Connections")
        return {"connections": found} if found else {}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Everything at once."""
        from harness.deploy.providers.aws.shapes import to_request

        known = {key: value for key, value in self.arrange(context, news).items() if key not in {"tags", "name"}}
        shape = self.client(context).meta.service_model.operation_model("UpdateJob").input_shape
        update = to_request(shape.members["JobUpdate"], known, self.renames)
        self.client(context).update_job(JobName=resource_id, JobUpdate=update)


class Crawler(Declared, noun="Crawler"):
    """aws:glue/crawler:Crawler; the id is the name."""

    token: ClassVar = "aws:glue/crawler:Crawler"
    key: ClassVar = {"Name": "id"}
    parts: ClassVar = ("name",)
    named: ClassVar = "name"
    body: ClassVar = "Crawler"
    computed: ClassVar = {"arn": "arn:aws:glue:{region}:{account}:crawler/{id}"}
    tagging: ClassVar = _TAGGING
    renames: ClassVar = {"securityConfiguration": "CrawlerSecurityConfiguration"}
    replace_on: ClassVar = frozenset({"name"})
    targets: ClassVar = (
        "catalogTargets", "deltaTargets", "dynamodbTargets", "hudiTargets", "icebergTargets", "jdbcTargets",
        "mongodbTargets", "s3Targets",
    )  # fmt: skip

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """Targets of all kinds are one block."""
        targets = {key: inputs[key] for key in self.targets if inputs.get(key)}
        return {**{key: inputs[key] for key in inputs if key not in self.targets}, "targets": targets}

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """The schedule is a block when it is read."""
        schedule = body.get("Schedule")
        text = schedule.get("ScheduleExpression") if isinstance(schedule, Mapping) else schedule
        return {"schedule": text} if text else {}


RESOURCES = (CatalogDatabase(), CatalogTable(), Job(), Crawler())
