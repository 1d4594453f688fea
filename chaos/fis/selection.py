"""How many of the resources that fit a target are taken, and which.

Source: https://docs.aws.amazon.com/fis/latest/userguide/targets.html#target-selection-mode
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from typing import TypeVar

from chaos.fis.errors import ValidationException

_MODE = re.compile(r"(COUNT|PERCENT)\((\d{1,9})\)")
T = TypeVar("T")


def selection_count(mode: str, found: int) -> int:
    """How many of `found` resources a selection mode takes; a share is rounded down.

    `COUNT(n)` with fewer than n takes them all; AWS does not document that case.

    Raises:
        ValidationException: no such mode.
    """
    if mode == "ALL":
        return found
    match = _MODE.fullmatch(mode)
    number = int(match[2]) if match else 0
    if match is None or number < 1 or (match[1] == "PERCENT" and number > 100):
        raise ValidationException(f"Invalid selection mode '{mode}': ALL, COUNT(n) or PERCENT(n) with n up to 100")
    return min(number, found) if match[1] == "COUNT" else found * number // 100


def select(mode: str, found: Sequence[T], seed: int) -> list[T]:
    """What a selection mode takes: drawn by chance with a seed, unless it is everything."""
    count = selection_count(mode, len(found))
    return list(found) if count == len(found) else random.Random(seed).sample(found, count)  # noqa: S311
