"""A stream's batch that fails: tried again, halved, given up; nothing is skipped and nothing is done twice."""

from hypothesis import given
from hypothesis import strategies as st

from harness.cloud.delivery.stream_batches import BatchProgress, RetryRule


def process(
    poison: set[int], *, length: int, batch_size: int, rule: RetryRule
) -> tuple[list[int], list[list[int]], int]:
    """Run a stream of `length` records through a function that fails on poison: done, given up, tries."""
    progress, position, done, dropped, tries = BatchProgress(), 0, [], [], 0
    while position < length:
        size = min(progress.size(position, batch_size), length - position)
        batch = list(range(position, position + size))
        tries += 1
        assert tries < 10_000
        if not poison & set(batch):
            progress.passed()
            done += batch
        elif progress.failed(rule, position=position, length=size, oldest_age_s=0.0) == "again":
            continue
        else:
            progress.passed()
            dropped.append(batch)
        position += size
    return done, dropped, tries


@given(
    poison=st.sets(st.integers(0, 19), max_size=5),
    batch_size=st.integers(1, 12),
    retries=st.integers(0, 3),
)
def test_halving_gives_up_the_poison_and_nothing_else(poison: set[int], batch_size: int, retries: int) -> None:
    rule = RetryRule(retries=retries, bisect=True)
    done, dropped, _ = process(poison, length=20, batch_size=batch_size, rule=rule)
    assert done == [n for n in range(20) if n not in poison]
    assert dropped == [[n] for n in sorted(poison)]


@given(poison=st.sets(st.integers(0, 9), max_size=3), retries=st.integers(0, 4))
def test_without_halving_the_whole_batch_goes_after_its_retries(poison: set[int], retries: int) -> None:
    done, dropped, tries = process(poison, length=10, batch_size=5, rule=RetryRule(retries=retries))
    bad = [batch for batch in ([0, 1, 2, 3, 4], [5, 6, 7, 8, 9]) if poison & set(batch)]
    assert dropped == bad
    assert sorted(done + [n for batch in dropped for n in batch]) == list(range(10))
    assert tries == (2 - len(bad)) + len(bad) * (retries + 1)


def test_without_a_limit_it_is_tried_for_ever() -> None:
    progress, rule = BatchProgress(), RetryRule()
    assert {progress.failed(rule, position=0, length=1, oldest_age_s=9e9) for _ in range(500)} == {"again"}


def test_a_record_may_get_too_old() -> None:
    verdict = BatchProgress().failed(RetryRule(max_age_s=60), position=0, length=5, oldest_age_s=61)
    assert verdict == "MaximumRecordAgeExceeded"


def test_a_mapping_says_its_rule() -> None:
    rule = RetryRule.of({"MaximumRetryAttempts": 0, "BisectBatchOnFunctionError": True})
    assert (rule.retries, rule.max_age_s, rule.bisect) == (0, -1, True)
    assert RetryRule.of({}).retries == -1
