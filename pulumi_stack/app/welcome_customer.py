"""Cognito tells after a confirmed sign-up: the user becomes a customer, with a profile in the catalogue's table.

Cognito calls again when it got no answer, so both steps may be repeated.
"""

import os
from typing import Any

import time_budget
from aws import client
from items import wire
from structured_log import log


@time_budget.begun
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Join the group, keep the profile; the event goes back as it came."""
    if event["triggerSource"] != "PostConfirmation_ConfirmSignUp":
        return event
    attributes = event["request"]["userAttributes"]
    client("cognito-idp").admin_add_user_to_group(
        UserPoolId=event["userPoolId"], Username=event["userName"], GroupName="customers"
    )
    profile = {"pk": f"CUSTOMER#{attributes['sub']}", "sk": "PROFILE", "email": attributes.get("email", "")}
    client("dynamodb").put_item(TableName=os.environ["CATALOGUE_TABLE"], Item=wire(profile))
    log("customer welcomed", customer=attributes["sub"])
    return event
