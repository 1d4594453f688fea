"""Where orders, payments and stock are kept: three tables, the orders with a replica in another region."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws


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
            point_in_time_recovery={"enabled": True},
            tags=tags,
            opts=child,
        )
        self.stock = aws.dynamodb.Table(
            f"{name}-stock",
            billing_mode="PAY_PER_REQUEST",
            hash_key="sku",
            attributes=[{"name": "sku", "type": "S"}],
            tags=tags,
            opts=child,
        )
        for sku, available in args.stock.items():
            aws.dynamodb.TableItem(
                f"{name}-stock-{sku}",
                table_name=self.stock.name,
                hash_key=self.stock.hash_key,
                item=json.dumps({"sku": {"S": sku}, "available": {"N": str(available)}}),
                # Orders change it; only its making is ours.
                opts=pulumi.ResourceOptions(parent=self, ignore_changes=["item"]),
            )
        self.register_outputs({"orders": self.orders.name})
