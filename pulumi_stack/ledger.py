"""Where orders, payments and stock are kept: three tables, orders and payments with replicas in another region."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws
from standby import KnownTable


@dataclass(frozen=True)
class LedgerArgs:
    """`stock` is what there is of each sku when the stack is made."""

    replica_region: str
    stock: Mapping[str, int] = field(default_factory=dict)


class Ledger(pulumi.ComponentResource):
    """Outputs: `orders`, `payments`, `stock` (tables)."""

    def __init__(self, name: str, args: LedgerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("orders:index:Ledger", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        tags = {"app": "orders"}
        self.orders = aws.dynamodb.Table(
            f"{name}-orders",
            billing_mode="PAY_PER_REQUEST",
            hash_key="order_id",
            attributes=[{"name": "order_id", "type": "S"}],
            stream_enabled=True,
            stream_view_type="NEW_AND_OLD_IMAGES",  # a global table needs both images
            point_in_time_recovery={"enabled": True},
            replicas=[{"region_name": args.replica_region}],
            tags=tags,
            opts=child,
        )
        self.payments = aws.dynamodb.Table(
            f"{name}-payments",
            billing_mode="PAY_PER_REQUEST",
            hash_key="order_id",
            attributes=[{"name": "order_id", "type": "S"}],
            stream_enabled=True,
            stream_view_type="NEW_AND_OLD_IMAGES",
            replicas=[{"region_name": args.replica_region}],
            point_in_time_recovery={"enabled": True},
            tags=tags,
            opts=child,
        )
        self.stock = stock_table(name, args.stock, self)
        self.register_outputs({"orders": self.orders.name})


class StandbyLedger(pulumi.ComponentResource):
    """Outputs as `Ledger`: orders and payments are kept already, and each region sells a stock of its own."""

    def __init__(self, name: str, orders: KnownTable, payments: KnownTable, stock: Mapping[str, int]) -> None:
        super().__init__("orders:index:StandbyLedger", name)
        self.orders, self.payments = orders, payments
        self.stock = stock_table(name, stock, self)
        self.register_outputs({"orders": orders.name})


def stock_table(name: str, stock: Mapping[str, int], parent: pulumi.Resource) -> aws.dynamodb.Table:
    """What there is of each sku."""
    table = aws.dynamodb.Table(
        f"{name}-stock",
        billing_mode="PAY_PER_REQUEST",
        hash_key="sku",
        attributes=[{"name": "sku", "type": "S"}],
        tags={"app": "orders"},
        opts=pulumi.ResourceOptions(parent=parent),
    )
    for sku, available in stock.items():
        aws.dynamodb.TableItem(
            f"{name}-stock-{sku}",
            table_name=table.name,
            hash_key=table.hash_key,
            item=json.dumps({"sku": {"S": sku}, "available": {"N": str(available)}}),
            # Orders change it; only its making is ours.
            opts=pulumi.ResourceOptions(parent=parent, ignore_changes=["item"]),
        )
    return table
