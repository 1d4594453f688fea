"""Somebody signs up, becomes a customer, and orders for the first time. Cognito, its triggers, and the HTTP API."""

import uuid
from typing import Any

import pytest

pytestmark = [pytest.mark.part("customers"), pytest.mark.blackstart_covers("execute-api", "lambda", "dynamodb")]


def refusal(call: Any, *arguments: Any) -> dict[str, str]:
    """The error with which a call is refused."""
    from botocore.exceptions import ClientError

    with pytest.raises(ClientError) as refused:
        call(*arguments)
    found: dict[str, str] = refused.value.response["Error"]
    return found


def new_account() -> tuple[str, str]:
    return f"{uuid.uuid4().hex[:12]}@customer.example", f"Aa1{uuid.uuid4().hex}"


@pytest.mark.blackstart_requires("cognito-triggers")
def test_from_sign_up_to_a_fulfilled_first_order(shop: Any, accounts: Any, http: Any, eventually: Any) -> None:
    email, password = new_account()
    accounts.sign_up(email, password)
    assert refusal(accounts.sign_in, email, password)["Code"] == "UserNotConfirmedException"

    accounts.confirm(email)
    headers = {"Authorization": f"Bearer {accounts.sign_in(email, password)['IdToken']}", "Idempotency-Key": email}
    order = {"items": [{"sku": "tea", "quantity": 1}]}
    placed = http("POST", f"{shop.url}/me/orders", order, headers)
    assert placed.status == 201
    order_id = placed.body["order_id"]
    assert http("GET", f"{shop.url}/me/orders", None, headers).body == {"orders": [order_id]}
    eventually(lambda: shop.status(order_id) == "FULFILLED", within_s=60, what="the first order fulfilled")
    assert (shop.charges(order_id), shop.receipts(order_id)) == (1, 1)


@pytest.mark.blackstart_requires("cognito-triggers")
def test_a_confirmed_sign_up_becomes_a_customer_with_a_profile(shop: Any, accounts: Any) -> None:
    customer = accounts.new_customer()
    groups = shop.aws("cognito-idp").admin_list_groups_for_user(UserPoolId=accounts.pool, Username=customer.email)
    assert [group["GroupName"] for group in groups["Groups"]] == ["customers"]
    key = {"pk": {"S": f"CUSTOMER#{customer.sub}"}, "sk": {"S": "PROFILE"}}
    table = shop.outputs["catalogue_table"]
    profile = shop.aws("dynamodb").get_item(TableName=table, Key=key, ConsistentRead=True)["Item"]
    assert profile["email"]["S"] == customer.email


def test_a_throwaway_address_is_not_admitted(accounts: Any) -> None:
    refused = refusal(accounts.sign_up, f"{uuid.uuid4().hex}@throwaway.example", new_account()[1])
    assert refused["Code"] == "UserLambdaValidationException"
    assert "throwaway.example" in refused["Message"]


def test_a_weak_password_is_refused(accounts: Any) -> None:
    assert refusal(accounts.sign_up, new_account()[0], "short1A")["Code"] == "InvalidPasswordException"


def test_an_address_is_used_once(accounts: Any) -> None:
    email, password = new_account()
    accounts.sign_up(email, password)
    assert refusal(accounts.sign_up, email, password)["Code"] == "UsernameExistsException"


def test_a_wrong_password_does_not_tell_whether_there_is_such_a_customer(accounts: Any, customer: Any) -> None:
    known = refusal(accounts.sign_in, customer.email, "Wrong1password")
    unknown = refusal(accounts.sign_in, "nobody@customer.example", "Wrong1password")
    assert known == unknown
    assert known["Code"] == "NotAuthorizedException"
