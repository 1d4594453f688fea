"""Automatic names: the resource's name and seven digits, cut so that both fit what AWS takes."""

import re
from pathlib import Path

import pytest

from harness.deploy.providers.resource import CheckError, Context
from harness.target import endpoint_target

LONG = "orders-" * 20


def _context(name: str, named_by: str | None = None) -> Context:
    return Context(
        target=endpoint_target("http://127.0.0.1:9", regions=["us-east-1"]),
        region="us-east-1",
        account_id="000000000000",
        urn="urn:pulumi:dev::shop::aws:thing/thing:Thing::x",
        name=name,
        folder=Path(),
        clients=lambda service, region: (service, region),
        named_by=None if named_by is None else lambda _name: named_by,
    )


def test_the_name_is_cut_and_the_digits_are_whole() -> None:
    made = _context(LONG).autoname({}, None, limit=32)
    assert len(made) == 32
    assert re.fullmatch(r"orders-orders-orders-orde[0-9a-f]{7}", made)


def test_a_suffix_and_a_prefix_fit_too() -> None:
    made = _context("x").autoname({"namePrefix": LONG}, None, limit=80, suffix=".fifo")
    assert len(made) == 80
    assert re.fullmatch(r"orders.*[0-9a-f]{7}\.fifo", made)


def test_small_letters_where_aws_wants_them_and_the_old_name_stays() -> None:
    made = _context("Orders").autoname({}, None, lower=True)
    assert made == made.lower()
    assert _context("Orders").autoname({}, {"name": made}) == made


def test_where_automatic_names_are_disabled_one_is_missing() -> None:
    with pytest.raises(CheckError, match="autonaming is disabled"):
        _context("orders", "").autoname({}, None)
