"""Durations as people and FIS write them."""

import pytest

from harness.clock import parse_duration_s


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        *(("30s", 30), ("250ms", 0.25), ("2m30s", 150), ("1h", 3600), ("1.5s", 1.5), ("1d", 86400), ("1m 5s", 65)),
        *(("PT5M", 300), ("PT1H30M", 5400), ("P1DT2S", 86402), ("PT0.5S", 0.5)),
    ],
)
def test_a_duration_is_seconds(text: str, seconds: float) -> None:
    assert parse_duration_s(text) == seconds


@pytest.mark.parametrize("text", ["", "30", "s", "PT", "P", "3x", "5s later", "-3s", "PT-5M"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration_s(text)
