"""AWS Budgets: what a budget has spent comes from the cost model, and its notifications go out when it has.

AWS brings budgets up to date some times a day; here it is a second. Spend is that of the whole account since the
cloud began, by the shipped price list, before the free tier and without what is held. Forecasts need five weeks of
data on AWS, so none is made; a budget with filters spends nothing here, as costs are not divided.
https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-managing-costs.html
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from harness.cloud.ministack_hooks import before_first_call
from harness.cloud.ticker import Ticker
from harness.cloud.usage.meters import UsageMeters
from harness.measure.costs.bill import bill
from harness.measure.costs.prices import price_list
from harness.target import Target

LOOK_EVERY_S = 1.0
_SPENDER = "budgets.amazonaws.com"
_EXCEEDS: Mapping[str, Callable[[float, float], bool]] = {
    "GREATER_THAN": lambda spent, limit: spent > limit,
    "LESS_THAN": lambda spent, limit: spent < limit,
    "EQUAL_TO": lambda spent, limit: spent == limit,
}
Record = dict[str, Any]


def threshold_of(budget: Mapping[str, Any], notification: Mapping[str, Any]) -> float | None:
    """The amount at which somebody is told; None where no spend of ours is measured.

    >>> threshold_of({"BudgetLimit": {"Amount": "50"}}, {"Threshold": 80.0, "NotificationType": "ACTUAL"})
    40.0
    """
    limit = budget.get("BudgetLimit")
    if not limit or not _measured(budget) or notification.get("NotificationType") != "ACTUAL":
        return None
    given = float(notification["Threshold"])
    absolute = notification.get("ThresholdType") == "ABSOLUTE_VALUE"
    return given if absolute else float(limit["Amount"]) * given / 100


def _measured(budget: Mapping[str, Any]) -> bool:
    filtered = budget.get("CostFilters") or budget.get("FilterExpression")
    return budget.get("BudgetType", "COST") == "COST" and not filtered


def may_publish(policy: str) -> bool:
    """Whether a topic's policy lets AWS Budgets publish; without it AWS tells nobody.

    https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-sns-policy.html
    """
    statements = json.loads(policy or "{}").get("Statement", [])
    for one in statements if isinstance(statements, list) else [statements]:
        principal, action = one.get("Principal") or {}, one.get("Action")
        services = principal.get("Service", []) if isinstance(principal, dict) else []
        actions = {str(name).lower() for name in (action if isinstance(action, list) else [action])}
        if one.get("Effect") == "Allow" and _SPENDER in services and actions & {"sns:publish", "sns:*"}:
            return True
    return False


@dataclass(slots=True)
class Budgets:
    """Looks at every budget once a second, from the first call about one on."""

    meters: UsageMeters
    target: Target
    _ticker: Ticker = field(init=False)

    def __post_init__(self) -> None:
        self._ticker = Ticker("budgets", LOOK_EVERY_S, self._look)

    @classmethod
    def install(cls, meters: UsageMeters, target: Target) -> Budgets:
        """Begin with the first call."""
        made = cls(meters, target)
        before_first_call("budgets", made._begin)
        return made

    def stop(self) -> None:
        """End."""
        self._ticker.stop()

    def spent(self) -> float:
        """Dollars so far."""
        return bill(self.meters.used(), price_list()).total

    def _begin(self) -> None:
        from ministack.services import budgets

        builtin = budgets._calculated_spend  # noqa: SLF001
        describe = budgets._describe_budgets  # noqa: SLF001

        def calculated(budget: Record) -> Record:
            told: Record = builtin(budget)
            if _measured(budget):
                told["ActualSpend"]["Amount"] = f"{self.spent():.9f}"
            return told

        def fresh(data: Record) -> Any:
            for budget in budgets._budgets.values():  # noqa: SLF001
                budget["CalculatedSpend"] = calculated(budget)
            return describe(data)

        def fresh_one(data: Record) -> Any:
            budget = budgets._budgets.get(data.get("BudgetName"))  # noqa: SLF001
            if budget is not None:
                budget["CalculatedSpend"] = calculated(budget)
            return describe_one(data)

        describe_one = budgets._describe_budget  # noqa: SLF001
        budgets._calculated_spend = calculated  # noqa: SLF001
        budgets._describe_budgets, budgets._describe_budget = fresh, fresh_one  # noqa: SLF001
        self._ticker.start()

    def _look(self) -> None:
        from ministack.services import budgets

        spent = self.spent()
        for (account, name), entries in list(budgets._notification_store._data.items()):  # noqa: SLF001
            budget = budgets._budgets._data.get((account, name)) or {}  # noqa: SLF001
            for entry in list(entries):
                notification = entry["notification"]
                limit = threshold_of(budget, notification)
                if limit is None:
                    continue
                exceeded = _EXCEEDS[notification["ComparisonOperator"]](spent, limit)
                if exceeded and notification.get("NotificationState") != "ALARM":
                    self._tell(account, budget, entry, limit, spent)
                notification["NotificationState"] = "ALARM" if exceeded else "OK"

    def _tell(self, account: str, budget: Record, entry: Record, limit: float, spent: float) -> None:
        words = (
            f"AWS Budget Notification\nAWS Account {account}\n\nDear AWS Customer,\n\n"
            "You requested that we alert you when the ACTUAL Cost associated with your "
            f"{budget['BudgetName']} budget is greater than ${limit:.6f} for the current month.\n\n"
            f"Budget Name: {budget['BudgetName']}\nBudget Type: Cost\n"
            f"Budgeted Amount: ${budget['BudgetLimit']['Amount']}\nAlert Type: ACTUAL\n"
            f"Alert Threshold: > ${limit:.6f}\nACTUAL Amount: ${spent:.6f}\n"
        )
        for one in entry["subscribers"]:
            if one["SubscriptionType"] == "SNS":
                self._publish(str(one["Address"]), str(budget["BudgetName"]), words)

    def _publish(self, topic: str, name: str, words: str) -> None:
        log, sns = logging.getLogger(__name__), self.target.client("sns", region=topic.split(":")[3])
        try:
            policy = sns.get_topic_attributes(TopicArn=topic)["Attributes"].get("Policy", "")
            if not may_publish(policy):
                log.warning("budget %s tells nobody: the policy of %s does not allow %s", name, topic, _SPENDER)
                return
            subject = f"AWS Budgets: {name} has exceeded your alert threshold"
            sns.publish(TopicArn=topic, Subject=subject[:100], Message=words)
        except (ClientError, BotoCoreError) as error:
            log.warning("budget %s tells nobody: %s", name, error)
