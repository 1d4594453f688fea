"""AWS Budgets: budgets with their notifications, and actions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.aws_type import AwsType
from harness.deploy.providers.aws.declared import Declared
from harness.deploy.providers.aws.tags import Tagging
from harness.deploy.providers.resource import Context, Properties

_FORMAT = "%Y-%m-%d_%H:%M"  # Terraform's way to write a day in a budget
_FOREVER = "2087-06-15_00:00"
_TAGGING = Tagging(resource="ResourceARN", tags="ResourceTags", keys="ResourceTagKeys")


class Budget(AwsType):
    """aws:budgets/budget:Budget; the id is `account:name`."""

    token: ClassVar = "aws:budgets/budget:Budget"
    parts: ClassVar = ("accountId", "name")
    separator: ClassVar = ":"
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 100}
    defaults: ClassVar = {"timePeriodEnd": _FOREVER}
    tagging: ClassVar = _TAGGING
    replace_on: ClassVar = frozenset({"accountId", "name", "namePrefix"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it with its notifications."""
        account = str(inputs.get("accountId") or context.account_id)
        tags = self.wire_tags(context, inputs)
        self.client(context).create_budget(
            AccountId=account,
            Budget=_budget(inputs),
            NotificationsWithSubscribers=[_notification(one) for one in inputs.get("notifications") or ()],
            **({"ResourceTags": tags} if tags else {}),
        )
        return f"{account}:{inputs['name']}"

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """Limit, type, period."""
        account, _, name = resource_id.partition(":")
        found = self.client(context).describe_budget(AccountId=account, BudgetName=name)["Budget"]
        told: Properties = {
            "accountId": account, "name": name, "arn": f"arn:aws:budgets::{account}:budget/{name}",
            "budgetType": found["BudgetType"], "timeUnit": found["TimeUnit"],
        }  # fmt: skip
        if found.get("BudgetLimit"):
            given, amount = inputs.get("limitAmount"), found["BudgetLimit"]["Amount"]
            told["limitAmount"] = given if given and float(given) == float(amount) else amount
            told["limitUnit"] = found["BudgetLimit"]["Unit"]
        return told

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """The budget anew, and the notifications that differ."""
        account, _, name = resource_id.partition(":")
        client, place = self.client(context), {"AccountId": account, "BudgetName": name}
        client.update_budget(AccountId=account, NewBudget=_budget(news))
        before, after = ([_notification(one) for one in state.get("notifications") or ()] for state in (olds, news))
        for one in before:
            if one not in after:
                client.delete_notification(**place, Notification=one["Notification"])
        for one in after:
            if one not in before:
                client.create_notification(**place, **one)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it."""
        account, _, name = resource_id.partition(":")
        self.client(context).delete_budget(AccountId=account, BudgetName=name)


def _budget(inputs: Properties) -> dict[str, Any]:
    made: dict[str, Any] = {
        "BudgetName": inputs["name"], "BudgetType": inputs["budgetType"], "TimeUnit": inputs["timeUnit"]
    }  # fmt: skip
    if inputs.get("limitAmount"):
        made["BudgetLimit"] = {"Amount": str(inputs["limitAmount"]), "Unit": inputs.get("limitUnit") or "USD"}
    if inputs.get("costFilters"):
        made["CostFilters"] = {one["name"]: one["values"] for one in inputs["costFilters"]}
    if inputs.get("costTypes"):
        made["CostTypes"] = {f"{key[0].upper()}{key[1:]}": value for key, value in inputs["costTypes"].items()}
    period = {"Start": inputs.get("timePeriodStart"), "End": inputs.get("timePeriodEnd")}
    made["TimePeriod"] = {
        key: dt.datetime.strptime(text, _FORMAT).replace(tzinfo=dt.UTC) for key, text in period.items() if text
    }
    return made


def _notification(given: Mapping[str, Any]) -> dict[str, Any]:
    kinds = (("EMAIL", "subscriberEmailAddresses"), ("SNS", "subscriberSnsTopicArns"))
    return {
        "Notification": {
            "ComparisonOperator": given["comparisonOperator"],
            "NotificationType": given["notificationType"],
            "Threshold": float(given["threshold"]),
            "ThresholdType": given["thresholdType"],
        },
        "Subscribers": [
            {"SubscriptionType": kind, "Address": address} for kind, key in kinds for address in given.get(key) or ()
        ],
    }


class BudgetAction(Declared, noun="BudgetAction", verbs="Create Describe Update Delete"):
    """aws:budgets/budgetAction:BudgetAction; the id is `account:action:budget`."""

    token: ClassVar = "aws:budgets/budgetAction:BudgetAction"
    lists: ClassVar = "DescribeBudgetActionsForBudget"
    listed: ClassVar = "ActionId"
    key: ClassVar = {"AccountId": "accountId", "ActionId": "actionId", "BudgetName": "budgetName"}
    parts: ClassVar = ("accountId", "actionId", "budgetName")
    separator: ClassVar = ":"
    body: ClassVar = "Action"
    computed: ClassVar = {"arn": "arn:aws:budgets::{account}:budget/{budgetName}/action/{actionId}"}
    tagging: ClassVar = _TAGGING
    replace_on: ClassVar = frozenset({"accountId", "actionType", "budgetName"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it in the account's budget."""
        account = str(inputs.get("accountId") or context.account_id)
        answer = self.send(context, self.creates, inputs, AccountId=account)
        return f"{account}:{answer['ActionId']}:{inputs['budgetName']}"


RESOURCES = (Budget(), BudgetAction())
