"""The shop's parts round the orders service: made in order, each from what those before it offer."""

import functools
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws
from admin_api import AdminApi, AdminApiArgs
from budget import Budget, BudgetArgs
from cache import Cache, CacheArgs
from carts import Carts, CartsArgs
from catalogue import Catalogue, CatalogueArgs
from checkout import Checkout, CheckoutArgs
from contracts import Contracts, ContractsArgs
from customers import Customers, CustomersArgs
from dashboards import Panel, of_queue
from delivery import Delivery, DeliveryArgs
from events import Events
from firewall import Firewall, FirewallArgs
from function import Answering, Function, ShopFunctionArgs, Statement
from general_ledger import GeneralLedger, GeneralLedgerArgs
from global_ledger import GlobalLedger, GlobalLedgerArgs
from http_api import TokenIssuer
from https import Https, HttpsArgs
from layer import Libraries
from ledger import Ledger
from live import Live, LiveArgs
from notices import Notices, NoticesArgs
from partners import Partners, PartnersArgs
from payments import Payments, PaymentsArgs
from placement import Placement, chosen_parts
from quotes import Quotes, QuotesArgs
from receipts import Receipts
from reviews import Reviews, ReviewsArgs
from scaling import Scaling, ScalingArgs
from schedules import Schedules, SchedulesArgs
from storefront import Storefront, StorefrontArgs
from strangler import Strangler, StranglerArgs
from uploads import Uploads, UploadsArgs

PRICES = {"tea": 350, "coffee": 450, "cup": 900}
CAPACITY = 200


@dataclass(frozen=True, kw_only=True)
class Orders:
    """What the orders service offers to the other parts."""

    ledger: Ledger
    events: Events
    receipts: Receipts
    placement: Placement
    replica_region: str
    vpc_id: pulumi.Input[str]


class Shop:
    """The chosen parts. `routes`, `protected` and `tokens` go to the HTTP API, `outputs` to the stack's.

    `panels` and `alarms` are for the operators' dashboard.
    """

    def __init__(self, orders: Orders, named: str) -> None:
        self.parts = chosen_parts(named)
        self.outputs: dict[str, Any] = {}
        self.routes: dict[str, Answering] = {}
        self.protected: dict[str, Answering] = {}
        self.tokens: TokenIssuer | None = None
        self.functions: list[Function] = []
        self.panels: list[Panel] = []
        self.alarms: list[aws.cloudwatch.MetricAlarm] = []
        self._orders = orders
        self._guarded: dict[str, pulumi.Input[str]] = {}
        for part in PARTS:
            if part in self.parts:
                getattr(self, f"_{part}")()
        self.roles = {function.label: function.role.name for function in self.functions}

    def _catalogue(self) -> None:
        self._table = Catalogue("catalogue", CatalogueArgs(prices=PRICES, capacity=CAPACITY)).table
        self.outputs["catalogue_table"] = self._table.name

    def _scaling(self) -> None:
        Scaling("scaling", ScalingArgs(table=self._table, least=CAPACITY))

    def _admin(self) -> None:
        api = AdminApi("admin", AdminApiArgs(placement=self._orders.placement, table=self._table))
        self.functions += api.functions
        self._guarded["admin"] = api.stage.arn
        self.outputs |= {
            "admin_url": api.url,
            "admin_keys": api.keys,
            "manage_function": api.functions[0].name,
        }

    def _customers(self) -> None:
        customers = Customers("customers", CustomersArgs(placement=self._orders.placement, table=self._table))
        order = self._order_as_customer()
        self.functions += [*customers.functions, order]
        self.tokens = TokenIssuer(customers.issuer, [customers.client_id])
        self._pool = customers.pool
        self.protected |= {"POST /me/orders": order, "GET /me/orders": order}
        self.outputs |= {"user_pool": customers.pool.id, "user_pool_client": customers.client_id}

    def _storefront(self) -> None:
        offered = self._orders
        front = Storefront(
            "storefront",
            StorefrontArgs(
                vpc_id=offered.vpc_id,
                placement=offered.placement,
                orders=offered.ledger.orders,
                blue_green="releases" in self.parts,
            ),
        )
        self._guarded["storefront"] = front.balancer.arn
        self.outputs |= {
            "storefront_url": front.url,
            "storefront_cluster": front.cluster.name,
            "storefront_service": front.service.name,
        }
        self.panels += front.panels
        if front.alarm is not None:
            self.alarms.append(front.alarm)
            self.outputs["release_alarm"] = front.alarm.name

        if domain := pulumi.Config("orders").get("storefrontDomain"):
            self._https(front, domain)

    def _https(self, front: Storefront, domain: str) -> None:
        """By the name of whoever deploys it: without a domain there is no certificate."""
        made = Https("https", HttpsArgs(domain, f"www.{domain}", front.balancer, front.group.arn))
        self.parts |= {"https"}
        self.outputs["https"] = {
            "url": front.balancer.dns_name.apply(lambda dns: f"https://{dns}"),
            "host": f"www.{domain}",
            "certificate": made.certificate.arn,
            "listener": made.listener.arn,
        }

    def _strangler(self) -> None:
        offered = self._orders
        made = Strangler(
            "strangler",
            StranglerArgs(vpc_id=offered.vpc_id, placement=offered.placement, table=self._table),
        )
        self.outputs["strangler"] = {
            "url": made.url,
            "cluster": made.cluster.name,
            "services": {generation: service.name for generation, service in made.services.items()},
            "groups": {generation: group.arn for generation, group in made.groups.items()},
            "rules": {route: rule.arn for route, rule in made.rules.items()},
        }

    def _order_as_customer(self) -> Function:
        ledger = self._orders.ledger
        return Function(
            "order",
            ShopFunctionArgs(
                handler="order_as_customer",
                statements=[
                    Statement(["dynamodb:PutItem", "dynamodb:GetItem"], [ledger.orders.arn]),
                    Statement(["dynamodb:UpdateItem"], [ledger.stock.arn]),
                    Statement(["dynamodb:PutItem", "dynamodb:Query"], [self._table.arn]),
                ],
                environment={
                    "ORDERS_TABLE": ledger.orders.name,
                    "STOCK_TABLE": ledger.stock.name,
                    "CATALOGUE_TABLE": self._table.name,
                },
                placement=self._orders.placement,
            ),
        )

    def _carts(self) -> None:
        offered = self._orders
        made = Carts("carts", CartsArgs(placement=offered.placement, table=self._table, bus=offered.events.bus))
        self.functions += made.functions
        routes = ("GET /me/cart", "PUT /me/cart/{sku}", "DELETE /me/cart/{sku}")
        self.protected |= dict.fromkeys(routes, made.keep)
        self.outputs["cart_reminders_url"] = made.reminders.url

    def _contracts(self) -> None:
        made = Contracts("contracts", ContractsArgs(bus=self._orders.events.bus))
        self.outputs |= {"contracts": made.registry.name, "order_placed_schema": made.placed.name}

    def _firewall(self) -> None:
        made = Firewall("firewall", FirewallArgs(protected=self._guarded))
        self.outputs["web_acl_arn"] = made.acl.arn

    def _payments(self) -> None:
        payments = Payments("payments", PaymentsArgs(placement=self._orders.placement))
        self.functions += payments.functions
        self.panels.append(of_queue("Payments", payments.queue.name, payments.dead_letters.name))
        self.outputs |= {
            "wallets_table": payments.wallets.name,
            "payments_queue_url": payments.queue.url,
            "payments_queue_arn": payments.queue.arn,
            "payments_dlq_url": payments.dead_letters.url,
            "payments_dlq_arn": payments.dead_letters.arn,
        }

    def _notices(self) -> None:
        notices = Notices("notices", NoticesArgs(topic=self._orders.events.topic))
        self.outputs["notice_queues"] = {channel: queue.url for channel, queue in notices.queues.items()}

    def _checkout(self) -> None:
        ledger = self._orders.ledger
        made = Checkout(
            "checkout",
            CheckoutArgs(
                placement=self._orders.placement,
                catalogue=self._table,
                stock=ledger.stock,
                libraries=self._libraries.arn,
            ),
        )
        self.functions += made.functions
        self.protected |= {
            "POST /me/checkouts": made.check_out,
            "GET /me/checkouts/{checkout_id}": made.check_out,
        }
        self.outputs |= {
            "pricing_arn": made.pricing.arn,
            "saga_arn": made.saga.arn,
            "card_function": made.functions[0].name,
            "once_table": made.once.name,
        }

    def _schedules(self) -> None:
        made = Schedules("schedules", SchedulesArgs())
        self.outputs |= {
            "schedule_group": made.group.name,
            "schedule_role_arn": made.role.arn,
            "reconcile_queue_url": made.queue.url,
            "reconcile_queue_arn": made.queue.arn,
            "nightly_schedule": made.nightly.name,
        }

    def _uploads(self) -> None:
        orders = self._orders
        made = Uploads(
            "uploads",
            UploadsArgs(placement=orders.placement, table=self._table, replica_region=orders.replica_region),
        )
        self.functions += made.functions
        self.protected["POST /uploads"] = made.sign
        self.outputs |= {"uploads_bucket": made.bucket.id, "uploads_replica": made.replica.id}

    def _cache(self) -> None:
        made = Cache(
            "cache",
            CacheArgs(placement=self._orders.placement, table=self._table, libraries=self._libraries.arn),
        )
        self.functions += made.functions
        self.routes["GET /catalogue/{category}"] = made.browse
        self.outputs |= {"browse_function": made.browse.name, "cache_group": made.group.replication_group_id}

    def _reviews(self) -> None:
        made = Reviews("reviews", ReviewsArgs(placement=self._orders.placement))
        self.functions += made.functions
        self.routes |= {"POST /reviews": made.review, "GET /reviews/{sku}": made.review}
        self.outputs |= {"reviews_cluster_arn": made.cluster.arn, "reviews_secret_arn": made.secret.arn}

    def _ledger(self) -> None:
        offered = self._orders
        made = GeneralLedger("ledger", GeneralLedgerArgs(placement=offered.placement, vpc_id=offered.vpc_id))
        self.functions += made.functions
        self.outputs["ledger"] = {
            "cluster": made.cluster.cluster_identifier,
            "transfer": made.transfer.name,
            "report": made.report.name,
        }

    def _global_ledger(self) -> None:
        home = aws.get_region().region
        made = GlobalLedger("global-ledger", GlobalLedgerArgs(home, self._orders.replica_region))
        self.outputs["global_ledger"] = {
            "group": made.group.global_cluster_identifier,
            "clusters": {region: cluster.arn for region, cluster in made.clusters.items()},
            "secrets": {region: secret.arn for region, secret in made.secrets.items()},
        }

    def _partners(self) -> None:
        made = Partners("partners", PartnersArgs(placement=self._orders.placement))
        self.functions += made.functions
        self.outputs |= {
            "partner_secret_arn": made.secret.arn,
            "partner_key_arn": made.key.arn,
            "partner_function": made.sign.name,
        }

    def _live(self) -> None:
        offered = self._orders
        made = Live(
            "live",
            LiveArgs(
                placement=offered.placement,
                orders=offered.ledger.orders,
                topic=offered.events.topic,
                pool=self._pool,
            ),
        )
        self.functions += made.functions
        self.outputs |= {"live_url": made.url, "watchers_table": made.watchers.name}
        self.outputs["push_function"] = made.functions[-1].name

    def _quotes(self) -> None:
        made = Quotes("quotes", QuotesArgs(placement=self._orders.placement))
        self.functions.append(made.function)
        self.alarms.append(made.alarm)
        self.routes["GET /quotes/{speed}"] = made
        self.outputs |= {
            "quote_function": made.function.name,
            "quote_alias": made.alias.name,
            "tariffs_layer": made.tariffs.layer_name,
            "quote_alarm": made.alarm.name,
            "quote_releases": {"application": made.releases.app_name, "group": made.releases.deployment_group_name},
        }

    def _budget(self) -> None:
        made = Budget("shop", BudgetArgs())
        self.outputs |= {"budget": made.budget.name, "budget_topic_arn": made.topic.arn}

    def _delivery(self) -> None:
        deployed = f"{pulumi.get_project()}-{pulumi.get_stack()}-delivered"
        made = Delivery("delivery", DeliveryArgs(deployed=deployed))
        self.outputs["delivery"] = {
            "pipeline": made.pipeline.name,
            "project": made.project.name,
            "source_bucket": made.source.id,
            "deploys": deployed,
        }

    @functools.cached_property
    def _libraries(self) -> Libraries:
        return Libraries("libraries")


PARTS = (
    "global_ledger",
    "ledger",
    "catalogue",
    "scaling",
    "reviews",
    "admin",
    "customers",
    "carts",
    "payments",
    "notices",
    "checkout",
    "schedules",
    "uploads",
    "storefront",
    "strangler",
    "cache",
    "partners",
    "live",
    "quotes",
    "contracts",
    "firewall",
    "delivery",
    "budget",
)
"""In the order in which they are made: first what takes longest. `releases` is made with the storefront."""
