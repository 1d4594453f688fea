"""What all types of API Gateway's REST APIs share: they are updated by patch operations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.aws_type import roots
from harness.deploy.providers.aws.declared import Declared
from harness.deploy.providers.aws.patches import Patch, patches
from harness.deploy.providers.aws.shapes import to_request
from harness.deploy.providers.resource import Context, Properties

ARN = "arn:aws:apigateway:{region}::"


API = {"restApiId": "restApi"}


METHOD = {**API, "resourceId": "resourceId", "httpMethod": "httpMethod"}


METHOD_PARTS = ("restApi", "resourceId", "httpMethod")


class Patched(Declared):
    """Something of API Gateway. It is updated by patch operations; maps and lists entry by entry."""

    service: ClassVar[str] = "apigateway"
    renames: ClassVar[Mapping[str, str]] = {"restApi": "restApiId"}

    def wire(self, context: Context, inputs: Properties) -> dict[str, Any]:
        """The settings in AWS's names, as the creation takes them."""
        shape = self.client(context).meta.service_model.operation_model(self.creates).input_shape
        known = {name: value for name, value in self.arrange(context, inputs).items() if name != "tags"}
        request = to_request(shape, known, self.renames)
        return {name: value for name, value in request.items() if name not in self.key}

    def operations(self, context: Context, olds: Properties, news: Properties) -> list[Patch]:
        """The patch operations from `olds` to `news`."""
        return list(patches(self.wire(context, olds), self.wire(context, news)))

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Patch what differs."""
        wanted = self.operations(context, olds, news)
        if wanted and self.updates:
            self.send(context, self.updates, {}, **self.keys(resource_id, news), patchOperations=wanted)


class Answer(Patched):
    """What belongs to a method and one status. It is put again to be changed."""

    replace_on: ClassVar[frozenset[str]] = frozenset({*METHOD_PARTS, "statusCode"})
    key: ClassVar[Mapping[str, str]] = {**METHOD, "statusCode": "statusCode"}
    parts: ClassVar[tuple[str, ...]] = (*METHOD_PARTS, "statusCode")

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Put it again."""
        if roots(olds, news):
            self.send(context, self.creates, self.arrange(context, news))
