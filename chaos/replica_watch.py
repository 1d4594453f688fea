"""Looks at a replica during a drill: when each acknowledged write could first be read there.

A look notes only the keys that are new to it, at the instant its answer was complete; the measure is in
`harness.measure.staleness`. Eventually consistent reads, as a reader in the other region makes them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from harness.clock import Clock
from harness.measure import journal as names
from harness.measure.journal import JournalWriter

LOOK_EVERY_S = 1.0
_POLL_S = 0.2


@dataclass(slots=True, kw_only=True)
class ReplicaWatch:
    """`table` in the region of `client`, whose attribute `key` holds each write's key."""

    client: Any  # boto3's DynamoDB client of the replica's region
    table: str
    key: str
    journal: JournalWriter
    clock: Clock
    _seen: set[str] = field(default_factory=set)
    _looked_s: float = 0.0

    def look(self) -> None:
        """Note the keys that are new; does nothing within `LOOK_EVERY_S` of the last look.

        A replica that cannot be read has nothing to show: the writes stay unseen.
        """
        if self.clock.now_s() - self._looked_s < LOOK_EVERY_S:
            return
        error = ""
        try:
            found = set(self._keys())
        except (ClientError, BotoCoreError) as problem:
            found, error = set(), f"{type(problem).__name__}: {problem}"
        self._looked_s = self.clock.now_s()
        new = sorted(found - self._seen)
        self._seen |= found
        self.journal.event(names.REPLICA_LOOK, self._looked_s, new=new, error=error)

    def look_for(self, keys: Iterable[str], *, patient: Callable[[], bool]) -> None:
        """Look on until all of `keys` were seen, or as long as `patient`: what came last has its time to come too."""
        wanted = set(keys)
        while not wanted <= self._seen and patient():
            self.look()
            time.sleep(_POLL_S)

    def _keys(self) -> Iterator[str]:
        pages = self.client.get_paginator("scan").paginate(
            TableName=self.table, ProjectionExpression="#key", ExpressionAttributeNames={"#key": self.key}
        )
        for page in pages:
            for item in page["Items"]:
                if self.key in item:
                    yield str(next(iter(item[self.key].values())))
