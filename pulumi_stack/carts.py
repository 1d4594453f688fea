"""Carts that are kept for a week: what a customer leaves behind expires by itself, and becomes an event.

DynamoDB deletes the item, a pipe tells the bus of it, and a rule reminds the customer: no code runs for any of that.
"""

import json
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from events import allow_sending
from function import Function, ShopFunctionArgs, Statement, service_role
from placement import Placement

SOURCE, LEFT_BEHIND = "shop.carts", "CartLeftBehind"
READ_STREAM = ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams")
EXPIRED = {
    "eventName": ["REMOVE"],
    "userIdentity": {"type": ["Service"], "principalId": ["dynamodb.amazonaws.com"]},
    "dynamodb": {"Keys": {"sk": {"S": [{"prefix": "CART#"}]}}},
}
"""Deletes of DynamoDB's own, not those of customers.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html"""
EVENT = '{"customer": <$.dynamodb.OldImage.customer.S>, "sku": <$.dynamodb.OldImage.sku.S>}'


@dataclass(frozen=True)
class CartsArgs:
    """`table` is the catalogue's, with a stream; `bus` is the orders service's."""

    placement: Placement
    table: aws.dynamodb.Table
    bus: aws.cloudwatch.EventBus
    kept_days: int = 7


class Carts(pulumi.ComponentResource):
    """Outputs: `keep` (function), `functions`, `pipe`, `reminders` (queue)."""

    def __init__(self, name: str, args: CartsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("shop:index:Carts", name, None, opts)
        self._name, self._child = name, pulumi.ResourceOptions(parent=self)
        self.keep = self._keep(args)
        self.functions = [self.keep]
        self.pipe = self._tell(args)
        self.reminders = self._remind(args.bus)
        self.register_outputs({})

    def _keep(self, args: CartsArgs) -> Function:
        return Function(
            "cart",
            ShopFunctionArgs(
                handler="keep_cart",
                statements=[
                    Statement(["dynamodb:PutItem", "dynamodb:DeleteItem", "dynamodb:Query"], [args.table.arn])
                ],
                environment={"CATALOGUE_TABLE": args.table.name, "KEPT_DAYS": str(args.kept_days)},
                placement=args.placement,
            ),
            self._child,
        )

    def _tell(self, args: CartsArgs) -> aws.pipes.Pipe:
        reads = Statement(READ_STREAM, [args.table.stream_arn])
        tells = Statement(["events:PutEvents"], [args.bus.arn])
        role, granted = service_role(f"{self._name}-pipe", "pipes.amazonaws.com", [reads, tells], self._child)
        return aws.pipes.Pipe(
            self._name,
            role_arn=role.arn,
            source=args.table.stream_arn,
            source_parameters={
                "dynamodb_stream_parameters": {"starting_position": "LATEST", "batch_size": 10},
                "filter_criteria": {"filters": [{"pattern": json.dumps(EXPIRED)}]},
            },
            target=args.bus.arn,
            target_parameters={
                "eventbridge_event_bus_parameters": {"source": SOURCE, "detail_type": LEFT_BEHIND},
                "input_template": EVENT,
            },
            tags={"app": "shop"},
            opts=pulumi.ResourceOptions(parent=self, depends_on=granted),
        )

    def _remind(self, bus: aws.cloudwatch.EventBus) -> aws.sqs.Queue:
        label = f"{self._name}-reminders"
        queue = aws.sqs.Queue(label, sqs_managed_sse_enabled=True, tags={"app": "shop"}, opts=self._child)
        pattern = json.dumps({"source": [SOURCE], "detail-type": [LEFT_BEHIND]})
        rule = aws.cloudwatch.EventRule(
            label, event_bus_name=bus.name, event_pattern=pattern, tags={"app": "shop"}, opts=self._child
        )
        allow_sending(label, queue, "events.amazonaws.com", rule.arn, self._child)
        aws.cloudwatch.EventTarget(label, rule=rule.name, event_bus_name=bus.name, arn=queue.arn, opts=self._child)
        return queue
