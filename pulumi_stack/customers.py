"""Who the shop's customers and staff are: a Cognito user pool with groups, and functions at a sign-up."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from function import Function, ShopFunctionArgs, Statement
from placement import Placement

GROUPS = {"customers": "May order", "staff": "May manage the catalogue"}
THROWAWAY = ("mailinator.com", "throwaway.example")


@dataclass(frozen=True)
class CustomersArgs:
    """`table` is where profiles are kept."""

    placement: Placement
    table: aws.dynamodb.Table


class Customers(pulumi.ComponentResource):
    """Outputs: `pool`, `client_id`, `issuer`, `functions`."""

    def __init__(self, name: str, args: CustomersArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("shop:index:Customers", name, None, opts)
        self._name, self._child = name, pulumi.ResourceOptions(parent=self)
        admit, welcome = self._admit(args), self._welcome(args)
        self.functions = [admit, welcome]
        self.pool = self._pool(admit, welcome)
        for function in self.functions:
            function.allow(f"{name}-{function.label}", "cognito-idp.amazonaws.com", self.pool.arn)
        for group, says in GROUPS.items():
            aws.cognito.UserGroup(
                f"{name}-{group}", name=group, description=says, user_pool_id=self.pool.id, opts=self._child
            )
        self.client_id = self._client().id
        self.issuer = self.pool.endpoint.apply(lambda endpoint: f"https://{endpoint}")
        self.register_outputs({"pool": self.pool.id})

    def _admit(self, args: CustomersArgs) -> Function:
        return Function(
            "admit",
            ShopFunctionArgs(
                handler="admit_customer",
                statements=[],
                environment={"THROWAWAY_DOMAINS": ",".join(THROWAWAY)},
                placement=args.placement,
            ),
            self._child,
        )

    def _welcome(self, args: CustomersArgs) -> Function:
        return Function(
            "welcome",
            ShopFunctionArgs(
                handler="welcome_customer",
                statements=[
                    Statement(["dynamodb:PutItem"], [args.table.arn]),
                    Statement(["cognito-idp:AdminAddUserToGroup"], [_any_pool()]),
                ],
                environment={"CATALOGUE_TABLE": args.table.name},
                placement=args.placement,
            ),
            self._child,
        )

    def _pool(self, admit: Function, welcome: Function) -> aws.cognito.UserPool:
        return aws.cognito.UserPool(
            self._name,
            username_attributes=["email"],
            auto_verified_attributes=["email"],
            password_policy={
                "minimum_length": 12,
                "require_lowercase": True,
                "require_uppercase": True,
                "require_numbers": True,
                "require_symbols": False,
            },
            lambda_config={"pre_sign_up": admit.arn, "post_confirmation": welcome.arn},
            tags={"app": "shop"},
            opts=self._child,
        )

    def _client(self) -> aws.cognito.UserPoolClient:
        return aws.cognito.UserPoolClient(
            self._name,
            user_pool_id=self.pool.id,
            explicit_auth_flows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
            prevent_user_existence_errors="ENABLED",
            access_token_validity=60,
            id_token_validity=60,
            token_validity_units={"access_token": "minutes", "id_token": "minutes"},
            opts=self._child,
        )


def _any_pool() -> str:
    """Any pool of this account: the pool needs the function's ARN first, so its own ARN cannot stand here."""
    return f"arn:aws:cognito-idp:{aws.get_region().region}:{aws.get_caller_identity().account_id}:userpool/*"
