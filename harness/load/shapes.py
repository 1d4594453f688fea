"""How many users there are when: the shapes of a load, as pure functions. Standard library only: Locust loads it.

`steady` is Locust's own way: all users as fast as `--rate` starts them, to the end.
"""

from collections.abc import Callable

Shape = Callable[[float], float]
"""The share of all users (0..1) at this share of the duration (0..1)."""


def _ramp(at: float) -> float:
    """From nobody to everybody, evenly: at which number does it begin to hurt?"""
    return at


def _spike(at: float) -> float:
    """Black Friday: a tenth of the users, everybody at once in the middle third, a tenth again."""
    return 1.0 if 1 / 3 <= at < 2 / 3 else 0.1


def _soak(at: float) -> float:
    """Everybody after the first tenth, for as long as `--duration` says: does it wear out?"""
    return min(1.0, at * 10)


SHAPES: dict[str, Shape] = {"ramp": _ramp, "spike": _spike, "soak": _soak}
NAMES = ("steady", *SHAPES)


def users_at(shape: str, elapsed_s: float, duration_s: float, users: int) -> int | None:
    """Users at this instant, at least one; None when the time is over.

    >>> [users_at("spike", s, 30.0, 100) for s in (0.0, 12.0, 25.0, 30.0)]
    [10, 100, 10, None]
    """
    if elapsed_s >= duration_s:
        return None
    return max(1, round(users * SHAPES[shape](elapsed_s / duration_s)))
