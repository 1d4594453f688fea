"""What the shop may cost a month, and who is told before it does."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws


@dataclass(frozen=True)
class BudgetArgs:
    """`monthly_usd` is the limit; somebody is told at each of `percents`."""

    monthly_usd: int = 100
    percents: tuple[int, ...] = (80, 100)


class Budget(pulumi.ComponentResource):
    """Outputs: `budget`, `topic`."""

    def __init__(self, name: str, args: BudgetArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("shop:index:Budget", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.topic = aws.sns.Topic(name, tags={"app": "shop"}, opts=child)
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "budgets.amazonaws.com"},
            "Action": "SNS:Publish",
            "Resource": self.topic.arn,
            "Condition": {"StringEquals": {"aws:SourceAccount": aws.get_caller_identity().account_id}},
        }
        allowed = aws.sns.TopicPolicy(
            name,
            arn=self.topic.arn,
            policy=pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": [statement]}),
            opts=child,
        )
        self.budget = aws.budgets.Budget(
            name,
            budget_type="COST",
            time_unit="MONTHLY",
            limit_amount=str(args.monthly_usd),
            limit_unit="USD",
            notifications=[
                {
                    "comparison_operator": "GREATER_THAN",
                    "notification_type": "ACTUAL",
                    "threshold": percent,
                    "threshold_type": "PERCENTAGE",
                    "subscriber_sns_topic_arns": [self.topic.arn],
                }
                for percent in args.percents
            ],
            tags={"app": "shop"},
            opts=pulumi.ResourceOptions(parent=self, depends_on=[allowed]),
        )
        self.register_outputs({"budget": self.budget.name})
