"""The error of the harness where the truth is known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.load.calibration import Trial, _outages
from harness.measure.calibration import Calibration, known_errors
from harness.measure.journal import Operation
from harness.report import words

REST_S = 0.9


def probes(
    outages: list[tuple[float, float]], *, rate: float, until_s: float, late_s: float = 0.0
) -> list[Operation]:
    """What a prober would have written beside exactly these outages."""
    found = []
    for number in range(int(until_s * rate)):
        due_s = number / rate
        sent_s = due_s + late_s
        down = any(down_s <= sent_s < up_s for down_s, up_s in outages)
        found.append(
            Operation(
                id=number,
                kind="ask",
                scheduled_s=due_s,
                started_s=sent_s,
                ended_s=sent_s + 0.001,
                outcome="unknown" if down else "ok",
            )
        )
    return found


@given(st.floats(1.5, 2.5), st.floats(0.3, 3.0), st.sampled_from([20.0, 50.0, 500.0]))
def test_the_error_is_at_most_one_probe_interval(down_s: float, length_s: float, rate: float) -> None:
    outage = (down_s, down_s + length_s)
    (error_s,) = known_errors(probes([outage], rate=rate, until_s=outage[1] + 1.0), [outage], rest_s=REST_S)
    assert error_s is not None
    assert -1e-9 <= error_s <= 1 / rate + 1e-9


def test_a_late_prober_shows_in_the_error() -> None:
    outage = (2.0, 3.0)
    (error_s,) = known_errors(probes([outage], rate=50.0, until_s=4.5, late_s=0.1), [outage], rest_s=REST_S)
    assert error_s == pytest.approx(-0.1, abs=0.021)


def test_an_outage_that_was_not_seen_has_no_error() -> None:
    assert known_errors(probes([], rate=50.0, until_s=5.0), [(2.0, 3.0)], rest_s=REST_S) == [None]
    assert known_errors(probes([(2.0, 9.0)], rate=50.0, until_s=5.0), [(2.0, 3.0)], rest_s=REST_S) == [None]


def test_the_outages_follow_from_the_seed_and_do_not_touch() -> None:
    trial = Trial(outages=3, seed=11)
    known = _outages(trial, 100.0)
    assert known == _outages(trial, 100.0)
    assert known != _outages(Trial(outages=3, seed=12), 100.0)
    for (_, up_s), (down_s, _) in zip(known.outages, known.outages[1:], strict=False):
        assert down_s - up_s >= REST_S
    assert known.down_at(known.outages[0][0])
    assert not known.down_at(known.outages[0][1])


def test_the_error_that_is_told_is_the_largest_either_way() -> None:
    found = Calibration(rate=50.0, outage_s=0.4, errors_ms=[3.0, -17.4], late_p50_ms=0.3, late_p99_ms=1.9)
    assert found.error_ms == 17.4
    assert "Measurement error ±17 ms, from 2 known outages" in words.accuracy(found)
