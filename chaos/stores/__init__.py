"""Workloads of single stores: clients that write and read beside a drill, and check what the store promises.

Each makes what it needs in the target under a name of its own, and takes it away again. A new one is a class with
four methods and a line in `STORES`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from chaos.stores.aurora import Bank, UniqueRows
from chaos.stores.dynamodb import AppendOnly, Counters, Registers, UniqueKeys
from chaos.stores.events import FanOut
from chaos.stores.s3 import Versions
from chaos.stores.sqs import Queue
from chaos.stores.store import Client, Store
from chaos.stores.valkey import ValkeyRegisters

STORES: Mapping[str, Callable[[Client, str], Store]] = {
    "dynamodb-register": Registers,
    "dynamodb-append-only": AppendOnly,
    "dynamodb-counter": Counters,
    "dynamodb-unique": UniqueKeys,
    "s3-versions": Versions,
    "sqs-queue": Queue,
    "events-fan-out": FanOut,
    "aurora-bank": Bank,
    "aurora-unique": UniqueRows,
    "valkey-register": ValkeyRegisters,
}
"""A store's workload by the name that a drill gives it: made of a maker of clients and a name for what it creates."""

NEEDS: Mapping[str, str] = {
    "aurora-bank": "aurora",
    "aurora-unique": "aurora",
    "valkey-register": "elasticache",
}
"""What a target must be capable of for a store's workload; the others need nothing but the service."""
