"""SQS: queues and their policies."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from harness.deploy.providers.aws.aws_type import AwsType
from harness.deploy.providers.aws.shapes import scalar_text
from harness.deploy.providers.aws.tags import QUEUES
from harness.deploy.providers.resource import Context, Invoke, Properties

_ATTRIBUTES = {
    "visibilityTimeoutSeconds": "VisibilityTimeout",
    "messageRetentionSeconds": "MessageRetentionPeriod",
    "maxMessageSize": "MaximumMessageSize",
    "delaySeconds": "DelaySeconds",
    "receiveWaitTimeSeconds": "ReceiveMessageWaitTimeSeconds",
    "policy": "Policy",
    "redrivePolicy": "RedrivePolicy",
    "redriveAllowPolicy": "RedriveAllowPolicy",
    "kmsMasterKeyId": "KmsMasterKeyId",
    "kmsDataKeyReusePeriodSeconds": "KmsDataKeyReusePeriodSeconds",
    "sqsManagedSseEnabled": "SqsManagedSseEnabled",
    "fifoQueue": "FifoQueue",
    "contentBasedDeduplication": "ContentBasedDeduplication",
    "deduplicationScope": "DeduplicationScope",
    "fifoThroughputLimit": "FifoThroughputLimit",
}
_ONLY_WHEN_TRUE = frozenset({"fifoQueue", "contentBasedDeduplication"})


class Queue(AwsType):
    """aws:sqs/queue:Queue; the id is the URL."""

    token: ClassVar = "aws:sqs/queue:Queue"
    named: ClassVar = "name"
    defaults: ClassVar = {
        "visibilityTimeoutSeconds": 30,
        "messageRetentionSeconds": 345_600,
        "maxMessageSize": 262_144,
        "delaySeconds": 0,
        "receiveWaitTimeSeconds": 0,
        "fifoQueue": False,
    }
    tagging: ClassVar = QUEUES
    json_keys: ClassVar = frozenset({"policy", "redrivePolicy", "redriveAllowPolicy"})
    replace_on: ClassVar = frozenset({"name", "namePrefix", "fifoQueue"})

    def check(self, context: Context, inputs: Properties, olds: Properties | None) -> Properties:
        """A FIFO queue's name ends in .fifo."""
        rules = {"limit": 80, "suffix": ".fifo" if inputs.get("fifoQueue") else ""}
        named = {**inputs, "name": context.autoname(inputs, olds, "name", **rules)}
        return super().check(context, named, olds)

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it with all attributes."""
        answer = self.client(context).create_queue(
            QueueName=inputs["name"], Attributes=_attributes(inputs), tags=self.tags(context, inputs)
        )
        return str(answer["QueueUrl"])

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """ARN, URL, name."""
        del inputs
        answer = self.client(context).get_queue_attributes(QueueUrl=resource_id, AttributeNames=["QueueArn"])
        arn = answer["Attributes"]["QueueArn"]
        return {"arn": arn, "url": resource_id, "name": arn.rpartition(":")[2]}

    def settings(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """Every attribute."""
        del inputs
        client = self.client(context)
        seen = client.get_queue_attributes(QueueUrl=resource_id, AttributeNames=["All"])["Attributes"]
        return {key: seen.get(name) for key, name in _ATTRIBUTES.items()}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Set every attribute; one that is no longer given goes back to nothing."""
        attributes = {key: value for key, value in _attributes(news).items() if key != "FifoQueue"}
        attributes |= {_ATTRIBUTES[k]: "" for k in self.json_keys if olds.get(k) and not news.get(k)}
        if olds.get("contentBasedDeduplication") and not news.get("contentBasedDeduplication"):
            attributes["ContentBasedDeduplication"] = "false"
        self.client(context).set_queue_attributes(QueueUrl=resource_id, Attributes=attributes)

    def tag_target(self, resource_id: str, state: Properties) -> str:
        """Queues are tagged by URL."""
        del state
        return resource_id

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it with its messages."""
        del state
        self.client(context).delete_queue(QueueUrl=resource_id)

    def find(self, context: Context, inputs: Properties) -> str | None:
        """By name."""
        client = self.client(context)
        urls = client.list_queues(QueueNamePrefix=inputs["name"]).get("QueueUrls", ())
        return next((url for url in urls if url.rpartition("/")[2] == inputs["name"]), None)


def _attributes(inputs: Properties) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, name in _ATTRIBUTES.items():
        value: Any = inputs.get(key)
        if value is None or (key in _ONLY_WHEN_TRUE and not value):
            continue
        found[name] = json.dumps(value) if isinstance(value, dict | list) else scalar_text(value)
    return found


class _QueueAttribute(AwsType):
    """One attribute of a queue as a resource of its own; the id is the queue's URL."""

    service: ClassVar[str] = "sqs"
    parts: ClassVar = ("queueUrl",)
    replace_on: ClassVar[frozenset[str]] = frozenset({"queueUrl"})
    property: ClassVar[str]
    attribute: ClassVar[str]

    def make(self, context: Context, inputs: Properties) -> str:
        """Set it."""
        self._set(context, str(inputs["queueUrl"]), inputs[self.property])
        return str(inputs["queueUrl"])

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """There as long as the attribute is."""
        del inputs
        answer = self.client(context).get_queue_attributes(QueueUrl=resource_id, AttributeNames=[self.attribute])
        found = answer.get("Attributes", {}).get(self.attribute)
        return {"queueUrl": resource_id} if found else None

    def settings(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """The attribute."""
        del inputs
        answer = self.client(context).get_queue_attributes(QueueUrl=resource_id, AttributeNames=[self.attribute])
        return {self.property: answer.get("Attributes", {}).get(self.attribute)}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Set it again."""
        del olds
        self._set(context, resource_id, news[self.property])

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Empty it."""
        del state
        self._set(context, resource_id, "")

    def _set(self, context: Context, url: str, value: str) -> None:
        self.client(context).set_queue_attributes(QueueUrl=url, Attributes={self.attribute: value})


class QueuePolicy(_QueueAttribute):
    """Who may do what with the queue."""

    token: ClassVar = "aws:sqs/queuePolicy:QueuePolicy"
    json_keys: ClassVar = frozenset({"policy"})
    property: ClassVar = "policy"
    attribute: ClassVar = "Policy"


class RedrivePolicy(_QueueAttribute):
    """Where messages go that were received too often."""

    token: ClassVar = "aws:sqs/redrivePolicy:RedrivePolicy"
    json_keys: ClassVar = frozenset({"redrivePolicy"})
    property: ClassVar = "redrivePolicy"
    attribute: ClassVar = "RedrivePolicy"


class RedriveAllowPolicy(_QueueAttribute):
    """Whose messages may come here that were received too often."""

    token: ClassVar = "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy"
    json_keys: ClassVar = frozenset({"redriveAllowPolicy"})
    property: ClassVar = "redriveAllowPolicy"
    attribute: ClassVar = "RedriveAllowPolicy"


RESOURCES = (Queue(), QueuePolicy(), RedrivePolicy(), RedriveAllowPolicy())


def queue(context: Context, arguments: Properties) -> Properties:
    """A queue by name."""
    url = context.client("sqs").get_queue_url(QueueName=arguments["name"])["QueueUrl"]
    return {**arguments, **Queue().look(context, url, {}), "id": url}


def queues(context: Context, arguments: Properties) -> Properties:
    """The URLs of queues whose names begin so."""
    prefix = {"QueueNamePrefix": arguments["queueNamePrefix"]} if arguments.get("queueNamePrefix") else {}
    pages = context.client("sqs").get_paginator("list_queues").paginate(**prefix)
    urls = [url for page in pages for url in page.get("QueueUrls", ())]
    return {**arguments, "queueUrls": urls, "id": context.region}


INVOKES: dict[str, Invoke] = {"aws:sqs/getQueue:getQueue": queue, "aws:sqs/getQueues:getQueues": queues}
