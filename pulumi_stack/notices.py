"""Who is told that an order was fulfilled: a queue for each channel, filled with what its filter lets through."""

import json
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from events import allow_sending

CHANNELS = ("email", "sms", "push")


@dataclass(frozen=True)
class NoticesArgs:
    """`topic` carries a message attribute `channels`: a list of those that the customer chose."""

    topic: aws.sns.Topic


class Notices(pulumi.ComponentResource):
    """Outputs: `queues` (channel → queue)."""

    def __init__(self, name: str, args: NoticesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("shop:index:Notices", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        lost = aws.sqs.Queue(f"{name}-lost", message_retention_seconds=14 * 86400, tags={"app": "shop"}, opts=child)
        allow_sending(f"{name}-lost", lost, "sns.amazonaws.com", args.topic.arn, child)
        self.queues = {}
        for channel in CHANNELS:
            label = f"{name}-{channel}"
            queue = aws.sqs.Queue(label, sqs_managed_sse_enabled=True, tags={"app": "shop"}, opts=child)
            allowed = allow_sending(label, queue, "sns.amazonaws.com", args.topic.arn, child)
            aws.sns.TopicSubscription(
                label,
                topic=args.topic.arn,
                protocol="sqs",
                endpoint=queue.arn,
                raw_message_delivery=True,
                filter_policy=json.dumps({"channels": [channel]}),
                redrive_policy=lost.arn.apply(lambda arn: json.dumps({"deadLetterTargetArn": arn})),
                opts=pulumi.ResourceOptions(parent=self, depends_on=[allowed]),
            )
            self.queues[channel] = queue
        self.register_outputs({})
