"""The cost model reproduces the worked examples of AWS's price pages, and states the free tier apart."""

import pytest

from harness.measure.costs.bill import MONTH_S, a_month_of, bill, used_between
from harness.measure.costs.prices import Price, price_list

M = 1_000_000


def lambda_usage(requests: float, memory_mb: int, ms: float) -> dict[str, float]:
    return {"lambda.requests": requests, "lambda.gb_seconds": requests * memory_mb / 1024 * ms / 1000}


@pytest.mark.parametrize(
    ("usage", "total", "after_free"),
    [
        # https://aws.amazon.com/lambda/pricing/ : 10 M of 200 ms at 512 MB are 1 M GB-s
        (lambda_usage(10 * M, 512, 200), 16.6667 + 2.00, 600_000 * 0.0000166667 + 1.80),
        # the same page: 3 M of 1 s at 512 MB: 18.33 + 0.40 (18.34 while it rounded the price); 30 M, 200 ms, 128 MB
        (lambda_usage(3 * M, 512, 1000), 25.00 + 0.60, 18.33 + 0.40),
        (lambda_usage(30 * M, 128, 200), 12.50 + 6.00, 5.83 + 5.80),
        # the same page: 3 M of 120 ms at 1,536 MB: 2.33 + 0.40
        (lambda_usage(3 * M, 1536, 120), 9.00 + 0.60, 2.33 + 0.40),
        # https://aws.amazon.com/api-gateway/pricing/ : 5 M REST calls cost 17.50; 1 M HTTP calls a dollar
        ({"apigateway.rest_requests": 5 * M}, 17.50, 17.50),
        ({"apigateway.http_requests": 1 * M}, 1.00, 1.00),
        ({"apigateway.http_requests": 400 * M}, 300.0 + 90.0, 390.0),
        # https://aws.amazon.com/step-functions/pricing/ : 100,000 workflows of 4 transitions, 4,000 free
        ({"stepfunctions.transitions": 400_000}, 10.00, 9.90),
        # https://aws.amazon.com/dynamodb/pricing/on-demand/ : a million of each
        ({"dynamodb.write_units": 1 * M, "dynamodb.read_units": 1 * M}, 0.625 + 0.125, 0.75),
    ],
)
def test_aws_worked_examples_come_out(usage: dict[str, float], total: float, after_free: float) -> None:
    made = bill(usage, price_list())
    assert made.total == pytest.approx(total, abs=0.005)
    assert made.after_free == pytest.approx(after_free, abs=0.005)


def test_a_tier_is_charged_only_above_the_one_before() -> None:
    price = price_list().prices["lambda.gb_seconds"]
    assert price.of(16e9) == pytest.approx(6e9 * 0.0000166667 + 9e9 * 0.000015 + 1e9 * 0.0000133334)


def test_the_free_million_of_sqs_is_shared_by_both_kinds_of_queues() -> None:
    made = bill({"sqs.standard_requests": 0.6 * M, "sqs.fifo_requests": 0.6 * M}, price_list())
    assert made.after_free == pytest.approx(0.2 * 0.50)


def test_what_is_held_is_no_cost_of_the_run() -> None:
    made = bill({"s3.stored_gb": 10.0, "s3.put_requests": 1000}, price_list())
    assert (made.total, made.held_a_month) == (pytest.approx(0.005), pytest.approx(0.23))


def test_a_meter_without_a_price_is_named_and_not_silently_free() -> None:
    assert bill({"quantum.requests": 5, "idle.requests": 0}, price_list()).unpriced == ["quantum.requests"]


def test_usage_between_two_readings_keeps_what_is_held() -> None:
    used = used_between(
        {"lambda.requests": 3.0, "s3.stored_gb": 1.0}, {"lambda.requests": 5.0, "s3.stored_gb": 4.0}, price_list()
    )
    assert used == {"lambda.requests": 2.0, "s3.stored_gb": 4.0}


def test_a_month_at_the_pace_of_ten_seconds() -> None:
    made = a_month_of({"apigateway.http_requests": 10.0}, 10.0, price_list())
    assert made.lines[0].quantity == pytest.approx(MONTH_S)
    with pytest.raises(ValueError, match="no time"):
        a_month_of({}, 0.0, price_list())


@pytest.mark.parametrize("name", sorted(price_list().prices))
def test_every_price_has_a_source_and_tiers_that_rise_and_end(name: str) -> None:
    price: Price = price_list().prices[name]
    ends = [end for end, _ in price.tiers]
    assert price.source.startswith("https://aws.amazon.com/")
    assert ends[-1] is None
    assert ends[:-1] == sorted(end for end in ends[:-1] if end is not None)
    assert all(each > 0 for _, each in price.tiers)
