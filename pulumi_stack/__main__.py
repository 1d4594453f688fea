"""A small shop round an orders service.

POST /orders → place_order → orders table → stream → publish_order → bus → queue → fulfil_order
→ payment, receipt in S3, notification by SNS, status FULFILLED. GET /orders/{order_id} → read_order.

The other parts of the shop are in shop.py; `orders:parts` chooses among them. With `orders:standby` it is a standby
of the orders service in another region, beside a stack at home (standby.py, docs/disaster-recovery.md).
"""

import json

import pulumi
import pulumi_aws as aws
from alarms import Alarms, AlarmsArgs, StandbyAlarm
from allocation import ALLOCATION, SERVICE, tag_everything, tagged_arns
from dashboards import Dashboard, DashboardArgs, business, of_api, of_functions, of_queue
from events import Events, EventsArgs
from fault_injection import FaultInjection
from front_door import FrontDoor, FrontDoorArgs
from function import Function, FunctionArgs, Statement
from http_api import HttpApi, HttpApiArgs
from ledger import Ledger, LedgerArgs, StandbyLedger
from network import Network, NetworkArgs
from placement import Placement
from receipts import Receipts, ReceiptsArgs
from safe_copies import SafeCopies, SafeCopiesArgs
from shop import PRICES, Orders, Shop
from standby import KnownBucket, KnownTable, standby_of

tag_everything()
config = pulumi.Config("orders")
region = aws.get_region().region
replica_region = config.get("replicaRegion") or "us-west-2"
zones = [zone.strip() for zone in (config.get("zones") or "a,b,c").split(",")]
standby = standby_of(config)
serving = standby is None or standby.serving

STOCK = {"tea": 10_000_000, "coffee": 10_000_000, "cup": 10_000_000, "sold-out": 0}
FULFIL_TIMEOUT_S = 2

network = Network("orders", NetworkArgs(region=region, zones=zones))
events = Events("orders", EventsArgs(visibility_s=6 * FULFIL_TIMEOUT_S))
if standby is None:
    ledger = Ledger("orders", LedgerArgs(replica_region=replica_region, stock=STOCK))
    receipts = Receipts("orders-receipts", ReceiptsArgs(replica_region=replica_region))
    receipts_bucket = receipts.bucket
else:
    orders_table, payments_table = (
        KnownTable(standby.orders_table, region),
        KnownTable(standby.payments_table, region),
    )
    ledger = StandbyLedger("orders", orders_table, payments_table, STOCK)
    receipts_bucket = KnownBucket(standby.receipts_bucket)

faults = FaultInjection("orders") if config.get_bool("faultInjection") else None
placement = Placement(
    list(network.subnet_ids.values()),
    network.security_group_id,
    faults,
    made=serving,
    concurrency=2 if standby is not None and standby.warm else None,
)
place = Function(
    "place",
    FunctionArgs(
        handler="place_order",
        statements=[
            Statement(["dynamodb:PutItem", "dynamodb:GetItem"], [ledger.orders.arn]),
            Statement(["dynamodb:UpdateItem"], [ledger.stock.arn]),
        ],
        environment={"ORDERS_TABLE": ledger.orders.name, "STOCK_TABLE": ledger.stock.name},
        placement=placement,
    ),
)
read = Function(
    "read",
    FunctionArgs(
        handler="read_order",
        statements=[Statement(["dynamodb:GetItem"], [ledger.orders.arn])],
        environment={"ORDERS_TABLE": ledger.orders.name},
        placement=placement,
    ),
)
publish = Function(
    "publish",
    FunctionArgs(
        handler="publish_order",
        statements=[
            Statement(["events:PutEvents"], [events.bus.arn]),
            Statement(
                [
                    "dynamodb:DescribeStream",
                    "dynamodb:GetRecords",
                    "dynamodb:GetShardIterator",
                    "dynamodb:ListStreams",
                ],
                [ledger.orders.stream_arn if standby is None else ledger.orders.streams_arn],
            ),
        ],
        environment={"BUS_NAME": events.bus.name},
        placement=placement,
    ),
)
fulfil = Function(
    "fulfil",
    FunctionArgs(
        handler="fulfil_order",
        timeout_s=FULFIL_TIMEOUT_S,
        statements=[
            Statement(["dynamodb:GetItem", "dynamodb:UpdateItem"], [ledger.orders.arn]),
            Statement(["dynamodb:PutItem"], [ledger.payments.arn]),
            Statement(["s3:PutObject"], [receipts_bucket.arn.apply(lambda arn: f"{arn}/receipts/*")]),
            Statement(["sns:Publish"], [events.topic.arn]),
            Statement(
                [
                    "sqs:ReceiveMessage",
                    "sqs:DeleteMessage",
                    "sqs:GetQueueAttributes",
                    "sqs:ChangeMessageVisibility",
                ],
                [events.queue.arn],
            ),
        ],
        environment={
            "ORDERS_TABLE": ledger.orders.name,
            "PAYMENTS_TABLE": ledger.payments.name,
            "RECEIPTS_BUCKET": receipts_bucket.id,
            "TOPIC_ARN": events.topic.arn,
            "QUEUE_URL": events.queue.url,
            "PRICES": json.dumps(PRICES),
        },
        placement=placement,
    ),
)
if serving:
    # Whose orders this region works off: its own, or after a failover all that are not fulfilled.
    inserted = {"eventName": ["INSERT"]}
    own = {**inserted, "dynamodb": {"NewImage": {"region": {"S": [region]}}}}
    takes_over = standby is not None and standby.takes_over
    enabled = not (standby is not None and standby.warm)
    aws.lambda_.EventSourceMapping(
        "publish",
        event_source_arn=ledger.orders.stream_arn,
        function_name=publish.arn,
        starting_position="TRIM_HORIZON",
        batch_size=10,
        filter_criteria={"filters": [{"pattern": json.dumps(inserted if takes_over else own)}]},
        enabled=enabled,
    )
    aws.lambda_.EventSourceMapping(
        "fulfil",
        event_source_arn=events.queue.arn,
        function_name=fulfil.arn,
        batch_size=10,
        function_response_types=["ReportBatchItemFailures"],
        enabled=enabled,
    )
shop = None
routes = {"POST /orders": place, "GET /orders/{order_id}": read, "GET /health": read}
if standby is None:
    orders = Orders(
        ledger=ledger,
        events=events,
        receipts=receipts,
        placement=placement,
        replica_region=replica_region,
        vpc_id=network.vpc.id,
    )
    shop = Shop(orders, config.get("parts") or "all")
    routes |= shop.routes
api = HttpApi(
    "orders",
    HttpApiArgs(
        routes=routes if serving else {},
        protected=shop.protected if shop else {},
        tokens=shop.tokens if shop else None,
        origins=["https://shop.example"],
    ),
)
pulumi.export("api_url", api.url)
pulumi.export("api_name", api.name)
pulumi.export("fis_role_arn", faults.role_arn if faults else "")
pulumi.export("region", region)
pulumi.export("replica_region", replica_region)
pulumi.export("subnet_ids", network.subnet_ids)
pulumi.export("orders_table", ledger.orders.name)
pulumi.export("payments_table", ledger.payments.name)
pulumi.export("stock_table", ledger.stock.name)
pulumi.export("receipts_bucket", receipts_bucket.id)
pulumi.export("bus_name", events.bus.name)
pulumi.export("archive_arn", events.archive.arn)
pulumi.export("fulfil_queue_url", events.queue.url)
pulumi.export("fulfil_queue_arn", events.queue.arn)
pulumi.export("fulfil_dlq_url", events.dead_letters.url)
pulumi.export("topic_arn", events.topic.arn)
pulumi.export("notifications_queue_url", events.notifications.url)
functions = (place, read, publish, fulfil)
pulumi.export("roles", {function.label: function.role.name for function in functions} | (shop.roles if shop else {}))
if serving:
    alarms = Alarms("orders", AlarmsArgs(fulfil.name, events.dead_letters.name, SERVICE))
    pulumi.export("dead_letters_alarm", alarms.dead_letters.name)
    pulumi.export("failing_alarm", alarms.failing.name)
    pulumi.export("functions", {function.label: function.name for function in functions})
    pulumi.export("place_function", place.name)
    pulumi.export("place_function_arn", place.arn)
    pulumi.export("fulfil_function", fulfil.name)
    pulumi.export("fulfil_function_arn", fulfil.arn)
if shop is None:
    door = FrontDoor(
        "orders",
        FrontDoorArgs(
            domain=standby.domain,
            home=standby.home_name,
            standby=api.name,
            regions=(standby.home_region, region),
            weighted=standby.strategy == "active-active",
        ),
    )
    woken = StandbyAlarm("orders", api.id)
    pulumi.export("front_door_url", door.url)
    pulumi.export("home_url", door.urls[0])
    pulumi.export("surviving_url", door.urls[1])
    pulumi.export("health_check", door.check.id)
    pulumi.export("hosted_zone", door.zone.zone_id)
    pulumi.export("traffic_alarm", woken.alarm.name)
else:
    copies = SafeCopies("orders", SafeCopiesArgs(replica_region, (ledger.orders.arn, ledger.payments.arn)))
    pulumi.export("receipts_replica", receipts.replica.id)
    pulumi.export("backup_vault", copies.vault.name)
    pulumi.export("backup_far_vault", copies.far_vault.name)
    pulumi.export("backup_far_vault_arn", copies.far_vault.arn)
    pulumi.export("backup_role_arn", copies.role.arn)
    watched = [alarms.fulfilment, alarms.failing, alarms.dead_letters, *shop.alarms]
    boards = {
        "business": DashboardArgs(region, business(SERVICE)),
        "operations": DashboardArgs(
            region,
            [
                *of_api(api.api.id),
                *of_functions([function.name for function in functions]),
                of_queue("Fulfilment", events.queue.name, events.dead_letters.name),
                *shop.panels,
            ],
            [alarm.arn for alarm in watched],
        ),
    }
    pulumi.export("dashboards", [Dashboard(name, board).name for name, board in boards.items()])
    pulumi.export("parts", sorted(shop.parts))
    for name, value in shop.outputs.items():
        pulumi.export(name, value)
pulumi.export("allocation", ALLOCATION)
pulumi.export("tagged", tagged_arns())
