"""Wallets and the queue that moves them: FIFO, a group for each customer, with dead letters to send again."""

import json
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from function import CONSUME, Function, ShopFunctionArgs, Statement
from placement import Placement


@dataclass(frozen=True)
class PaymentsArgs:
    """An entry is tried `attempts` times before it goes to the dead letters."""

    placement: Placement
    attempts: int = 3


class Payments(pulumi.ComponentResource):
    """Outputs: `wallets` (table), `queue`, `dead_letters`, `functions`."""

    def __init__(self, name: str, args: PaymentsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("shop:index:Payments", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        tags = {"app": "shop"}
        self.wallets = aws.dynamodb.Table(
            f"{name}-wallets",
            billing_mode="PAY_PER_REQUEST",
            hash_key="pk",
            range_key="sk",
            attributes=[{"name": "pk", "type": "S"}, {"name": "sk", "type": "S"}],
            point_in_time_recovery={"enabled": True},
            server_side_encryption={"enabled": True},
            tags=tags,
            opts=child,
        )
        self.dead_letters = aws.sqs.Queue(
            f"{name}-dead-letters",
            fifo_queue=True,
            message_retention_seconds=14 * 86400,
            sqs_managed_sse_enabled=True,
            tags=tags,
            opts=child,
        )
        self.queue = aws.sqs.Queue(
            name,
            fifo_queue=True,
            deduplication_scope="messageGroup",
            fifo_throughput_limit="perMessageGroupId",
            visibility_timeout_seconds=120,
            sqs_managed_sse_enabled=True,
            redrive_policy=self.dead_letters.arn.apply(
                lambda arn: json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": args.attempts})
            ),
            tags=tags,
            opts=child,
        )
        book = Function(
            "book",
            ShopFunctionArgs(
                handler="book_entry",
                statements=[
                    Statement(["dynamodb:PutItem", "dynamodb:UpdateItem"], [self.wallets.arn]),
                    Statement(CONSUME, [self.queue.arn]),
                ],
                environment={"WALLETS_TABLE": self.wallets.name, "QUEUE_URL": self.queue.url},
                placement=args.placement,
            ),
            child,
        )
        aws.lambda_.EventSourceMapping(
            name,
            event_source_arn=self.queue.arn,
            function_name=book.arn,
            batch_size=10,
            function_response_types=["ReportBatchItemFailures"],
            opts=child,
        )
        self.functions = [book]
        self.register_outputs({"queue": self.queue.url})
