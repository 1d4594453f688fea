"""AWS Config: recorder, delivery channel, rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.aws_type import AwsType
from harness.deploy.providers.aws.declared import Declared
from harness.deploy.providers.aws.tags import BY_ARN
from harness.deploy.providers.resource import Context, Properties


class Recorder(Declared, noun="ConfigurationRecorder", verbs="Put - Put Delete"):
    """aws:cfg/recorder:Recorder; the id is the name."""

    token: ClassVar = "aws:cfg/recorder:Recorder"
    service: ClassVar = "config"
    reads: ClassVar = "DescribeConfigurationRecorders"
    key: ClassVar = {"ConfigurationRecorderName": "id", "ConfigurationRecorderNames": "id"}
    parts: ClassVar = ("name",)
    wraps: ClassVar = "ConfigurationRecorder"
    body: ClassVar = "ConfigurationRecorders"
    defaults: ClassVar = {"name": "default"}
    renames: ClassVar = {
        "recordingStrategies": "recordingStrategy",
        "recordingModeOverride": "recordingModeOverrides",
    }
    replace_on: ClassVar = frozenset({"name"})


class RecorderStatus(AwsType):
    """aws:cfg/recorderStatus:RecorderStatus: whether it records; the id is the recorder's name."""

    token: ClassVar = "aws:cfg/recorderStatus:RecorderStatus"
    service: ClassVar = "config"
    parts: ClassVar = ("name",)
    defaults: ClassVar = {"name": "default"}
    replace_on: ClassVar = frozenset({"name"})
    outlives: ClassVar = True

    def make(self, context: Context, inputs: Properties) -> str:
        """Start or stop it."""
        self.change(context, str(inputs["name"]), {}, inputs)
        return str(inputs["name"])

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """Recording or not."""
        answer = self.client(context).describe_configuration_recorder_status(ConfigurationRecorderNames=[resource_id])
        found = answer["ConfigurationRecordersStatus"]
        return {"name": resource_id, "isEnabled": bool(found[0].get("recording"))} if found else None

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Start or stop it."""
        client = self.client(context)
        method = client.start_configuration_recorder if news["isEnabled"] else client.stop_configuration_recorder
        method(ConfigurationRecorderName=resource_id)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Stop it."""
        self.change(context, resource_id, state, {"isEnabled": False})


class DeliveryChannel(Declared, noun="DeliveryChannel", verbs="Put - Put Delete"):
    """aws:cfg/deliveryChannel:DeliveryChannel; the id is the name."""

    token: ClassVar = "aws:cfg/deliveryChannel:DeliveryChannel"
    service: ClassVar = "config"
    reads: ClassVar = "DescribeDeliveryChannels"
    key: ClassVar = {"DeliveryChannelName": "id", "DeliveryChannelNames": "id"}
    parts: ClassVar = ("name",)
    wraps: ClassVar = "DeliveryChannel"
    body: ClassVar = "DeliveryChannels"
    defaults: ClassVar = {"name": "default"}
    renames: ClassVar = {"snapshotDeliveryProperties": "configSnapshotDeliveryProperties"}
    replace_on: ClassVar = frozenset({"name"})

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """The last channel goes only when nothing records: the recorder's end may be on its way."""
        client = self.client(context)

        def deleted() -> bool:
            try:
                client.delete_delivery_channel(DeliveryChannelName=resource_id)
            except client.exceptions.LastDeliveryChannelDeleteFailedException:
                return False
            return True

        context.wait_until(deleted, f"deletion of the delivery channel {resource_id}, which a recorder uses,")


class Rule(Declared, noun="ConfigRule", verbs="Put - Put Delete"):
    """aws:cfg/rule:Rule; the id is the name."""

    token: ClassVar = "aws:cfg/rule:Rule"
    service: ClassVar = "config"
    reads: ClassVar = "DescribeConfigRules"
    key: ClassVar = {"ConfigRuleName": "id", "ConfigRuleNames": "id"}
    parts: ClassVar = ("name",)
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 128}
    wraps: ClassVar = "ConfigRule"
    body: ClassVar = "ConfigRules"
    tagging: ClassVar = BY_ARN
    json_keys: ClassVar = frozenset({"inputParameters"})
    renames: ClassVar = {"name": "ConfigRuleName", "arn": "ConfigRuleArn", "ruleId": "ConfigRuleId"}
    replace_on: ClassVar = frozenset({"name"})

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """With its tags, which emulators forget."""
        super().change(context, resource_id, olds, news)
        found = self.look(context, resource_id, news) or {}
        self.tagging.change(self.client(context), found["arn"], old={}, new=self.tags(context, news))

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """Named by its id."""
        return {"name": resource_id}


RESOURCES = (Recorder(), RecorderStatus(), DeliveryChannel(), Rule())
