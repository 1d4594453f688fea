"""SEARCH: which metrics an expression finds, alone and inside math."""

import pytest

from harness.cloud.signals.metric_math import MathError
from harness.cloud.signals.queries import Query, answer
from harness.cloud.signals.search import compile_search, expanded
from harness.cloud.signals.series import MetricId, MetricStore


def metric(name: str, namespace: str = "AWS/Lambda", **dimensions: str) -> MetricId:
    return MetricId("1", "us-east-1", namespace, name, tuple(sorted(dimensions.items())))


CART, PAY = metric("Errors", FunctionName="cartService"), metric("Errors", FunctionName="pay")
ALL, DURATION = metric("Errors"), metric("Duration", FunctionName="pay")
QUEUE = metric("ApproximateAgeOfOldestMessage", "AWS/SQS", QueueName="pay")
EVERY = [CART, PAY, ALL, DURATION, QUEUE]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{AWS/Lambda,FunctionName} MetricName="Errors"', [CART, PAY]),
        ("{AWS/Lambda}", [ALL]),
        ('Namespace="AWS/SQS"', [QUEUE]),
        ("MetricName=errors FunctionName=cart", [CART]),
        ("pay NOT MetricName=duration", [PAY, QUEUE]),
        ("(pay OR cart) AND MetricName=Errors", [CART, PAY]),
        ("age oldest", [QUEUE]),
        ('"pay"', [PAY, DURATION, QUEUE]),
    ],
)
def test_what_is_found(text: str, expected: list[MetricId]) -> None:
    assert [one for one in EVERY if compile_search(text)(one)] == expected


@pytest.mark.parametrize("text", ["{AWS/Lambda", "(a", "a OR", ":aws.AccountId=1"])
def test_what_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(MathError, match="SEARCH"):
        compile_search(text)


def test_a_search_alone_is_several_queries_and_inside_math_a_list() -> None:
    store = MetricStore()
    store.value(CART, 2.0, 60.0)
    store.value(PAY, 3.0, 60.0)
    search = "SEARCH('{AWS/Lambda,FunctionName} MetricName=\"Errors\"', 'Sum', 60)"
    alone, total = (Query(id=name, label=name, expression=e) for name, e in (("e", search), ("t", f"SUM({search})")))
    found = expanded([alone, total], store.metrics("1", "us-east-1"), period_s=60)
    assert [query.label for query in found if query.id == "e"] == ["cartService Errors", "pay Errors"]
    series = answer([query for query in found if query.id != "e"], store, start_s=0, end_s=120)
    assert series["t"] == {60.0: 5.0}
