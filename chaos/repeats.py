"""How often a drill is run, and from which seed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeats:
    """How often, and from which seed: run k has seed `seed` + k - 1.

    `fresh` says that nobody drilled this stack before. Then the keys follow from the seed alone; otherwise they also
    hold the folder's name, so that no run meets the writes of an earlier one with the same seed.
    """

    seed: int
    runs: int = 1
    fresh: bool = False

    def key_prefix(self, drill: str, number: int, folder: Path) -> str:
        """What every key of run `number` begins with."""
        own = "" if self.fresh else f"-{folder.name}"
        return f"{drill}{own}-{self.seed}-{number}"
