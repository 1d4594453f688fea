"""The lags in force: how long each kind of copy takes, for each pair of places. Settings give the defaults."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from harness.errors import ConfigError, nearest
from harness.lag import Lag, fixed

Store = Literal["dynamodb", "s3", "aurora", "elasticache"]
STORES: tuple[Store, ...] = get_args(Store)


_AT_ONCE = fixed(0.0)


@dataclass(slots=True)
class Lags:
    """The lags in force, by store, source and destination; '' is any. Safe from any thread.

    Places are regions; for S3 they may also be buckets.
    """

    defaults: Mapping[Store, Lag] = field(default_factory=dict)
    seed: int = 0
    _set: dict[tuple[Store, str, str], Lag] = field(default_factory=dict)
    _drawn: dict[tuple[Store, str, str], Callable[[], None]] = field(default_factory=dict)
    _dice: random.Random = field(init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)  # noqa: S311 - a drill must be repeatable, not secret

    def set(
        self,
        store: str,
        lag: Lag | None,
        *,
        source: str = "",
        destination: str = "",
        drawn: Callable[[], None] | None = None,
    ) -> None:
        """Let copies take `lag` from now on; None is the default again. The most specific pair counts.

        `drawn` is called for each copy that takes it, and must be quick.

        Raises:
            ConfigError: there is no such store.
        """
        known = {name: name for name in STORES}
        if store not in known:
            raise ConfigError(f"no copies of {store!r}", where="lag.store", hint=nearest(store, known))
        key = (known[store], source, destination)
        with self._lock:
            if lag is None:
                self._set.pop(key, None)
            else:
                self._set[key] = lag
            self._drawn.pop(key, None)
            if drawn is not None:
                self._drawn[key] = drawn

    def explicit(self, store: str, source: str = "", destination: str = "") -> Lag | None:
        """What was set for exactly this pair; None when the default holds."""
        return next((lag for key, lag in self._set.items() if key == (store, source, destination)), None)

    def of(self, store: Store, source: str = "", destination: str = "") -> Lag:
        """The lag of copies from `source` to `destination`."""
        return self._found(store, source, destination)[1]

    def _found(self, store: Store, source: str, destination: str) -> tuple[tuple[Store, str, str], Lag]:
        """What counts for a pair, and for which pair it was set."""
        for places in ((source, destination), ("", destination), (source, ""), ("", "")):
            if (found := self._set.get((store, *places))) is not None:
                return (store, *places), found
        return (store, "", ""), self.defaults.get(store, _AT_ONCE)

    def draw(self, store: Store, source: str = "", destination: str = "") -> float:
        """Seconds that the next write takes."""
        with self._lock:
            key, lag = self._found(store, source, destination)
            if key in self._drawn:
                self._drawn[key]()
            return lag.draw(self._dice)

    def shown(self) -> list[dict[str, str]]:
        """Every lag in force as JSON; what holds for any place has no places."""
        with self._lock:
            special = [
                {"store": store, "source": source, "destination": destination, "lag": str(lag)}
                for (store, source, destination), lag in sorted(self._set.items())
            ]
        shown = {(one["store"], one["source"], one["destination"]) for one in special}
        plain = [
            {"store": store, "source": "", "destination": "", "lag": str(self.of(store))}
            for store in STORES
            if (store, "", "") not in shown
        ]
        return plain + special

    def clear(self) -> None:
        """The defaults again."""
        with self._lock:
            self._set.clear()
            self._drawn.clear()
            self._dice.seed(self.seed)
