"""SNS: topics, subscriptions, policies."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from harness.deploy.providers.aws.aws_type import AwsType, roots
from harness.deploy.providers.aws.declared import Declared
from harness.deploy.providers.aws.shapes import scalar_text
from harness.deploy.providers.aws.tags import BY_ARN
from harness.deploy.providers.resource import CheckError, Context, Invoke, Properties

_TOPIC = {
    "displayName": "DisplayName",
    "policy": "Policy",
    "deliveryPolicy": "DeliveryPolicy",
    "kmsMasterKeyId": "KmsMasterKeyId",
    "fifoTopic": "FifoTopic",
    "contentBasedDeduplication": "ContentBasedDeduplication",
    "fifoThroughputScope": "FifoThroughputScope",
    "archivePolicy": "ArchivePolicy",
    "signatureVersion": "SignatureVersion",
    "tracingConfig": "TracingConfig",
    "maximumMessageSize": "MaximumMessageSize",
    **{
        f"{kind.lower()}{what}": f"{kind}{what}"
        for kind in ("Application", "Firehose", "HTTP", "Lambda", "SQS")
        for what in ("FailureFeedbackRoleArn", "SuccessFeedbackRoleArn", "SuccessFeedbackSampleRate")
    },
}
_SUBSCRIPTION = {
    "filterPolicy": "FilterPolicy",
    "filterPolicyScope": "FilterPolicyScope",
    "rawMessageDelivery": "RawMessageDelivery",
    "redrivePolicy": "RedrivePolicy",
    "deliveryPolicy": "DeliveryPolicy",
    "subscriptionRoleArn": "SubscriptionRoleArn",
    "replayPolicy": "ReplayPolicy",
}


def _attributes(inputs: Properties, names: dict[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, name in names.items():
        value: Any = inputs.get(key)
        if value is None or value is False:
            continue
        found[name] = json.dumps(value) if isinstance(value, dict | list) else scalar_text(value)
    return found


class Topic(AwsType):
    """aws:sns/topic:Topic; the id is the ARN."""

    token: ClassVar = "aws:sns/topic:Topic"
    id_format: ClassVar = "arn:aws:sns:{region}:{account}:{name}"
    defaults: ClassVar = {"fifoTopic": False}
    tagging: ClassVar = BY_ARN
    json_keys: ClassVar = frozenset({"policy", "deliveryPolicy"})
    replace_on: ClassVar = frozenset({"name", "namePrefix", "fifoTopic"})

    def check(self, context: Context, inputs: Properties, olds: Properties | None) -> Properties:
        """A FIFO topic's name ends in .fifo."""
        rules = {"limit": 256, "suffix": ".fifo" if inputs.get("fifoTopic") else ""}
        return super().check(context, {**inputs, "name": context.autoname(inputs, olds, "name", **rules)}, olds)

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it with all attributes."""
        answer = self.client(context).create_topic(
            Name=inputs["name"], Attributes=_attributes(inputs, _TOPIC), Tags=self.wire_tags(context, inputs)
        )
        return str(answer["TopicArn"])

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """ARN, name, owner."""
        del inputs
        self.client(context).get_topic_attributes(TopicArn=resource_id)
        parts = resource_id.split(":")
        return {"arn": resource_id, "name": parts[5], "owner": parts[4], "beginningArchiveTime": ""}

    def settings(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """Every attribute."""
        del inputs
        client = self.client(context)
        seen = client.get_topic_attributes(TopicArn=resource_id)["Attributes"]
        return {key: seen.get(name) for key, name in _TOPIC.items()}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Attribute by attribute, as SNS wants it."""
        before, after = _attributes(olds, _TOPIC), _attributes(news, _TOPIC)
        for name in sorted(roots(before, after)):
            self.client(context).set_topic_attributes(
                TopicArn=resource_id, AttributeName=name, AttributeValue=after.get(name, "")
            )

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it."""
        del state
        self.client(context).delete_topic(TopicArn=resource_id)


class TopicSubscription(AwsType):
    """aws:sns/topicSubscription:TopicSubscription; the id is the ARN."""

    token: ClassVar = "aws:sns/topicSubscription:TopicSubscription"
    lists: ClassVar = "ListSubscriptionsByTopic"
    listed: ClassVar = "SubscriptionArn"
    asks: ClassVar = {"TopicArn": "topic"}
    defaults: ClassVar = {"rawMessageDelivery": False}
    json_keys: ClassVar = frozenset({"filterPolicy", "redrivePolicy", "deliveryPolicy"})
    replace_on: ClassVar = frozenset({"topic", "protocol", "endpoint"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Subscribe."""
        answer = self.client(context).subscribe(
            TopicArn=inputs["topic"],
            Protocol=inputs["protocol"],
            Endpoint=inputs["endpoint"],
            Attributes=_attributes(inputs, _SUBSCRIPTION),
            ReturnSubscriptionArn=True,
        )
        return str(answer["SubscriptionArn"])

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """ARN and owner."""
        del inputs
        found = self.client(context).get_subscription_attributes(SubscriptionArn=resource_id)["Attributes"]
        return {"arn": resource_id, "ownerId": found.get("Owner", ""), "pendingConfirmation": False}

    def settings(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """Every attribute, and what it connects."""
        del inputs
        seen = self.client(context).get_subscription_attributes(SubscriptionArn=resource_id)["Attributes"]
        ends = {"topic": seen.get("TopicArn"), "protocol": seen.get("Protocol"), "endpoint": seen.get("Endpoint")}
        return {key: seen.get(name) for key, name in _SUBSCRIPTION.items()} | ends

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Attribute by attribute."""
        before, after = _attributes(olds, _SUBSCRIPTION), _attributes(news, _SUBSCRIPTION)
        empty = {"FilterPolicy": "{}", "RawMessageDelivery": "false"}
        for name in sorted(roots(before, after)):
            self.client(context).set_subscription_attributes(
                SubscriptionArn=resource_id, AttributeName=name, AttributeValue=after.get(name, empty.get(name, ""))
            )

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Unsubscribe."""
        del state
        self.client(context).unsubscribe(SubscriptionArn=resource_id)


class TopicPolicy(AwsType):
    """aws:sns/topicPolicy:TopicPolicy; the id is the topic's ARN."""

    token: ClassVar = "aws:sns/topicPolicy:TopicPolicy"
    parts: ClassVar = ("arn",)
    json_keys: ClassVar = frozenset({"policy"})
    replace_on: ClassVar = frozenset({"arn"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Set the policy."""
        self._set(context, str(inputs["arn"]), str(inputs["policy"]))
        return str(inputs["arn"])

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """Owner."""
        del inputs
        seen = self.client(context).get_topic_attributes(TopicArn=resource_id)["Attributes"]
        return {"owner": context.account_id, "arn": resource_id, "policy": seen.get("Policy")}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Set it again."""
        del olds
        self._set(context, resource_id, str(news["policy"]))

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Back to what SNS gives a new topic: the account only."""
        del state
        condition = {"StringEquals": {"AWS:SourceOwner": context.account_id}}
        statement = {
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": ["SNS:Publish", "SNS:Subscribe"],
            "Resource": resource_id,
            "Condition": condition,
        }
        self._set(context, resource_id, json.dumps({"Version": "2008-10-17", "Statement": [statement]}))

    def _set(self, context: Context, arn: str, policy: str) -> None:
        self.client(context).set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=policy)


class DataProtectionPolicy(Declared, noun="DataProtectionPolicy", verbs="Put Get Put -"):
    """aws:sns/dataProtectionPolicy:DataProtectionPolicy; the id is the topic's ARN."""

    token: ClassVar = "aws:sns/dataProtectionPolicy:DataProtectionPolicy"
    json_keys: ClassVar = frozenset({"policy"})
    replace_on: ClassVar = frozenset({"arn"})
    renames: ClassVar = {"policy": "DataProtectionPolicy"}
    key: ClassVar = {"ResourceArn": "arn"}
    parts: ClassVar = ("arn",)

    def ask(self, context: Context, resource_id: str, inputs: Properties) -> dict[str, Any] | None:
        """An empty policy is none."""
        found = super().ask(context, resource_id, inputs)
        return found if found and found.get("DataProtectionPolicy") else None

    def send(self, context: Context, operation: str, inputs: Properties, **fixed: Any) -> dict[str, Any]:
        """The topic's ARN under the name of the operation."""
        where = {"ResourceArn": inputs["arn"]} if inputs.get("arn") else {}
        return super().send(context, operation, inputs, **{**where, **fixed})

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Put an empty one."""
        self.send(context, self.updates, {}, ResourceArn=resource_id, DataProtectionPolicy="")


_APPLICATION = {
    "platformCredential": "PlatformCredential",
    "platformPrincipal": "PlatformPrincipal",
    "eventDeliveryFailureTopicArn": "EventDeliveryFailure",
    "eventEndpointCreatedTopicArn": "EventEndpointCreated",
    "eventEndpointDeletedTopicArn": "EventEndpointDeleted",
    "eventEndpointUpdatedTopicArn": "EventEndpointUpdated",
    "failureFeedbackRoleArn": "FailureFeedbackRoleArn",
    "successFeedbackRoleArn": "SuccessFeedbackRoleArn",
    "successFeedbackSampleRate": "SuccessFeedbackSampleRate",
    "applePlatformTeamId": "ApplePlatformTeamID",
    "applePlatformBundleId": "ApplePlatformBundleID",
}


class PlatformApplication(AwsType):
    """aws:sns/platformApplication:PlatformApplication: messages to telephones; the id is the ARN."""

    token: ClassVar = "aws:sns/platformApplication:PlatformApplication"
    id_format: ClassVar = "arn:aws:sns:{region}:{account}:app/{platform}/{name}"
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 256}
    secret_outputs: ClassVar = frozenset({"platformCredential", "platformPrincipal"})
    replace_on: ClassVar = frozenset({"name", "platform"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it with all attributes."""
        attributes = _attributes(inputs, _APPLICATION)
        answer = self.client(context).create_platform_application(
            Name=inputs["name"], Platform=inputs["platform"], Attributes=attributes
        )
        return str(answer["PlatformApplicationArn"])

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """What is no credential: AWS tells those to nobody."""
        seen = self.client(context).get_platform_application_attributes(PlatformApplicationArn=resource_id)
        names = {key: name for key, name in _APPLICATION.items() if not name.startswith(("PlatformC", "PlatformP"))}
        told = {key: seen["Attributes"][name] for key, name in names.items() if name in seen["Attributes"]}
        _, platform, name = resource_id.rsplit("/", 2)
        return {"arn": resource_id, "platform": platform, "name": name, **told}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Every attribute."""
        attributes = _attributes(news, _APPLICATION)
        self.client(context).set_platform_application_attributes(
            PlatformApplicationArn=resource_id, Attributes=attributes
        )

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it."""
        self.client(context).delete_platform_application(PlatformApplicationArn=resource_id)


_SMS = {
    "defaultSenderId": "DefaultSenderID",
    "defaultSmsType": "DefaultSMSType",
    "deliveryStatusIamRoleArn": "DeliveryStatusIAMRole",
    "deliveryStatusSuccessSamplingRate": "DeliveryStatusSuccessSamplingRate",
    "monthlySpendLimit": "MonthlySpendLimit",
    "usageReportS3Bucket": "UsageReportS3Bucket",
}


class SmsPreferences(AwsType):
    """aws:sns/smsPreferences:SmsPreferences; the account's, region by region."""

    token: ClassVar = "aws:sns/smsPreferences:SmsPreferences"
    id_format: ClassVar = "aws_sns_sms_id"
    outlives: ClassVar = True

    def make(self, context: Context, inputs: Properties) -> str:
        """Set them."""
        self.change(context, "", {}, inputs)
        return "aws_sns_sms_id"

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """Them."""
        seen = self.client(context).get_sms_attributes()["attributes"]
        return {key: seen[name] for key, name in _SMS.items() if seen.get(name)}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Set them."""
        gone = {name: "" for key, name in _SMS.items() if olds.get(key) and not news.get(key)}
        self.client(context).set_sms_attributes(attributes={**gone, **_attributes(news, _SMS)})

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Empty those that were set."""
        names = {name: "" for key, name in _SMS.items() if state.get(key)}
        self.client(context).set_sms_attributes(attributes=names)


RESOURCES = (
    Topic(), TopicSubscription(), TopicPolicy(), DataProtectionPolicy(), PlatformApplication(), SmsPreferences(),
)  # fmt: skip


def topic(context: Context, arguments: Properties) -> Properties:
    """A topic by name."""
    pages = context.client("sns").get_paginator("list_topics").paginate()
    arns = [one["TopicArn"] for page in pages for one in page["Topics"]]
    arn = next((one for one in arns if one.rpartition(":")[2] == arguments["name"]), None)
    if arn is None:
        raise CheckError([("name", f"there is no topic {arguments['name']}")])
    return {**arguments, "arn": arn, "id": arn, "tags": {}}


INVOKES: dict[str, Invoke] = {"aws:sns/getTopic:getTopic": topic}
