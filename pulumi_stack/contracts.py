"""What the shop's events look like: the contract that is written down, and what discovery finds on the bus."""

import json
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

ORDER_PLACED = {
    "type": "object",
    "required": ["order_id", "correlation_id"],
    "properties": {"order_id": {"type": "string"}, "correlation_id": {"type": "string"}},
}
"""The detail of OrderPlaced, as app/publish_order.py sends it."""


@dataclass(frozen=True)
class ContractsArgs:
    """`bus` carries the events."""

    bus: aws.cloudwatch.EventBus


class Contracts(pulumi.ComponentResource):
    """Outputs: `registry`, `placed` (schema) and `discoverer`, which writes to the registry `discovered-schemas`."""

    def __init__(self, name: str, args: ContractsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("shop:index:Contracts", name, None, opts)
        child, tags = pulumi.ResourceOptions(parent=self), {"app": "shop"}
        self.registry = aws.schemas.Registry(
            name, description="What may be relied on in the shop's events", tags=tags, opts=child
        )
        self.placed = aws.schemas.Schema(
            f"{name}-order-placed",
            name="orders@OrderPlaced",
            registry_name=self.registry.name,
            type="OpenApi3",
            content=json.dumps(_document("OrderPlaced", ORDER_PLACED)),
            tags=tags,
            opts=child,
        )
        self.discoverer = aws.schemas.Discoverer(
            name, source_arn=args.bus.arn, description="Finds what else there is", tags=tags, opts=child
        )
        self.register_outputs({})


def _document(title: str, detail: dict[str, Any]) -> dict[str, Any]:
    """An OpenAPI document of an event: what EventBridge puts round every detail, and the detail."""
    text = {"type": "string"}
    event = {
        "type": "object",
        "required": ["detail-type", "detail", "id", "source", "time"],
        "properties": {
            "detail": {"$ref": f"#/components/schemas/{title}"},
            "detail-type": text,
            "id": text,
            "source": text,
            "time": {"type": "string", "format": "date-time"},
        },
    }
    return {
        "openapi": "3.0.0",
        "info": {"title": title, "version": "1.0.0"},
        "paths": {},
        "components": {"schemas": {"AWSEvent": event, title: detail}},
    }
