"""Paying by card: an Express workflow prices the basket, a Standard one pays with compensation."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws
from function import Function, ShopFunctionArgs, Statement, service_role, traced
from placement import Placement
from workflows import PRICING, SAGA


@dataclass(frozen=True)
class CheckoutArgs:
    """`libraries` is the layer with Powertools."""

    placement: Placement
    catalogue: aws.dynamodb.Table
    stock: aws.dynamodb.Table
    libraries: pulumi.Input[str]


class Checkout(pulumi.ComponentResource):
    """Outputs: `pricing` and `saga` (state machines), `check_out` (function), `functions`."""

    def __init__(self, name: str, args: CheckoutArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("shop:index:Checkout", name, None, opts)
        self._name, self._child = name, pulumi.ResourceOptions(parent=self)
        self._args = args
        card = self._card()
        self.pricing = self._machine(
            "pricing",
            PRICING,
            {"catalogue": args.catalogue.name},
            [Statement(["dynamodb:GetItem"], [args.catalogue.arn])],
            kind="EXPRESS",
        )
        self.saga = self._machine(
            "saga",
            SAGA,
            {"catalogue": args.catalogue.name, "stock": args.stock.name, "card": card.name},
            [
                Statement(["dynamodb:UpdateItem"], [args.catalogue.arn, args.stock.arn]),
                Statement(["lambda:InvokeFunction"], [card.arn]),
            ],
        )
        self.check_out = Function(
            "checkout",
            ShopFunctionArgs(
                handler="check_out",
                statements=[
                    Statement(["dynamodb:PutItem", "dynamodb:GetItem"], [args.catalogue.arn]),
                    Statement(["states:StartSyncExecution"], [self.pricing.arn]),
                    Statement(["states:StartExecution"], [self.saga.arn]),
                ],
                environment={
                    "CATALOGUE_TABLE": args.catalogue.name,
                    "PRICING_ARN": self.pricing.arn,
                    "SAGA_ARN": self.saga.arn,
                },
                placement=args.placement,
            ),
            self._child,
        )
        self.functions = [card, self.check_out]
        self.register_outputs({"saga": self.saga.arn})

    def _card(self) -> Function:
        once = aws.dynamodb.Table(
            f"{self._name}-once",
            billing_mode="PAY_PER_REQUEST",
            hash_key="id",
            attributes=[{"name": "id", "type": "S"}],
            ttl={"attribute_name": "expiration", "enabled": True},
            server_side_encryption={"enabled": True},
            tags={"app": "shop"},
            opts=self._child,
        )
        self.once = once
        return Function(
            "card",
            ShopFunctionArgs(
                handler="charge_card",
                statements=[
                    Statement(
                        ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"],
                        [once.arn],
                    )
                ],
                environment={"IDEMPOTENCY_TABLE": once.name, "POWERTOOLS_SERVICE_NAME": "card"},
                layers=[self._args.libraries],
                placement=self._args.placement,
            ),
            self._child,
        )

    def _machine(
        self,
        label: str,
        definition: Mapping[str, Any],
        filled: Mapping[str, pulumi.Input[str]],
        statements: Sequence[Statement],
        kind: str = "STANDARD",
    ) -> aws.sfn.StateMachine:
        role, granted = service_role(f"{self._name}-{label}", "states.amazonaws.com", statements, self._child)
        tracing = traced(f"{self._name}-{label}", role, self._child)
        text = json.dumps(definition)
        return aws.sfn.StateMachine(
            f"{self._name}-{label}",
            type=kind,
            role_arn=role.arn,
            definition=pulumi.Output.all(**filled).apply(lambda values: _filled(text, values)),
            tracing_configuration={"enabled": True},
            tags={"app": "shop"},
            opts=pulumi.ResourceOptions(parent=self, depends_on=[tracing, *granted]),
        )


def _filled(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(f"${{{name}}}", value)
    return text
