"""A table as it was at an instant: against a brute-force copy of the table after each write."""

import copy
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cloud.backups.item_history import DAY_S, ItemHistories, OutsideWindowError

KEYS = st.sampled_from(["a", "b", "c"])
WRITES = st.lists(st.tuples(KEYS, KEYS, st.one_of(st.none(), st.integers(0, 9)), st.integers(0, 40)), max_size=25)


@dataclass
class Wall:
    """A clock that is moved by hand."""

    now_s: float = 1000.0

    def __call__(self) -> float:
        return self.now_s


def item(value: int) -> dict[str, dict[str, str]]:
    return {"v": {"N": str(value)}}


@given(writes=WRITES, window_days=st.integers(1, 35))
def test_every_instant_of_the_window_is_restored_as_it_was(
    writes: list[tuple[str, str, int | None, int]], window_days: int
) -> None:
    wall = Wall()
    histories, table = ItemHistories(wall), {"a": {"a": item(1)}}
    histories.turn_on("t", table, window_days=window_days)
    copies = [(wall.now_s, copy.deepcopy(table))]
    for partition, sort, value, days in writes:
        wall.now_s += days * DAY_S + 1
        if value is None:
            table.get(partition, {}).pop(sort, None)
            if not table.get(partition, {1: 1}):
                del table[partition]
        else:
            table.setdefault(partition, {})[sort] = item(value)
        histories.note("t", partition, sort, None if value is None else item(value))
        copies.append((wall.now_s, copy.deepcopy(table)))
    window = histories.window("t")
    assert window is not None
    for at_s, expected in copies:
        if at_s >= window[0]:
            assert histories.as_of("t", at_s) == expected
        else:
            with pytest.raises(OutsideWindowError):
                histories.as_of("t", at_s)


def test_what_is_changed_later_does_not_change_what_was() -> None:
    wall, written = Wall(), item(1)
    histories = ItemHistories(wall)
    histories.turn_on("t", {}, window_days=35)
    histories.note("t", "a", "a", written)
    written["v"]["N"] = "2"
    restored = histories.as_of("t", wall.now_s)
    assert restored == {"a": {"a": item(1)}}
    restored["a"]["a"]["v"]["N"] = "3"
    assert histories.as_of("t", wall.now_s) == {"a": {"a": item(1)}}


def test_nothing_is_known_of_the_time_it_was_off() -> None:
    wall = Wall()
    histories = ItemHistories(wall)
    histories.turn_on("t", {}, window_days=35)
    histories.turn_off("t")
    assert histories.window("t") is None
    wall.now_s += 10
    histories.turn_on("t", {"a": {"a": item(5)}}, window_days=35)
    with pytest.raises(OutsideWindowError):
        histories.as_of("t", wall.now_s - 5)
    with pytest.raises(OutsideWindowError):
        histories.as_of("t", wall.now_s + 5)
