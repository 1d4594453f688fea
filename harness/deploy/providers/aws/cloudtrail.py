"""CloudTrail: trails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.aws_type import roots
from harness.deploy.providers.aws.declared import Declared
from harness.deploy.providers.aws.tags import Tagging
from harness.deploy.providers.resource import Context, Properties


class Trail(Declared, noun="Trail"):
    """aws:cloudtrail/trail:Trail; the id is the ARN."""

    token: ClassVar = "aws:cloudtrail/trail:Trail"
    tags_after: ClassVar = True
    key: ClassVar = {"Name": "id"}
    id_from: ClassVar = "TrailARN"
    named: ClassVar = "name"
    body: ClassVar = "Trail"
    computed: ClassVar = {"arn": "{id}"}
    defaults: ClassVar = {
        "enableLogFileValidation": False, "enableLogging": True, "includeGlobalServiceEvents": True,
        "isMultiRegionTrail": False, "isOrganizationTrail": False,
    }  # fmt: skip
    tagging: ClassVar = Tagging(
        tag="add_tags", untag="remove_tags", resource="ResourceId", tags="TagsList", keys="TagsList"
    )
    renames: ClassVar = {
        "cloudWatchLogsGroupArn": "CloudWatchLogsLogGroupArn", "eventSelectors": "", "insightSelectors": ""
    }  # fmt: skip
    replace_on: ClassVar = frozenset({"name"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it; selectors and logging follow."""
        tags = self.wire_tags(context, inputs)
        answer = self.send(context, "CreateTrail", inputs, **({"TagsList": tags} if tags else {}))
        self._set(context, answer["TrailARN"], {"enableLogging": False}, inputs)
        return str(answer["TrailARN"])

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """AWS names validation otherwise when it is read; logging is a status."""
        told = {
            "name": body["Name"], "homeRegion": body.get("HomeRegion"), "snsTopicArn": body.get("SnsTopicARN"),
            "enableLogFileValidation": bool(body.get("LogFileValidationEnabled")),
            "enableLogging": bool(self.client(context).get_trail_status(Name=resource_id)["IsLogging"]),
        }  # fmt: skip
        return {key: value for key, value in told.items() if value is not None}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Settings, selectors, logging."""
        super().change(context, resource_id, olds, news)
        self._set(context, resource_id, olds, news)

    def _set(self, context: Context, arn: str, olds: Properties, news: Properties) -> None:
        changed = roots(olds, news)
        for one in ("eventSelectors", "advancedEventSelectors"):
            if one in changed and news.get(one):
                self._select(context, arn, {one: news[one]})
        if "insightSelectors" in changed and news.get("insightSelectors"):
            self.call(context, "PutInsightSelectors", {}, TrailName=arn, InsightSelectors=[
                {"InsightType": selector["insightType"]} for selector in news["insightSelectors"]
            ])  # fmt: skip
        if "enableLogging" in changed:
            client = self.client(context)
            (client.start_logging if news["enableLogging"] else client.stop_logging)(Name=arn)

    def _select(self, context: Context, arn: str, selectors: Properties) -> None:
        from harness.deploy.providers.aws.calls import answer_of
        from harness.deploy.providers.aws.shapes import to_request

        shape = self.client(context).meta.service_model.operation_model("PutEventSelectors").input_shape
        names = {
            "endsWiths": "EndsWith", "notEndsWiths": "NotEndsWith", "startsWiths": "StartsWith",
            "notStartsWiths": "NotStartsWith",
        }  # fmt: skip
        request = to_request(shape, selectors, names)
        answer_of(self.client(context), "PutEventSelectors", {**request, "TrailName": arn})


RESOURCES = (Trail(),)
