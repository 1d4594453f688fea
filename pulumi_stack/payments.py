"""Wallets and the queue that moves them: FIFO, a group for each customer, with dead letters to send again."""

import json
from dataclasses import dataclass
from typing import Any

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
        self._name, self._child = name, pulumi.ResourceOptions(parent=self)
        self.wallets = self._table()
        self.dead_letters = self._fifo(f"{name}-dead-letters", message_retention_seconds=14 * 86400)
        self.queue = self._fifo(
            name,
            deduplication_scope="messageGroup",
            fifo_throughput_limit="perMessageGroupId",
            visibility_timeout_seconds=120,
            redrive_policy=self.dead_letters.arn.apply(
                lambda arn: json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": args.attempts})
            ),
        )
        self.functions = [self._book(args.placement)]
        self.register_outputs({"queue": self.queue.url})

    def _table(self) -> aws.dynamodb.Table:
        return aws.dynamodb.Table(
            f"{self._name}-wallets",
            billing_mode="PAY_PER_REQUEST",
            hash_key="pk",
            range_key="sk",
            attributes=[{"name": "pk", "type": "S"}, {"name": "sk", "type": "S"}],
            point_in_time_recovery={"enabled": True},
            server_side_encryption={"enabled": True},
            tags={"app": "shop"},
            opts=self._child,
        )

    def _fifo(self, name: str, **more: Any) -> aws.sqs.Queue:  # arguments of a queue
        return aws.sqs.Queue(
            name, fifo_queue=True, sqs_managed_sse_enabled=True, tags={"app": "shop"}, opts=self._child, **more
        )

    def _book(self, placement: Placement) -> Function:
        book = Function(
            "book",
            ShopFunctionArgs(
                handler="book_entry",
                statements=[
                    Statement(["dynamodb:PutItem", "dynamodb:UpdateItem"], [self.wallets.arn]),
                    Statement(CONSUME, [self.queue.arn]),
                ],
                environment={"WALLETS_TABLE": self.wallets.name, "QUEUE_URL": self.queue.url},
                placement=placement,
            ),
            self._child,
        )
        aws.lambda_.EventSourceMapping(
            self._name,
            event_source_arn=self.queue.arn,
            function_name=book.arn,
            batch_size=10,
            function_response_types=["ReportBatchItemFailures"],
            opts=self._child,
        )
        return book
