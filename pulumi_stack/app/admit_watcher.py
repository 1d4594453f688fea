"""The WebSocket's authorizer: whoever brings an access token of the shop's user pool may connect.

A browser cannot set headers on a WebSocket, so the token is in the query. Cognito itself says whose it is, which
also refuses tokens that were revoked. https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_GetUser.html
"""

import os
from typing import Any

import time_budget
from aws import client
from botocore.exceptions import ClientError

POOL = os.environ["POOL_ID"]


@time_budget.begun
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """A policy that lets the customer in, under the id of the account; or nobody."""
    token = (event.get("queryStringParameters") or {}).get("token", "")
    try:
        attributes = client("cognito-idp", signed=False).get_user(AccessToken=token)["UserAttributes"]
    except ClientError:
        return _policy("nobody", "Deny", event["methodArn"])
    customer = next(one["Value"] for one in attributes if one["Name"] == "sub")
    return _policy(customer, "Allow", event["methodArn"])


def _policy(principal: str, effect: str, resource: str) -> dict[str, Any]:
    statement = {"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource}
    return {"principalId": principal, "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
