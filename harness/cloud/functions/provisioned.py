"""Provisioned concurrency: environments that are initialised before anybody asks, and replaced when they are lost.

https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from harness.cloud.functions.spec import FunctionSpec

_LOOK_EVERY_S = 0.5
"""How soon a lost environment is replaced, and a moved alias followed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """So many environments of one version; `record` is the emulator's of that version."""

    spec: FunctionSpec
    record: Mapping[str, Any]
    count: int


@dataclass(frozen=True, slots=True)
class Allotment:
    """What there is for a version: initialised environments, and what went wrong with the newest start."""

    available: int = 0
    failure: str = ""


class Site(Protocol):
    """Where environments live: the pool."""

    def provision(self, wanted: Wanted) -> str:
        """Start one, and wait for its init phase; returns what went wrong, or ''."""
        ...

    def provisioned(self, fingerprint: str) -> int:
        """How many there are, initialised and alive."""
        ...

    def release(self, fingerprint: str, keep: int) -> None:
        """All but `keep` become ordinary ones."""
        ...


@dataclass(slots=True)
class ProvisionedConcurrency:
    """Keeps what is `wanted`, in a thread that begins with the first wish. Safe from any thread."""

    site: Site
    wanted: Callable[[], Iterable[Wanted]]
    _failures: dict[str, str] = field(default_factory=dict)
    _kept: frozenset[str] = frozenset()
    _changed: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _closed: bool = False

    def look_again(self) -> None:
        """Something about the wishes has changed."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._keep_on, name="provisioned concurrency", daemon=True)
            self._thread.start()
        self._changed.set()

    def close(self) -> None:
        """Start nothing more."""
        self._closed = True
        self._changed.set()

    def allotment(self, fingerprint: str, share: int) -> Allotment:
        """What there is now of a `share` of a version's environments."""
        there = min(share, self.site.provisioned(fingerprint))
        return Allotment(there, "" if there >= share else self._failures.get(fingerprint, ""))

    def _keep_on(self) -> None:
        while not self._closed:
            self._changed.clear()
            try:
                self._keep()
            except Exception:
                logging.getLogger(__name__).exception("provisioned concurrency")
            self._changed.wait(_LOOK_EVERY_S if self._kept else None)

    def _keep(self) -> None:
        needs: dict[str, tuple[Wanted, int]] = {}
        for one in self.wanted():
            so_far = needs.get(one.spec.fingerprint, (one, 0))[1]
            needs[one.spec.fingerprint] = (one, so_far + one.count)
        for gone in self._kept - needs.keys():
            self.site.release(gone, 0)
            self._failures.pop(gone, None)
        self._kept = frozenset(needs)
        for fingerprint, (one, count) in needs.items():
            missing = count - self.site.provisioned(fingerprint)
            if missing < 0:
                self.site.release(fingerprint, count)
            for _ in range(missing):
                if self._closed:
                    return
                self._failures[fingerprint] = failure = self.site.provision(one)
                if failure:
                    break
