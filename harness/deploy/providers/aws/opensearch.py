"""OpenSearch as records: no search engine runs behind a domain's endpoint here."""

from __future__ import annotations

from typing import ClassVar

from harness.deploy.providers.aws.declared import Declared
from harness.deploy.providers.aws.tags import Tagging
from harness.deploy.providers.resource import Context, Properties


class Domain(Declared, noun="Domain", verbs="Create Describe - Delete"):
    """aws:opensearch/domain:Domain; the id is the ARN."""

    token: ClassVar = "aws:opensearch/domain:Domain"
    named: ClassVar = "domainName"
    name_rules: ClassVar = {"limit": 28, "lower": True}
    tagging: ClassVar = Tagging(
        tag="add_tags", untag="remove_tags", resource="ARN", tags="TagList",
    )  # fmt: skip
    json_keys: ClassVar = frozenset({"accessPolicies"})
    renames: ClassVar = {
        "ebsOptions": "EBSOptions", "encryptAtRest": "EncryptionAtRestOptions", "vpcOptions": "VPCOptions",
        "nodeToNodeEncryption": "NodeToNodeEncryptionOptions", "ipAddressType": "IPAddressType",
        "logPublishingOptions": "",
    }  # fmt: skip
    replace_on: ClassVar = frozenset({"domainName"})
    updates: ClassVar = "UpdateDomainConfig"
    key: ClassVar = {"DomainName": "domainName"}
    id_from: ClassVar = "DomainStatus.ARN"
    body: ClassVar = "DomainStatus"

    def known(self, resource_id: str, state: Properties) -> Properties:
        """The ARN ends in the name."""
        return {"domainName": resource_id.rpartition("/")[2], **super().known(resource_id, state)}

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """Logs by their type."""
        logs = {
            one["logType"]: {
                "CloudWatchLogsLogGroupArn": one["cloudwatchLogGroupArn"],
                "Enabled": one.get("enabled", True),
            }
            for one in inputs.get("logPublishingOptions") or ()
        }
        return {**inputs, "LogPublishingOptions": logs or None}


RESOURCES = (Domain(),)
