"""When a budget tells somebody, and whether it may."""

import json

from harness.cloud.usage.budgets import may_publish, threshold_of


def test_thresholds_are_shares_of_the_limit_or_amounts_and_only_of_what_is_measured() -> None:
    limit = {"BudgetLimit": {"Amount": "50"}}
    share = {"NotificationType": "ACTUAL", "Threshold": 80.0, "ThresholdType": "PERCENTAGE"}
    assert threshold_of(limit, share) == 40.0
    assert threshold_of(limit, {**share, "ThresholdType": "ABSOLUTE_VALUE"}) == 80.0
    assert threshold_of(limit, {**share, "NotificationType": "FORECASTED"}) is None
    for unmeasured in ({}, {**limit, "BudgetType": "USAGE"}, {**limit, "CostFilters": {"Service": ["x"]}}):
        assert threshold_of(unmeasured, share) is None


def test_a_topic_is_told_only_where_its_policy_lets_budgets_publish() -> None:
    def policy(**changes: object) -> str:
        statement = {"Effect": "Allow", "Principal": {"Service": "budgets.amazonaws.com"}, "Action": "SNS:Publish"}
        return json.dumps({"Statement": [{**statement, **changes}]})

    assert may_publish(policy())
    assert may_publish(policy(Action=["sns:GetTopicAttributes", "sns:*"]))
    refused = ({"Effect": "Deny"}, {"Principal": {"Service": "events.amazonaws.com"}}, {"Action": "sns:Subscribe"})
    assert not any(may_publish(policy(**one)) for one in refused)
    assert not may_publish("")
