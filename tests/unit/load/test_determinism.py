"""Same seed, same everything: which operations, which keys, which calls a fault hits, which targets it picks."""

from itertools import islice
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from chaos.repeats import Repeats
from harness.load.workload import HttpOperation, drawn

OPERATIONS = [
    HttpOperation(kind="place", method="POST", url="http://127.0.0.1/", weight=1.0, write=True),
    HttpOperation(kind="read", method="GET", url="http://127.0.0.1/", weight=3.0),
]


def kinds(seed: int, count: int = 400) -> list[str]:
    return [operation.kind for operation in islice(drawn(OPERATIONS, seed), count)]


@given(st.integers(0, 2**31))
def test_the_same_seed_draws_the_same_operations(seed: int) -> None:
    assert kinds(seed) == kinds(seed)
    assert kinds(seed) != kinds(seed + 1)


def test_operations_are_drawn_by_their_weight() -> None:
    assert 0.70 < kinds(7, 4000).count("read") / 4000 < 0.80


def test_on_a_fresh_stack_the_keys_follow_from_the_seed_alone() -> None:
    one, other = (Path("runs") / name for name in ("20261124T061826-40d0", "20261124T070000-beef"))
    repeats = Repeats(seed=7, runs=3, fresh=True)
    assert repeats.key_prefix("zone-loss", 1, one) == repeats.key_prefix("zone-loss", 1, other)
    assert repeats.key_prefix("zone-loss", 1, one) != repeats.key_prefix("zone-loss", 2, one)
    assert repeats.key_prefix("zone-loss", 1, one) != Repeats(seed=8, fresh=True).key_prefix("zone-loss", 1, one)


def test_on_a_stack_that_was_drilled_before_no_run_meets_the_keys_of_another() -> None:
    one, other = (Path("runs") / name for name in ("20261124T061826-40d0", "20261124T070000-beef"))
    repeats = Repeats(seed=7, runs=3)
    assert repeats.key_prefix("zone-loss", 1, one) != repeats.key_prefix("zone-loss", 1, other)
