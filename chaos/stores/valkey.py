"""Valkey in ElastiCache: registers, through the primary endpoint.

Replication is asynchronous, so a failover may lose what was acknowledged last; the checker then says which keys.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import valkey

from chaos.stores.aurora import TAG
from chaos.stores.store import Client, NotAppliedError, UnansweredError, told
from harness.errors import NotReadyError
from harness.measure.checkers.calls import Call, Value
from harness.measure.checkers.linearizable import check_linearizable
from harness.measure.checkers.register import check_register
from harness.measure.finding import Finding

KEYS = ("a", "b", "c")
_STARTS_S, _OPENS_S = 1200.0, 120.0


@dataclass(slots=True)
class ValkeyRegisters:
    """A replication group of its own: a primary and a replica in different zones, with automatic failover."""

    make: Client
    name: str
    host: str = ""
    port: int = 0
    _client: Any = field(init=False, default=None)

    def prepare(self) -> None:
        """Create the replication group."""
        api = self.make("elasticache")
        api.create_replication_group(
            ReplicationGroupId=self.group,
            ReplicationGroupDescription="the store of a drill",
            Engine="valkey",
            CacheNodeType="cache.t4g.small",
            NumCacheClusters=2,
            AutomaticFailoverEnabled=True,
            MultiAZEnabled=True,
            Tags=[{"Key": TAG, "Value": "valkey-register"}],
        )
        until_s = time.monotonic() + _STARTS_S
        while (shown := self._shown(api))["Status"] != "available":
            if time.monotonic() > until_s:
                raise NotReadyError(f"{self.group} was not available in {_STARTS_S:g} s", where="stores")
            time.sleep(0.2)
        endpoint = shown["NodeGroups"][0]["PrimaryEndpoint"]
        self.host, self.port = endpoint["Address"], int(endpoint["Port"])
        self._patiently(lambda client: client.ping())

    @property
    def group(self) -> str:
        """Its identifier: at most 40 characters, of which the last ones tell stores and runs apart."""
        return f"s{self.name[-39:].lstrip('-')}"

    def step(self, chance: random.Random, number: int) -> Call:
        """Half of the calls write a value of their own, half read."""
        key = chance.choice(KEYS)
        if chance.random() < 0.5:
            return told(key, "read", None, lambda: self._read(key))
        return told(key, "write", number, lambda: self._do(lambda client: client.set(key, number)) and None)

    def check(self, calls: Sequence[Call]) -> list[Finding]:
        """Registers, and linearizable ones."""
        final = self._patiently(lambda client: {key: _number(client.get(key)) for key in KEYS})
        return [*check_register(calls, final), *check_linearizable(calls)]

    def clear(self) -> None:
        """Delete the replication group."""
        self.make("elasticache").delete_replication_group(ReplicationGroupId=self.group)

    def _read(self, key: str) -> Value:
        return _number(self._do(lambda client: client.get(key)))

    def _do(self, call: Callable[[Any], Any]) -> Any:  # what Valkey answered
        """One call without retries; the client has a pool, so several threads may share it.

        Raises:
            NotAppliedError: nobody to connect to, or a replica that was the primary before.
            UnansweredError: no answer.
        """
        if self._client is None:
            self._client = self._connect(timeout_s=2.0)
        try:
            return call(self._client)
        except (valkey.exceptions.ReadOnlyError, valkey.exceptions.BusyLoadingError) as error:
            self._client.connection_pool.disconnect(inuse_connections=False)  # they lead to a primary of before
            raise NotAppliedError(str(error)) from error
        except valkey.ValkeyError as error:
            if "connecting to" in str(error):
                raise NotAppliedError(str(error)) from error
            raise UnansweredError(str(error)) from error

    def _patiently(self, call: Callable[[Any], Any]) -> Any:  # what `call` returns
        until_s = time.monotonic() + _OPENS_S
        with self._connect(timeout_s=30.0) as client:
            while True:
                try:
                    return call(client)
                except valkey.ValkeyError as error:
                    with suppress(valkey.ValkeyError):
                        client.connection_pool.disconnect()
                    if time.monotonic() > until_s:
                        raise NotReadyError(f"{self.group} does not serve: {error}", where=self.host) from error
                time.sleep(0.2)

    def _connect(self, *, timeout_s: float) -> Any:  # its stubs know no answers
        from valkey.backoff import NoBackoff
        from valkey.retry import Retry

        return valkey.Valkey(
            host=self.host,
            port=self.port,
            decode_responses=True,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            retry=Retry(NoBackoff(), 0),
        )

    def _shown(self, api: Any) -> dict[str, Any]:
        found: dict[str, Any] = api.describe_replication_groups(ReplicationGroupId=self.group)["ReplicationGroups"][0]
        return found


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)
