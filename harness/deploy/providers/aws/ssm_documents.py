"""SSM: documents, which automations and commands run."""

from __future__ import annotations

from typing import ClassVar

from harness.deploy.providers.aws.aws_type import roots
from harness.deploy.providers.aws.declared import Declared
from harness.deploy.providers.aws.tags import Tagging
from harness.deploy.providers.resource import Context, Properties


class Document(Declared, noun="Document", verbs="Create Describe - Delete"):
    """aws:ssm/document:Document; the id is the name."""

    token: ClassVar = "aws:ssm/document:Document"
    named: ClassVar = "name"
    parts: ClassVar = ("name",)
    defaults: ClassVar = {"documentFormat": "JSON"}
    tags_after: ClassVar = True
    tagging: ClassVar = Tagging(
        tag="add_tags_to_resource", untag="remove_tags_from_resource", resource="ResourceId",
        beside={"ResourceType": "Document"},
    )  # fmt: skip
    json_keys: ClassVar = frozenset({"content"})
    renames: ClassVar = {"attachmentsSources": "Attachments", "permissions": ""}
    replace_on: ClassVar = frozenset({"name", "documentType"})
    key: ClassVar = {"Name": "name"}
    body: ClassVar = "Document"
    computed: ClassVar = {"arn": "arn:aws:ssm:{region}:{account}:document/{id}"}

    def settings(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """The content is not told with the rest."""
        wanted = {"DocumentFormat": inputs["documentFormat"]} if inputs.get("documentFormat") else {}
        return {"content": self.client(context).get_document(Name=resource_id, **wanted)["Content"]}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """A new version, the default one from now on."""
        if roots(olds, news) & {"content", "documentFormat", "targetType", "versionName", "attachmentsSources"}:
            made = self.send(context, "UpdateDocument", news, DocumentVersion="$LATEST")["DocumentDescription"]
            self.client(context).update_document_default_version(
                Name=resource_id, DocumentVersion=made["DocumentVersion"]
            )

    def tag_target(self, resource_id: str, state: Properties) -> str:
        """By name."""
        return resource_id


RESOURCES = (Document(),)
