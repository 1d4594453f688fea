"""The catalogue's table: one table for products, customers and their lists."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws


@dataclass(frozen=True)
class CatalogueArgs:
    """`capacity` is what is provisioned to begin with, in units a second; scaling.py moves it.

    `prices` are the products of the first day: sku → cents.
    """

    capacity: int
    prices: Mapping[str, int] = field(default_factory=dict)


class Catalogue(pulumi.ComponentResource):
    """Outputs: `table`."""

    def __init__(self, name: str, args: CatalogueArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("shop:index:Catalogue", name, None, opts)
        self.table = aws.dynamodb.Table(
            name,
            billing_mode="PROVISIONED",
            read_capacity=args.capacity,
            write_capacity=args.capacity,
            hash_key="pk",
            range_key="sk",
            attributes=[{"name": n, "type": "S"} for n in ("pk", "sk", "category_pk", "category_sk")],
            global_secondary_indexes=[
                {
                    "name": "by_category",
                    "hash_key": "category_pk",
                    "range_key": "category_sk",
                    "projection_type": "ALL",
                    "read_capacity": args.capacity,
                    "write_capacity": args.capacity,
                }
            ],
            ttl={"attribute_name": "expires_at", "enabled": True},
            stream_enabled=True,
            stream_view_type="NEW_AND_OLD_IMAGES",
            point_in_time_recovery={"enabled": True},
            server_side_encryption={"enabled": True},
            tags={"app": "shop"},
            # Auto scaling moves the capacity; where it begins is ours.
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["readCapacity", "writeCapacity"]),
        )
        for sku, cents in args.prices.items():
            self._product(f"{name}-{sku}", sku, cents)
        self.register_outputs({"table": self.table.name})

    def _product(self, name: str, sku: str, cents: int) -> None:
        """As app/catalogue.py writes it; staff change it, only its making is ours."""
        item = {
            "pk": {"S": f"PRODUCT#{sku}"},
            "sk": {"S": "PRODUCT"},
            "sku": {"S": sku},
            "name": {"S": sku.title()},
            "category": {"S": "first"},
            "price_cents": {"N": str(cents)},
            "version": {"N": "1"},
            "category_pk": {"S": "CATEGORY#first"},
            "category_sk": {"S": f"{cents:010d}#{sku}"},
        }
        aws.dynamodb.TableItem(
            name,
            table_name=self.table.name,
            hash_key="pk",
            range_key="sk",
            item=json.dumps(item),
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["item"]),
        )
