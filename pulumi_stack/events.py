"""From a placed order to its fulfilment: bus, archive, queue with dead letters, and the topic that tells."""

import json
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws


@dataclass(frozen=True)
class EventsArgs:
    """`visibility_s` is at least six times the consumer's timeout, as AWS advises for Lambda consumers.

    A message is tried `attempts` times before it goes to the dead-letter queue. Source:
    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
    """

    visibility_s: int = 12
    attempts: int = 8


class Events(pulumi.ComponentResource):
    """Outputs: `bus`, `archive`, `queue`, `dead_letters`, `topic`, `notifications`."""

    def __init__(self, name: str, args: EventsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("orders:index:Events", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        tags = {"app": "orders"}
        self.bus = aws.cloudwatch.EventBus(name, tags=tags, opts=child)
        self.archive = aws.cloudwatch.EventArchive(
            name, event_source_arn=self.bus.arn, event_pattern=json.dumps({"source": ["orders"]}), retention_days=7,
            opts=child,
        )  # fmt: skip
        self.dead_letters = aws.sqs.Queue(
            f"{name}-dead-letters", message_retention_seconds=14 * 86400, tags=tags, opts=child
        )
        self.queue = aws.sqs.Queue(
            f"{name}-fulfil",
            visibility_timeout_seconds=args.visibility_s,
            redrive_policy=self.dead_letters.arn.apply(
                lambda arn: json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": args.attempts})
            ),
            tags=tags,
            opts=child,
        )
        rule = aws.cloudwatch.EventRule(
            f"{name}-placed",
            event_bus_name=self.bus.name,
            event_pattern=json.dumps({"source": ["orders"], "detail-type": ["OrderPlaced"]}),
            tags=tags,
            opts=child,
        )
        allow_sending(f"{name}-fulfil", self.queue, "events.amazonaws.com", rule.arn, child)
        aws.cloudwatch.EventTarget(
            f"{name}-fulfil", rule=rule.name, event_bus_name=self.bus.name, arn=self.queue.arn, opts=child
        )
        self.topic = aws.sns.Topic(f"{name}-fulfilled", tags=tags, opts=child)
        self.notifications = aws.sqs.Queue(f"{name}-notifications", tags=tags, opts=child)
        allow_sending(f"{name}-notifications", self.notifications, "sns.amazonaws.com", self.topic.arn, child)
        aws.sns.TopicSubscription(
            f"{name}-notifications", topic=self.topic.arn, protocol="sqs", endpoint=self.notifications.arn,
            raw_message_delivery=True, opts=child,
        )  # fmt: skip
        self.register_outputs({"bus": self.bus.name})


def allow_sending(
    name: str, queue: aws.sqs.Queue, service: str, source: pulumi.Input[str], opts: pulumi.ResourceOptions
) -> aws.sqs.QueuePolicy:
    """Let a service send to the queue, on behalf of one source only."""
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": service},
                "Action": "sqs:SendMessage",
                "Resource": queue.arn,
                "Condition": {"ArnEquals": {"aws:SourceArn": source}},
            }
        ],
    }
    return aws.sqs.QueuePolicy(name, queue_url=queue.url, policy=pulumi.Output.json_dumps(policy), opts=opts)
