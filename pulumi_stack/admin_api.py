"""The admin API, for staff and suppliers: a REST API that checks key, plan and body before any function runs."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from function import Function, ShopFunctionArgs, Statement
from placement import Placement

PRODUCT = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "type": "object",
    "required": ["sku", "name", "category", "price_cents"],
    "additionalProperties": False,
    "properties": {
        "sku": {"type": "string", "pattern": "^[a-z0-9-]{1,40}$"},
        "name": {"type": "string", "minLength": 1, "maxLength": 80},
        "category": {"type": "string", "minLength": 1, "maxLength": 40},
        "price_cents": {"type": "integer", "minimum": 1},
    },
}
PRICE = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "type": "object",
    "required": ["price_cents"],
    "additionalProperties": False,
    "properties": {"price_cents": {"type": "integer", "minimum": 1}},
}


@dataclass(frozen=True)
class Plan:
    """A usage plan: requests a second and at once, and how many in a day."""

    name: str
    rate: float
    burst: int
    daily: int


PLANS = (Plan("staff", rate=200, burst=400, daily=1_000_000), Plan("supplier", rate=1, burst=3, daily=1_000))


@dataclass(frozen=True)
class AdminApiArgs:
    """`table` is the catalogue's."""

    placement: Placement
    table: aws.dynamodb.Table


@dataclass(frozen=True)
class Route:
    """A method of a resource; `model` is what its body must be, `headers` those that must be there."""

    method: str
    resource: pulumi.Input[str]
    model: pulumi.Input[str] | None = None
    headers: Sequence[str] = ()


class AdminApi(pulumi.ComponentResource):
    """Outputs: `url`, `stage`, `keys` (plan → key's id), `functions`."""

    def __init__(self, name: str, args: AdminApiArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("shop:index:AdminApi", name, None, opts)
        self._name, self._child = name, pulumi.ResourceOptions(parent=self)
        self._manage = self._function(args)
        self.functions = [self._manage]
        self._api = aws.apigateway.RestApi(
            name, description="The shop's catalogue, for staff and suppliers", tags={"app": "shop"}, opts=self._child
        )
        self._validator = aws.apigateway.RequestValidator(
            name,
            rest_api=self._api.id,
            validate_request_body=True,
            validate_request_parameters=True,
            opts=self._child,
        )
        self.stage = self._stage(self._routes())
        self.keys = {plan.name: self._plan(plan, self.stage) for plan in PLANS}
        self.url = self.stage.invoke_url
        self.register_outputs({"url": self.url})

    def _function(self, args: AdminApiArgs) -> Function:
        return Function(
            "manage",
            ShopFunctionArgs(
                handler="manage_catalogue",
                statements=[
                    Statement(
                        ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"],
                        [args.table.arn],
                    )
                ],
                environment={"CATALOGUE_TABLE": args.table.name},
                placement=args.placement,
            ),
            self._child,
        )

    def _model(self, model: str, schema: dict[str, object]) -> pulumi.Output[str]:
        made = aws.apigateway.Model(
            f"{self._name}-{model.lower()}",
            rest_api=self._api.id,
            name=model,
            content_type="application/json",
            schema=json.dumps(schema),
            opts=self._child,
        )
        return made.name

    def _routes(self) -> list[Route]:
        products = aws.apigateway.Resource(
            f"{self._name}-products",
            rest_api=self._api.id,
            parent_id=self._api.root_resource_id,
            path_part="products",
            opts=self._child,
        )
        product = aws.apigateway.Resource(
            f"{self._name}-product", rest_api=self._api.id, parent_id=products.id, path_part="{sku}", opts=self._child
        )
        return [
            Route("POST", products.id, self._model("Product", PRODUCT)),
            Route("GET", product.id),
            Route("PUT", product.id, self._model("Price", PRICE), headers=["If-Match"]),
            Route("DELETE", product.id),
        ]

    def _serve(self, route: Route) -> list[pulumi.Resource]:
        label = f"{self._name}-{route.method.lower()}"
        method = aws.apigateway.Method(
            label,
            rest_api=self._api.id,
            resource_id=route.resource,
            http_method=route.method,
            authorization="NONE",
            api_key_required=True,
            request_validator_id=self._validator.id,
            request_models=None if route.model is None else {"application/json": route.model},
            request_parameters={f"method.request.header.{header}": True for header in route.headers},
            opts=self._child,
        )
        integration = aws.apigateway.Integration(
            label,
            rest_api=self._api.id,
            resource_id=route.resource,
            http_method=method.http_method,
            type="AWS_PROXY",
            integration_http_method="POST",
            uri=self._manage.invoke_arn,
            opts=self._child,
        )
        return [method, integration]

    def _stage(self, routes: Sequence[Route]) -> aws.apigateway.Stage:
        served = [made for route in routes for made in self._serve(route)]
        self._manage.allow(
            self._name, "apigateway.amazonaws.com", self._api.execution_arn.apply(lambda arn: f"{arn}/*/*")
        )
        deployment = aws.apigateway.Deployment(
            self._name,
            rest_api=self._api.id,
            triggers={"routes": json.dumps([PRODUCT, PRICE, [route.method for route in routes]])},
            opts=pulumi.ResourceOptions(parent=self, depends_on=served),
        )
        stage = aws.apigateway.Stage(
            self._name,
            rest_api=self._api.id,
            deployment=deployment.id,
            stage_name="v1",
            tags={"app": "shop"},
            opts=self._child,
        )
        aws.apigateway.MethodSettings(
            self._name,
            rest_api=self._api.id,
            stage_name=stage.stage_name,
            method_path="*/*",
            settings={"throttling_rate_limit": 500, "throttling_burst_limit": 1000, "metrics_enabled": True},
            opts=self._child,
        )
        return stage

    def _plan(self, plan: Plan, stage: aws.apigateway.Stage) -> pulumi.Output[str]:
        """A plan with one key of its own. Its value is a secret, and read where it is needed."""
        label = f"{self._name}-{plan.name}"
        made = aws.apigateway.UsagePlan(
            label,
            api_stages=[{"api_id": self._api.id, "stage": stage.stage_name}],
            throttle_settings={"rate_limit": plan.rate, "burst_limit": plan.burst},
            quota_settings={"limit": plan.daily, "period": "DAY"},
            tags={"app": "shop"},
            opts=self._child,
        )
        key = aws.apigateway.ApiKey(label, tags={"app": "shop"}, opts=self._child)
        aws.apigateway.UsagePlanKey(label, usage_plan_id=made.id, key_id=key.id, key_type="API_KEY", opts=self._child)
        return key.id
