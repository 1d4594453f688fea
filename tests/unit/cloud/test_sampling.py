"""X-Ray's default sampling rule."""

from harness.cloud.traces.sampling import FIXED_RATE, Sampler


def test_the_first_of_each_second_is_sampled_and_of_the_others_one_in_twenty() -> None:
    now_s, drawn = [100.2], [FIXED_RATE]
    sampler = Sampler(clock=lambda: now_s[0], draw=lambda: drawn[0])
    assert [sampler.samples("place"), sampler.samples("place"), sampler.samples("fulfil")] == [True, False, True]
    drawn[0] = FIXED_RATE - 0.001
    assert sampler.samples("place")
    drawn[0], now_s[0] = 0.9, 101.0
    assert [sampler.samples("place"), sampler.samples("place")] == [True, False]
