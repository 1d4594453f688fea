"""How long a copy takes: texts, shapes, and which of several lags counts."""

from __future__ import annotations

import random
import statistics

import pytest

from harness.cloud.copies.lags import Lags
from harness.errors import ConfigError
from harness.lag import Lag, fixed, parse_lag


@pytest.mark.parametrize("text", ["2s", "0.5s..3s", "p50=1s p99=5s"])
def test_a_lag_is_shown_as_it_is_read(text: str) -> None:
    assert str(parse_lag(text)) == text


@pytest.mark.parametrize(
    "text", ["", "2", "3s..1s", "p50=0s p99=1s", "p50=2s p99=1s", "p99=1s", "p50=1s p99=2s p100=3s", "-1s", "soon"]
)
def test_what_is_no_lag_is_refused_with_what_would_be(text: str) -> None:
    with pytest.raises(ValueError, match="is no lag such as '2s'"):
        parse_lag(text)


def test_draws_keep_to_their_shape() -> None:
    dice = random.Random(7)  # noqa: S311 - must repeat
    assert {fixed(2.0).draw(dice) for _ in range(10)} == {2.0}
    spread = [Lag(1.0, 3.0, "uniform").draw(dice) for _ in range(2000)]
    assert 1.0 <= min(spread) < 1.1
    assert 2.9 < max(spread) <= 3.0
    tailed = sorted(Lag(1.0, 5.0, "lognormal").draw(dice) for _ in range(20_000))
    assert statistics.median(tailed) == pytest.approx(1.0, rel=0.05)
    assert tailed[int(len(tailed) * 0.99)] == pytest.approx(5.0, rel=0.1)


def test_the_most_specific_pair_counts_and_the_default_returns() -> None:
    lags = Lags({"dynamodb": fixed(0.5)})
    lags.set("dynamodb", fixed(1.0), source="a")
    lags.set("dynamodb", fixed(2.0), source="a", destination="b")
    assert [lags.draw("dynamodb", *pair) for pair in (("a", "b"), ("a", "c"), ("b", "a"))] == [2.0, 1.0, 0.5]
    assert {"store": "dynamodb", "source": "a", "destination": "b", "lag": "2s"} in lags.shown()
    lags.set("dynamodb", None, source="a", destination="b")
    assert lags.draw("dynamodb", "a", "b") == 1.0
    lags.clear()
    assert lags.draw("dynamodb", "a", "b") == 0.5
    assert lags.draw("s3") == 0.0
    with pytest.raises(ConfigError, match="dynamo"):
        lags.set("dynamo", None)


def test_draws_repeat_after_a_reset() -> None:
    lags = Lags({"s3": Lag(1.0, 2.0, "uniform")})
    first = [lags.draw("s3") for _ in range(5)]
    lags.clear()
    assert [lags.draw("s3") for _ in range(5)] == first
