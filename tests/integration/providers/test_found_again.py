"""What a killed deployment has created is found by the next one, also where AWS makes the id."""

from dataclasses import replace
from typing import Any

import pytest

TRUST = '{"Version":"2012-10-17","Statement":[]}'


@pytest.mark.parametrize(
    ("token", "inputs"),
    [
        ("aws:ec2/vpc:Vpc", {"cidrBlock": "10.7.0.0/16"}),
        ("aws:ec2/internetGateway:InternetGateway", {}),
        ("aws:apigateway/restApi:RestApi", {"description": "orders"}),
        ("aws:apigatewayv2/api:Api", {"protocolType": "HTTP"}),
        ("aws:kms/key:Key", {"description": "orders"}),
        ("aws:cognito/userPool:UserPool", {}),
        ("aws:secretsmanager/secret:Secret", {"description": "orders"}),
        ("aws:sqs/queue:Queue", {}),
        ("aws:iam/role:Role", {"assumeRolePolicy": TRUST}),
    ],
)
def test_the_one_that_the_stack_does_not_know_is_found(lives: Any, token: str, inputs: dict[str, Any]) -> None:
    first, second = lives.create("first", token, inputs), lives.create("second", token, inputs)
    try:
        knows_first = replace(second.context, known_ids=lambda: frozenset({first.id}))
        assert second.handler.find(knows_first, second.inputs) == second.id
        knows_both = replace(second.context, known_ids=lambda: frozenset({first.id, second.id}))
        assert second.handler.find(knows_both, second.inputs) in (
            None,
            second.id,
        )  # by name: the engine sorts that out
    finally:
        for one in (first, second):
            one.handler.delete(one.context, one.id, {**one.inputs, **one.outputs})
    assert second.handler.find(knows_first, second.inputs) is None


def test_what_aws_makes_along_with_a_vpc_is_not_taken_for_ours(lives: Any) -> None:
    vpc = lives.create("vpc", "aws:ec2/vpc:Vpc", {"cidrBlock": "10.8.0.0/16"})
    table = lives.registry.resources["aws:ec2/routeTable:RouteTable"]
    inputs = table.check(vpc.context, {"vpcId": vpc.id}, None)
    assert table.find(vpc.context, inputs) is None
    vpc.handler.delete(vpc.context, vpc.id, {**vpc.inputs, **vpc.outputs})
