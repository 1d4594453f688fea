"""Limits by themselves: buckets, concurrency, rates, and their settings."""

from dataclasses import fields
from pathlib import Path

import pytest

from harness.clock import parse_duration_s
from harness.cloud.identify import Request
from harness.cloud.limits.buckets import Bucket
from harness.cloud.limits.concurrency import KEPT_S, Concurrency
from harness.cloud.limits.quotas import SOURCES, Quotas
from harness.cloud.limits.requests import RequestRates
from harness.config import Limits, load_config
from harness.errors import ConfigError

HERE = ("000000000000", "us-east-1")
ROOT = Path(__file__).parents[3]


class Now:
    """A clock that stands still."""

    at_s = 0.0

    def __call__(self) -> float:
        return self.at_s


def test_a_bucket_fills_at_its_rate_up_to_its_most_and_may_owe() -> None:
    bucket = Bucket.full(2.0, 3.0, 0.0)
    assert [bucket.take(1.0, now_s=0.0) for _ in range(4)] == [True, True, True, False]
    assert bucket.level(1.0) == 2.0
    assert bucket.level(100.0) == 3.0
    bucket.held -= 5.0
    assert not bucket.take(1.0, now_s=100.5)
    bucket.resize(10.0, 10.0, 100.5)
    assert bucket.take(9.0, now_s=101.5)


def test_functions_share_what_is_not_reserved_and_the_reserved_is_theirs_alone() -> None:
    slots = Concurrency(most=5, scaling=1000, period_s=10.0)
    reserved = {"vip": 2}
    assert [slots.acquire(HERE, "a", reserved) for _ in range(4)] == [None, None, None, "account"]
    assert [slots.acquire(HERE, "vip", reserved) for _ in range(3)] == [None, None, "function"]
    assert slots.acquire((HERE[0], "us-west-2"), "a", {}) is None  # each region has its own
    slots.release(HERE, "a", unreserved=True)
    assert slots.acquire(HERE, "b", reserved) is None
    assert (slots.running(HERE, "a"), slots.running(HERE, "b"), slots.running(HERE, "vip")) == (2, 1, 2)


def test_a_function_gets_so_many_environments_more_in_ten_seconds_and_keeps_them_for_a_while() -> None:
    now = Now()
    slots = Concurrency(most=10_000, scaling=1000, period_s=10.0, now_s=now)

    def burst(count: int) -> int:
        return sum(slots.acquire(HERE, "f", {}) is None for _ in range(count))

    assert burst(1500) == 1000  # the first burst
    assert slots.acquire(HERE, "f", {}) == "scaling"
    assert slots.acquire(HERE, "other", {}) is None  # by function
    now.at_s = 5.0
    assert burst(1500) == 500  # 100 more each second
    for _ in range(1500):
        slots.release(HERE, "f", unreserved=True)
    assert burst(1500) == 1500  # the environments that there are cost nothing
    for _ in range(1500):
        slots.release(HERE, "f", unreserved=True)
    now.at_s += KEPT_S + 1
    assert slots.acquire(HERE, "f", {}) is None
    now.at_s += KEPT_S + 1
    assert burst(1500) == 1000  # they are gone again, but for the one in use


def call(service: str, operation: str, region: str = "us-east-1") -> Request:
    return Request(service=service, operation=operation, region=region, account="1", resource="k")


def test_calls_faster_than_their_quota_are_refused_by_kind_of_key_and_region() -> None:
    now, specs = Now(), {"Sign": "ECC_NIST_P256", "Encrypt": "SYMMETRIC_DEFAULT"}
    quotas = Quotas.of({"kms_symmetric_rate": 2, "kms_ecc_rate": 1, "ssm_get_rate": 1})
    rates = RequestRates(quotas=quotas, key_spec=lambda asked: specs.get(asked.operation, ""), now_s=now)
    said = [rates.refused(call("kms", name)) for name in ("Encrypt", "GenerateDataKey", "Encrypt", "Sign", "Sign")]
    assert [bool(one) for one in said] == [False, False, True, False, True]
    assert "exceeded the rate at which you may call KMS" in said[2]
    assert rates.refused(call("kms", "Encrypt", "us-west-2")) == ""
    assert [rates.refused(call("ssm", "GetParameter")) for _ in range(2)] == ["", "Rate exceeded"]
    others = (("ssm", "PutParameter"), ("kms", "CreateKey"), ("s3", "GetObject"))
    assert [rates.refused(call(*one)) for one in others * 2] == [""] * 6
    now.at_s = 1.0
    assert rates.refused(call("kms", "Encrypt")) == ""


def test_each_limit_has_a_setting_a_source_and_a_line_in_the_docs() -> None:
    names = {one.name for one in fields(Quotas)}
    assert set(SOURCES) == names
    assert {name.removesuffix("_s") for name in names} == set(Limits.model_fields)
    docs = (ROOT / "docs" / "limits.md").read_text()
    for name in names:
        default = getattr(Quotas(), name)
        assert (
            f"| `{name.removesuffix('_s')}` | {default:g} |" in docs
            or f"| `{name.removesuffix('_s')}` | {default:,} |" in docs
        )
        assert SOURCES[name] in docs
    assert Quotas.of({"sqs_in_flight": 5.0}) == Quotas(sqs_in_flight=5)


def test_the_project_file_sets_them_and_names_the_nearest(tmp_path: Path) -> None:
    path = tmp_path / "blackstart.toml"
    path.write_text('[limits]\nlambda_concurrency = 50\ndynamodb_burst = "10s"\n')
    given = load_config(path).limits.given()
    assert given == {"lambda_concurrency": 50, "dynamodb_burst_s": parse_duration_s("10s")}
    assert Quotas.of(given).lambda_concurrency == 50
    path.write_text("[limits]\nlambda_concurency = 50\n")
    with pytest.raises(ConfigError, match="lambda_concurency") as caught:
        load_config(path)
    assert "lambda_concurrency" in caught.value.hint
    path.write_text("[limits]\nsqs_in_flight = 0\n")
    with pytest.raises(ConfigError, match="sqs_in_flight"):
        load_config(path)
